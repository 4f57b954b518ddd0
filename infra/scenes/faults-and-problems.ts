import type { ProblemCode } from '../../functions/contract/problems.ts';
import type { TablesFault } from '../local/aws/dynamodb.ts';
import type { GatewayFault } from '../local/aws/gateway/answer-request.ts';
import type { FaultInput } from '../local/plangrep/plangrep-faults.ts';
import type { FreshJobKindId } from './stories.ts';

/** Something that goes wrong at Plangrep or in this service, until the console switches it off. */
export interface Mood {
  readonly title: string;
  /** What happens to a cancel meanwhile. */
  readonly what: string;
  /** What a cancel of a running job gets meanwhile. */
  readonly answer: { readonly status: number; readonly code?: ProblemCode; readonly state?: 'open' };
  /** How Plangrep's simulator misbehaves. */
  readonly plangrep?: FaultInput;
  /** How a part of this service misbehaves. */
  readonly service?: GatewayFault | TablesFault;
  /** Every running job completes before any cancel. */
  readonly completesJobs?: boolean;
}

const open = { status: 202, state: 'open' } as const;

export const moods = {
  slow: {
    title: 'Plangrep is too slow',
    what: 'Plangrep cancels, but answers only after 8 s; the service waits 5 s. Its next look, 2 s later, finds the job cancelled.',
    answer: open,
    plangrep: { on: 'cancel', kind: 'late', delayMs: 8_000 },
  },
  server_errors: {
    title: 'Plangrep answers 503',
    what: 'The service retries until Plangrep is up again.',
    answer: open,
    plangrep: plangrepAnswers(503, 'unavailable', 'Down.'),
  },
  rate_limited: {
    title: 'Plangrep answers 429',
    what: "The service retries after Plangrep's Retry-After.",
    answer: open,
    plangrep: { ...plangrepAnswers(429, 'rate_limited', 'Slow down.'), headers: { 'Retry-After': '5' } },
  },
  key_revoked: {
    title: "Plangrep's key is revoked",
    what: "Never a 401, because it is not the caller's key. In AWS an alarm notifies the operators.",
    answer: open,
    plangrep: plangrepAnswers(401, 'unauthorized', 'The API key is missing, invalid, revoked or expired.'),
  },
  jobs_finish_first: {
    title: 'The job finishes first',
    what: 'Every running job has just completed. Add a fresh one afterwards.',
    answer: { status: 409, code: 'job_already_terminal' },
    completesJobs: true,
  },
  throttled: {
    title: 'Too many requests',
    what: 'The gateway lets one request through every 10 s.',
    answer: { status: 429, code: 'too_many_requests' },
    service: { kind: 'throttled', ratePerSecond: 0.1, burst: 1 },
  },
  tables_down: {
    title: 'DynamoDB is down',
    what: 'Nothing can be recorded, so nothing is promised.',
    answer: { status: 503, code: 'temporarily_unavailable' },
    service: { kind: 'tables_down' },
  },
  functions_crash: {
    title: 'The function crashes',
    what: 'The gateway answers in its place.',
    answer: { status: 500, code: 'internal_error' },
    service: { kind: 'functions_crash' },
  },
  functions_late: {
    title: 'The function answers too late',
    what: 'The gateway waits 1 s. The function begins after 3 s and still does its work.',
    answer: { status: 504, code: 'gateway_timeout' },
    service: { kind: 'functions_late', delayMs: 3_000, gatewayWaitsMs: 1_000 },
  },
} as const satisfies Record<string, Mood>;
export type MoodId = keyof typeof moods;

/** @returns whether there is a mood of this name */
export function isMoodId(id: string): id is MoodId {
  return Object.hasOwn(moods, id);
}

/** The answer and the reason: `503 temporarily_unavailable: Nothing can be recorded, so nothing is promised.` */
export function describeMood({ answer: { status, code }, what }: Mood): string {
  return `${status}${code === undefined ? '' : ` ${code}`}: ${what}`;
}

function plangrepAnswers(status: number, code: string, message: string) {
  return { on: 'any', kind: 'status', status, body: JSON.stringify({ code, message }) } as const;
}

/** What leads to a problem. Its status and code are the problem's own. */
export interface ProblemScene {
  readonly how: string;
  readonly mood?: MoodId;
  /** A fresh job, whose names replace `{externalId}` and `{jobId}` in the requests. */
  readonly job?: FreshJobKindId;
  /** @default partner */
  readonly as?: 'partner' | 'reader' | 'anonymous';
  /** `METHOD path`, body and headers; the last one meets the problem. */
  readonly requests: readonly (readonly [string, object?, Readonly<Record<string, string>>?])[];
}

const cancel = 'POST /v1/cancellations';
const theJob = { externalId: '{externalId}' };
const known = { externalId: 'order-7890' };
const onceOnly = { 'Idempotency-Key': '{jobId}' };

/** For every problem a way to meet it on a local run, with nothing but requests and moods. */
export const problemScenes: Readonly<Record<ProblemCode, ProblemScene>> = {
  invalid_request: { how: 'a field that does not exist', requests: [[cancel, { ...known, urgent: true }]] },
  unauthorized: { how: 'no credential', as: 'anonymous', requests: [[cancel, known]] },
  forbidden: { how: 'a credential that can only read', as: 'reader', requests: [[cancel, known]] },
  job_not_found: { how: 'an externalId without a registration', requests: [[cancel, { externalId: 'no-such-order' }]] },
  route_not_found: { how: 'a path without its version', requests: [['GET /cancellations']] },
  method_not_allowed: { how: 'a cancel sent with PUT', requests: [['PUT /v1/cancellations', known]] },
  ambiguous_external_id: { how: 'two live jobs with one externalId', job: 'twins', requests: [[cancel, theJob]] },
  job_already_terminal: { how: 'a job that completed before', job: 'completed', requests: [[cancel, theJob]] },
  job_unknown_to_plangrep: {
    how: 'a job that Plangrep has not known for minutes',
    job: 'unknown_to_plangrep',
    requests: [[cancel, theJob]],
  },
  job_registered_otherwise: {
    how: 'a job registered under a second externalId',
    job: 'running',
    requests: [['PUT /v1/jobs/{jobId}', { externalId: 'another-name' }]],
  },
  too_many_jobs: {
    how: 'a job registered under an externalId that twenty running jobs have',
    job: 'crowd',
    requests: [['PUT /v1/jobs/job_one_more', theJob]],
  },
  body_too_large: {
    how: 'a reason of 9,000 characters',
    requests: [[cancel, { ...known, reason: 'x'.repeat(9_000) }]],
  },
  unsupported_media_type: {
    how: 'a body sent as plain text',
    requests: [[cancel, known, { 'Content-Type': 'text/plain' }]],
  },
  idempotency_key_reused: {
    how: 'one key for two different requests',
    job: 'running',
    requests: [
      [cancel, { ...theJob, reason: 'the first' }, onceOnly],
      [cancel, { ...theJob, reason: 'the second' }, onceOnly],
    ],
  },
  too_many_requests: {
    how: 'two requests where the gateway lets one through',
    mood: 'throttled',
    requests: [['GET /v1/cancellations?externalId=order-7890'], ['GET /v1/cancellations?externalId=order-7890']],
  },
  internal_error: { how: 'a function that crashes', ...during('functions_crash') },
  temporarily_unavailable: { how: 'a DynamoDB that does not answer', ...during('tables_down') },
  gateway_timeout: { how: 'a function that answers too late', ...during('functions_late') },
};

function during(mood: MoodId): Pick<ProblemScene, 'mood' | 'job' | 'requests'> {
  return { mood, job: 'running', requests: [[cancel, theJob]] };
}
