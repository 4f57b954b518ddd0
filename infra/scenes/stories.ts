import type { ProblemCode } from '../../functions/contract/problems.ts';
import type { Party } from '../../functions/core/cancellation/account.ts';
import type { CallKind } from '../../functions/simulator/plangrep-calls.ts';
import { exampleJob, type SimulatedJobFields } from '../../functions/simulator/plangrep-jobs.ts';
import { sandboxJobs } from '../../functions/simulator/sandbox-jobs.ts';

/** How often a request makes the service call Plangrep. */
type Calls = Readonly<Partial<Record<CallKind, number>>>;

/** A cancel that the demo plays, and what must come back. */
export interface StoryCancel {
  readonly title: string;
  readonly status: number;
  /** The fields that matter: shown, and compared. */
  readonly fields: Readonly<Record<string, string | number>> & { readonly code?: ProblemCode };
  readonly calls: Calls;
}

/** An externalId of every local run: the jobs behind it, and what happens when acme cancels it. */
export interface Story {
  readonly externalId: string;
  readonly partnerId: keyof typeof projects;
  readonly what: string;
  readonly jobs: readonly (SimulatedJobFields & { readonly id: string })[];
  readonly cancels: readonly StoryCancel[];
}

/** The two partners of a local run, each with its project in Plangrep. */
export const projects = { acme: exampleJob.projectId, globex: 'proj_01hx9z4kqr8e7m3p5n6w2v1glx' } as const;

const HOUR_MS = 3_600_000;
// The pages that the examples of the OpenAPI description show.
const running = { status: 'processing', pageCount: 120, successfulPageCount: 40, billing: { creditsDebited: 40 } };
const [slow, firstTwin, secondTwin] = [
  'job_slow00000000000000000007891',
  'job_twin10000000000000000007893',
  'job_twin20000000000000000007893',
];
const cancelled = {
  outcome: 'cancelled',
  jobStatus: 'cancelled',
  pages: '63 of 204',
  credits: 63,
  jobId: exampleJob.id,
};

export const stories: readonly Story[] = [
  {
    externalId: exampleJob.externalId,
    partnerId: 'acme',
    what: 'cancelled at once',
    jobs: [exampleJob],
    cancels: [
      { title: 'Cancel a running job', status: 200, fields: cancelled, calls: { cancel: 1 } },
      { title: 'Cancel it again', status: 200, fields: cancelled, calls: {} },
    ],
  },
  {
    externalId: 'order-7891',
    partnerId: 'acme',
    what: 'still processing after the cancel',
    jobs: [{ ...running, id: slow, cancelTakes: HOUR_MS }],
    cancels: [
      {
        title: 'A job that is still processing',
        status: 202,
        fields: { state: 'open', jobStatus: 'processing', Location: `/v1/cancellations/${slow}` },
        calls: { cancel: 1 },
      },
    ],
  },
  {
    externalId: 'order-7892',
    partnerId: 'acme',
    what: 'completed before the cancel',
    jobs: [{ id: 'job_done00000000000000000007892', status: 'completed', pageCount: 12 }],
    cancels: [
      {
        title: 'A job that completed first',
        status: 409,
        fields: { code: 'job_already_terminal', jobStatus: 'completed', outcome: 'too_late' },
        calls: { cancel: 1, read: 1 },
      },
    ],
  },
  {
    externalId: 'order-7893',
    partnerId: 'acme',
    what: 'two live jobs: repeat the request with a "jobId"',
    jobs: [
      { ...running, id: firstTwin },
      { ...running, id: secondTwin },
    ],
    cancels: [
      {
        title: 'Two live jobs with one externalId',
        status: 409,
        fields: { code: 'ambiguous_external_id', candidates: `${secondTwin}, ${firstTwin}` },
        calls: { read: 2 },
      },
    ],
  },
  {
    externalId: 'order-7894',
    partnerId: 'acme',
    what: 'running: the event that "npm start" prints cancels it',
    jobs: [{ ...running, id: 'job_evnt00000000000000000007894' }],
    cancels: [],
  },
  {
    externalId: 'order-9001',
    partnerId: 'globex',
    what: 'belongs to globex',
    jobs: [{ ...running, id: 'job_glbx00000000000000000009001' }],
    cancels: [{ title: "Another partner's externalId", status: 404, fields: { code: 'job_not_found' }, calls: {} }],
  },
];

/** One line about a story: `409: completed before the cancel`. */
export function summarize({ what, cancels: [first] }: Story): string {
  return first === undefined ? what : `${first.status}: ${what}`;
}

/** A cancel whose end takes some seconds: the reconciler sees it through, or an event asks for it. */
export interface FollowUp {
  readonly title: string;
  /** What the demo waits for. */
  readonly pace: string;
  readonly externalId: string;
  readonly jobId: string;
  /** How the job behaves. */
  readonly fields: SimulatedJobFields;
  readonly by: 'request' | 'event';
  /** For how long Plangrep answers 503 about the job, from before the cancel. */
  readonly outageMs?: number;
  /** The kinds of event in the timeline, in the end. */
  readonly events: readonly string[];
  /** One read is the registration's. */
  readonly calls: Readonly<Record<'cancel' | 'read', number>>;
  /** Who takes some of the time, beside others. */
  readonly waitsFor: Party;
}

export const followUps: readonly FollowUp[] = [
  {
    title: 'A job that is still processing is polled until it is cancelled',
    pace: 'still processing: polled 5 s after its cancel was accepted',
    externalId: 'order-8001',
    jobId: 'job_demo0000000000000000008001',
    fields: { cancelTakes: 4_000, pagesPerSecond: 2 },
    by: 'request',
    events: ['requested', 'attempt_ended', 'closed'],
    calls: { cancel: 1, read: 2 },
    waitsFor: 'plangrep',
  },
  {
    title: 'Plangrep was down and is up again: the cancel is retried',
    pace: 'Plangrep is down for 1.5 s: retried after 2 s',
    externalId: 'order-8002',
    jobId: 'job_demo0000000000000000008002',
    fields: {},
    by: 'request',
    outageMs: 1_500,
    events: ['requested', 'attempt_ended', 'attempt_started', 'closed'],
    calls: { cancel: 2, read: 2 },
    waitsFor: 'us',
  },
  {
    title: 'A job that runs out of credits after its cancel is cancelled once someone has resumed it',
    pace: 'out of credits for 8 s, then resumed: polled until it is cancelled',
    externalId: 'order-8004',
    jobId: 'job_demo0000000000000000008004',
    fields: { cancelTakes: 6_000, pagesPerSecond: 2, creditsForPages: 9, resumesAfter: 8_000 },
    by: 'request',
    events: ['requested', 'attempt_ended', 'observed', 'closed'],
    calls: { cancel: 1, read: 3 },
    waitsFor: 'person',
  },
  {
    title: 'An event cancels like a request',
    pace: 'cancelled by an event',
    externalId: 'order-8003',
    jobId: 'job_demo0000000000000000008003',
    fields: {},
    by: 'event',
    events: ['requested', 'closed'],
    calls: { cancel: 1, read: 1 },
    waitsFor: 'plangrep',
  },
];

/** A job that the console adds: what Plangrep does when it is cancelled, and its fields there. */
export interface FreshJobKind {
  readonly plangrep: string;
  /** For each job under the externalId. `unknown`: only the directory has it, and it could not be cancelled for minutes. */
  readonly jobs: readonly (SimulatedJobFields | 'unknown')[];
}

const { processing, slow: slowToCancel, out_of_credits: outOfCredits, completed, unknown } = sandboxJobs;
const PAGES_LEFT = exampleJob.pageCount - exampleJob.successfulPageCount;

/** They behave as the sandbox's jobs do, plus two kinds that one jobId cannot express. */
export const freshJobKinds = {
  running: { plangrep: processing.plangrep, jobs: [processing.fields] },
  slow_to_cancel: { plangrep: slowToCancel.plangrep, jobs: [slowToCancel.fields] },
  out_of_credits: { plangrep: outOfCredits.plangrep, jobs: [outOfCredits.fields] },
  finishing: { plangrep: 'completes it in 4 s', jobs: [{ ...processing.fields, pagesPerSecond: PAGES_LEFT / 4 }] },
  completed: { plangrep: completed.plangrep, jobs: [completed.fields] },
  twins: { plangrep: 'has two running jobs under one externalId', jobs: [processing.fields, processing.fields] },
  crowd: {
    plangrep: 'has twenty running jobs under one externalId',
    jobs: Array.from({ length: 20 }, () => processing.fields),
  },
  unknown_to_plangrep: { plangrep: unknown.plangrep, jobs: ['unknown'] },
} as const satisfies Record<string, FreshJobKind>;
export type FreshJobKindId = keyof typeof freshJobKinds;
