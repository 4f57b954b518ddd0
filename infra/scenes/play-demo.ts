import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { exampleJob } from '../../functions/simulator/plangrep-jobs.ts';
import type { AccessKey } from '../local/aws/access-keys.ts';
import { putEvent } from '../local/aws/events/event-bridge.ts';
import type { PlangrepSimulator } from '../local/plangrep/plangrep-simulator.ts';
import { type FollowUp, followUps, stories, type StoryCancel } from './stories.ts';

/** What the demo needs of a local run. */
export interface DemoRun {
  readonly baseUrl: string;
  readonly partners: readonly {
    readonly partnerId: string;
    readonly token: string;
    readonly eventSource: string;
    readonly aws: AccessKey;
  }[];
  readonly endpoints: { readonly eventbridge: string };
  readonly simulator: PlangrepSimulator;
}

/** One cancel of a story as it was played. */
export interface PlayedCancel {
  readonly title: string;
  readonly request: { readonly method: 'POST'; readonly path: string; readonly body: { readonly externalId: string } };
  readonly status: number;
  readonly fields: Readonly<Record<string, string | number>>;
  /** Calls that reached Plangrep meanwhile. */
  readonly calls: Readonly<Record<string, number>>;
  /** What differs from the story; empty when nothing does. */
  readonly differences: readonly string[];
}

/** One follow-up as it was played. */
export interface PlayedFollowUp {
  readonly title: string;
  readonly externalId: string;
  /** Each event of the timeline, with the seconds since the first. */
  readonly timeline: readonly { readonly afterSeconds: number; readonly what: string }[];
  readonly calls: FollowUp['calls'];
  /** Absent while it is open. */
  readonly figures?: z.infer<typeof figuresSchema> | undefined;
  readonly differences: readonly string[];
}

const path = '/v1/cancellations';
/** The longest follow-up takes 15 s. */
const PATIENCE_MS = 45_000;
const LOOK_EVERY_MS = 250;

/** Plays the cancels of all stories as `acme`, one after the other. */
export async function* playStories(run: DemoRun): AsyncGenerator<PlayedCancel> {
  for (const { externalId, cancels } of stories) {
    for (const cancel of cancels) yield await playCancel(run, externalId, cancel);
  }
}

async function playCancel(run: DemoRun, externalId: string, cancel: StoryCancel): Promise<PlayedCancel> {
  const { title, status, fields, calls } = cancel;
  run.simulator.requests.clear();
  const body = { externalId };
  const response = await call(run, 'POST', path, body);
  const found = digest(await response.json(), response.headers.get('Location'));
  const shown = Object.fromEntries(Object.keys(fields).map((name) => [name, String(found[name])]));
  const seen: Record<string, number> = {};
  for (const { kind } of run.simulator.requests.all()) seen[kind] = (seen[kind] ?? 0) + 1;
  return {
    title,
    request: { method: 'POST', path, body },
    status: response.status,
    fields: shown,
    calls: seen,
    differences: compare([
      ['status', response.status, status],
      ...Object.entries(fields).map(([name, value]) => [name, shown[name], value] as const),
      ['cancel calls', seen['cancel'] ?? 0, calls.cancel ?? 0],
      ['read calls', seen['read'] ?? 0, calls.read ?? 0],
    ]),
  };
}

function compare(rows: readonly (readonly [name: string, is: unknown, expected: unknown])[]): string[] {
  return rows
    .filter(([, is, expected]) => String(is) !== String(expected))
    .map(([name, is, expected]) => `${name} is ${String(is)}, expected ${String(expected)}`);
}

const fieldsSchema = z.record(z.string(), z.unknown());
const candidatesSchema = z.array(z.object({ jobId: z.string() }));

/** An answer flattened to the names that the stories use. */
function digest(body: unknown, location: string | null): Record<string, unknown> {
  const answer = fieldsSchema.parse(body);
  const fields = { ...fieldsSchema.safeParse(answer['cancellation']).data, ...answer };
  const candidates = candidatesSchema.safeParse(answer['candidates']).data ?? [];
  return {
    ...fields,
    pages: `${String(fields['successfulPageCount'])} of ${String(fields['pageCount'])}`,
    credits: fields['creditsDebited'],
    candidates: candidates.map(({ jobId }) => jobId).join(', '),
    Location: location,
  };
}

/** Plays the follow-ups side by side, and yields each as soon as its cancellation is closed. */
export async function* playFollowUps(run: DemoRun): AsyncGenerator<PlayedFollowUp> {
  const waiting = new Map(followUps.map((followUp) => [followUp, playFollowUp(run, followUp)]));
  while (waiting.size > 0) {
    const ends = [...waiting].map(([followUp, end]) => end.then((played) => ({ followUp, played })));
    const { followUp, played } = await Promise.race(ends);
    waiting.delete(followUp);
    yield played;
  }
}

async function playFollowUp(run: DemoRun, followUp: FollowUp): Promise<PlayedFollowUp> {
  const { title, externalId, jobId, events: expected, calls, waitsFor } = followUp;
  await begin(run, followUp);
  const cancellation = await untilClosed(run, jobId);
  const events = cancellation?.timeline ?? [];
  const first = Date.parse(events[0]?.at ?? '');
  const figures = figuresSchema.safeParse(cancellation).data;
  const [cancel, read] = [run.simulator.requests.count('cancel', jobId), run.simulator.requests.count('read', jobId)];
  return {
    title,
    externalId,
    timeline: events.map(({ at, type, result }) => ({
      afterSeconds: Math.round((Date.parse(at) - first) / 100) / 10,
      what: result === undefined ? type : `${type} (${result})`,
    })),
    calls: { cancel, read },
    figures,
    differences: compare([
      [`time spent by ${waitsFor}`, (figures?.spentMs[waitsFor] ?? 0) > 0, true],
      ['outcome', cancellation?.outcome, 'cancelled'],
      ['timeline', events.map(({ type }) => type).join(', '), expected.join(', ')],
      ['cancel calls', cancel, calls.cancel],
      ['read calls', read, calls.read],
    ]),
  };
}

/** Adds the job to the simulator, registers it through the door as a partner does, and asks for its cancel. */
async function begin(run: DemoRun, { externalId, jobId, fields, by, outageMs }: FollowUp): Promise<void> {
  const { projectId } = exampleJob;
  run.simulator.addJob({ id: jobId, externalId, projectId, status: 'processing', pageCount: 90, ...fields });
  await call(run, 'PUT', `/v1/jobs/${jobId}`, { externalId, projectId });
  if (outageMs !== undefined) run.simulator.faults.add({ on: 'any', jobId, kind: 'status', status: 503 });
  if (by === 'request') {
    await call(run, 'POST', path, { externalId });
  } else {
    const { aws, eventSource } = acmeOf(run);
    await putEvent(run.endpoints.eventbridge, aws, {
      Source: eventSource,
      DetailType: 'Job Cancellation Requested',
      Detail: JSON.stringify({ externalId }),
    });
  }
  if (outageMs === undefined) return;
  await sleep(outageMs);
  run.simulator.faults.clear();
}

const figuresSchema = z.object({
  ranMs: z.number(),
  spentMs: z.object({ us: z.number(), plangrep: z.number(), person: z.number() }),
  creditsDebitedMeanwhile: z.nullable(z.number()),
});
const cancellationSchema = z.looseObject({
  state: z.string(),
  outcome: z.nullable(z.string()),
  timeline: z.array(z.object({ at: z.string(), type: z.string(), result: z.optional(z.string()) })),
});

/** @returns the cancellation once it is closed, or as it is when the patience ends; undefined without one */
async function untilClosed(run: DemoRun, jobId: string) {
  const untilMs = Date.now() + PATIENCE_MS;
  let seen: z.infer<typeof cancellationSchema> | undefined;
  while (seen?.state !== 'closed' && Date.now() < untilMs) {
    await sleep(LOOK_EVERY_MS);
    const response = await call(run, 'GET', `${path}/${jobId}`);
    seen = cancellationSchema.safeParse(await response.json()).data;
  }
  return seen;
}

function acmeOf({ partners }: DemoRun): DemoRun['partners'][number] {
  const acme = partners.find(({ partnerId }) => partnerId === 'acme');
  if (acme === undefined) throw new Error('a local run has partners');
  return acme;
}

function call(run: DemoRun, method: 'GET' | 'POST' | 'PUT', to: string, body?: object): Promise<Response> {
  return fetch(run.baseUrl + to, {
    method,
    headers: { Authorization: `Bearer ${acmeOf(run).token}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}
