import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { putEvent } from '../local/aws/events/put-event.ts';
import type { LocalRun } from '../local/local-run.ts';
import { exampleSeed } from '../local/seeds.ts';

/** A cancel that takes its time, and what it came to. */
export interface FollowedUp {
  readonly title: string;
  readonly externalId: string;
  /** Each event of the timeline, with the seconds since the first. */
  readonly timeline: readonly { readonly afterSeconds: number; readonly what: string }[];
  /** Calls that reached Plangrep for it. */
  readonly calls: Readonly<Record<'cancel' | 'read', number>>;
  /** What differs from the story; empty when nothing does. */
  readonly differences: readonly string[];
}

interface FollowUp {
  readonly title: string;
  /** What there is to wait for. */
  readonly pace: string;
  readonly externalId: string;
  readonly jobId: string;
  /** Plays the partner, and what Plangrep does to it. */
  readonly begin: (run: LocalRun, followUp: FollowUp) => Promise<void>;
  /** The kinds of event that the timeline shows in the end. */
  readonly types: readonly string[];
  readonly calls: FollowedUp['calls'];
}

/** Plangrep is polled 15 s after it accepted a cancel, at the earliest; a failed one is tried again after 10 to 12 s. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 250;
const OUTAGE_MS = 5_000;
const path = '/v1/cancellations';

const tokenOf = ({ partners }: LocalRun): string | undefined =>
  partners.find(({ partnerId }) => partnerId === 'acme')?.token;
const headersOf = (run: LocalRun): Record<string, string> => ({
  Authorization: `Bearer ${tokenOf(run)}`,
  'Content-Type': 'application/json',
});

/** A job in the simulator, registered through the door as a partner would. */
const addJob = async (run: LocalRun, { jobId, externalId }: FollowUp, fields: object): Promise<void> => {
  const { projectId } = exampleSeed.fields;
  run.simulator?.addJob({ id: jobId, externalId, projectId, status: 'processing', pageCount: 90, ...fields });
  const body = JSON.stringify({ externalId, projectId });
  await fetch(`${run.baseUrl}/v1/jobs/${jobId}`, { method: 'PUT', headers: headersOf(run), body });
};

const cancel = async (run: LocalRun, { externalId }: FollowUp): Promise<void> => {
  await fetch(run.baseUrl + path, { method: 'POST', headers: headersOf(run), body: JSON.stringify({ externalId }) });
};

const followUps: readonly FollowUp[] = [
  {
    title: 'One that is still processing is polled until it is cancelled',
    pace: 'still processing: polled 15 s after its cancel was accepted',
    externalId: 'order-8001',
    jobId: 'job_demo0000000000000000008001',
    begin: async (run, followUp) => {
      await addJob(run, followUp, { cancelTakes: 4_000 });
      await cancel(run, followUp);
    },
    types: ['requested', 'attempt_ended', 'closed'],
    calls: { cancel: 1, read: 1 },
  },
  {
    title: 'Plangrep was down and comes back: it is tried again',
    pace: `Plangrep is down for ${OUTAGE_MS / 1000} s: tried again after 10 to 12 s`,
    externalId: 'order-8002',
    jobId: 'job_demo0000000000000000008002',
    begin: async (run, followUp) => {
      await addJob(run, followUp, {});
      run.simulator?.faults.add({ on: 'any', jobId: followUp.jobId, kind: 'status', status: 503 });
      await cancel(run, followUp);
      await sleep(OUTAGE_MS);
      run.simulator?.faults.clear();
    },
    types: ['requested', 'attempt_ended', 'attempt_started', 'closed'],
    calls: { cancel: 2, read: 1 },
  },
  {
    title: 'An event cancels like a request',
    pace: 'cancelled by an event',
    externalId: 'order-8003',
    jobId: 'job_demo0000000000000000008003',
    begin: async (run, followUp) => {
      await addJob(run, followUp, {});
      const acme = run.partners.find(({ partnerId }) => partnerId === 'acme');
      await putEvent(run.endpoints.eventbridge, {
        Source: acme?.eventSource ?? '',
        DetailType: 'Job Cancellation Requested',
        Detail: JSON.stringify({ externalId: followUp.externalId }),
      });
    },
    types: ['requested', 'closed'],
    calls: { cancel: 1, read: 0 },
  },
];

const cancellationSchema = z.object({
  state: z.string(),
  outcome: z.nullable(z.string()),
  timeline: z.array(z.object({ at: z.string(), type: z.string(), result: z.optional(z.string()) })),
});
type Cancellation = z.infer<typeof cancellationSchema>;

/** Looks until the cancellation is closed, or patience ends. */
const watch = async (run: LocalRun, jobId: string): Promise<Cancellation | undefined> => {
  const until = Date.now() + PATIENCE_MS;
  let seen: Cancellation | undefined;
  while (seen?.state !== 'closed' && Date.now() < until) {
    await sleep(LOOK_EVERY_MS);
    const response = await fetch(`${run.baseUrl}${path}/${jobId}`, { headers: headersOf(run) });
    seen = cancellationSchema.safeParse(await response.json()).data;
  }
  return seen;
};

const follow = async (run: LocalRun, followUp: FollowUp): Promise<FollowedUp> => {
  const { title, externalId, jobId, begin, types, calls } = followUp;
  await begin(run, followUp);
  const cancellation = await watch(run, jobId);
  const events = cancellation?.timeline ?? [];
  const first = Date.parse(events[0]?.at ?? '');
  const count = (kind: 'cancel' | 'read') => run.simulator?.requests.count(kind, jobId) ?? 0;
  const pairs: [string, string, string][] = [
    ['outcome', String(cancellation?.outcome), 'cancelled'],
    ['timeline', events.map(({ type }) => type).join(', '), types.join(', ')],
    ['cancel calls', String(count('cancel')), String(calls.cancel)],
    ['read calls', String(count('read')), String(calls.read)],
  ];
  return {
    title,
    externalId,
    timeline: events.map(({ at, type, result }) => ({
      afterSeconds: Math.round((Date.parse(at) - first) / 100) / 10,
      what: result === undefined ? type : `${type} (${result})`,
    })),
    calls: { cancel: count('cancel'), read: count('read') },
    differences: pairs
      .filter(([, is, should]) => is !== should)
      .map(([name, is, should]) => `${name}: ${is}, not ${should}`),
  };
};

/** Who is waited for, and how long: to be shown before {@link tellFollowUps}. */
export const followUpPaces: readonly string[] = followUps.map(({ externalId, pace }) => `${externalId}  ${pace}`);

/** Tells the cancels that take their time, side by side, each as soon as it is closed. */
export async function* tellFollowUps(run: LocalRun): AsyncGenerator<FollowedUp> {
  const waiting = new Map(followUps.map((followUp) => [followUp, follow(run, followUp)]));
  while (waiting.size > 0) {
    const ends = [...waiting].map(([followUp, end]) => end.then((told) => ({ followUp, told })));
    const { followUp, told } = await Promise.race(ends);
    waiting.delete(followUp);
    yield told;
  }
}
