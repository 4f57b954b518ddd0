import type { CancelRequest } from '../../functions/core/cancel-request.ts';
import type { EventBody } from '../../functions/core/cancellation/events.ts';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import { type ExternalId, type JobId, type ProjectId, toTimestamp } from '../../functions/core/identifiers.ts';
import type { CancelAnswer, PlangrepJob, ReadAnswer } from '../../functions/core/plangrep.ts';
import type { WakeUp } from '../../functions/core/ports.ts';
import { reconcileCancellation } from '../../functions/core/use-cases/reconcile-cancellation.ts';
import { type CancelEnd, requestCancellation } from '../../functions/core/use-cases/request-cancellation.ts';
import { createMemoryPorts, type MemoryPorts } from './memory-ports.ts';
import { acme, cancelOrder7890, documentedJob, documentedProject, order7890, retention } from './names.ts';

/** What Plangrep answers: a job's status for short, a whole answer, or a function for an answer that depends on the call. */
type Scripted<Answer> = string | Answer | ((id: JobId) => Answer | Promise<Answer>);

/** What was before the step under test. Everything is acme's. */
export interface Before {
  /** Registered jobs. @default the documented job, a minute ago */
  readonly jobs?: readonly RegisteredJob[];
  /** The projects in acme's record. @default any */
  readonly projects?: readonly ProjectId[];
  /** The events that the documented job's cancellation has, newest last. @default no cancellation */
  readonly events?: readonly EventBody[];
  /** When the newest of these events is due again, in milliseconds after now. @default at once, if they leave it open */
  readonly dueInMs?: number;
  /** @default a cancel succeeds, and a read shows the job processing */
  readonly plangrep?: { readonly cancel?: Scripted<CancelAnswer>; readonly read?: Scripted<ReadAnswer> };
}

export interface RegisteredJob {
  readonly jobId: JobId;
  readonly externalId?: ExternalId;
  readonly msAgo?: number;
  /** Plangrep has not confirmed that the job is acme's. */
  readonly isUnverified?: boolean;
}

/** The core over ports in memory: what tests do (cancel, let time pass) and what they look at. */
export interface Scene {
  readonly ports: MemoryPorts;
  register(job: RegisteredJob): Promise<void>;
  /** Sets what Plangrep answers from now on. */
  plangrepAnswers(script: NonNullable<Before['plangrep']>): void;
  /** Reads show these jobs completed, and all others processing. */
  onlyTheseEnded(...ended: readonly string[]): void;
  /** acme's request to cancel order-7890, changed by `fields`. */
  cancel(fields?: Partial<CancelRequest>): Promise<CancelEnd>;
  /** Lets time pass, then runs the reconciler for every wake-up that is due. The list of calls to Plangrep starts anew. */
  reconcileAfter(ms: number): Promise<void>;
  /** The calls that reached Plangrep, as `cancel job_1`. */
  calls(): readonly string[];
  /** The types of a cancellation's events, oldest first. */
  eventTypes(id?: JobId): Promise<readonly string[]>;
  /** All wake-ups, by the number of their event. */
  wakeUps(): Promise<readonly WakeUp[]>;
  /** The codes that were reported, oldest first. */
  codes(): readonly string[];
}

/** Sets a scene for a test of the core. */
export async function given(before: Before = {}): Promise<Scene> {
  const ports = createMemoryPorts();
  const { log, clock, directory, plangrep } = ports;

  async function register(job: RegisteredJob): Promise<void> {
    const { jobId, externalId = order7890, msAgo = 60_000, isUnverified = false } = job;
    const registeredAt = toTimestamp(clock.now() - msAgo);
    const entry = { jobId, registeredAt, projectId: before.projects?.[0] };
    if (isUnverified) await directory.keepUnverified(acme, externalId, entry);
    else await directory.claim(acme, externalId, { ...entry, verifiedAt: registeredAt });
  }
  function plangrepAnswers({ cancel, read }: NonNullable<Before['plangrep']>): void {
    if (cancel !== undefined) plangrep.onCancel = playing(cancel);
    if (read !== undefined) plangrep.onRead = playing(read);
  }
  async function wakeUps(): Promise<readonly WakeUp[]> {
    const shards = await Promise.all(
      Array.from({ length: log.shards }, (_, shard) => log.wakeUps(shard, 99, () => false)),
    );
    return shards.flatMap(({ items }) => items).toSorted((a, b) => a.seq - b.seq);
  }
  async function due(): Promise<readonly WakeUp[]> {
    return (await wakeUps()).filter(({ wakeAt }) => Date.parse(wakeAt) <= clock.now());
  }

  for (const job of before.jobs ?? [{ jobId: documentedJob }]) await register(job);
  ports.access.set(
    acme,
    before.projects === undefined ? { kind: 'any' } : { kind: 'projects', projects: before.projects },
  );
  await appendAll(ports, before.events ?? [], before.dueInMs ?? 0);
  plangrepAnswers(before.plangrep ?? {});
  return {
    ports,
    register,
    plangrepAnswers,
    onlyTheseEnded: (...ended) =>
      plangrepAnswers({
        read: (id) => ({
          kind: 'job',
          job: { id, status: ended.includes(id) ? 'completed' : 'processing', projectId: documentedProject },
        }),
      }),
    cancel: (fields) => requestCancellation(ports, { ...cancelOrder7890, ...fields }),
    reconcileAfter: async (ms) => {
      clock.advance(ms);
      plangrep.calls.length = 0;
      for (let found = await due(); found.length > 0; found = await due()) {
        for (const wakeUp of found) await reconcileCancellation(ports, wakeUp, Number.MAX_VALUE);
      }
    },
    calls: () => plangrep.calls,
    eventTypes: async (id = documentedJob) => (await log.read(acme, id)).events.map(({ type }) => type),
    wakeUps,
    codes: () => ports.reported.map(({ code }) => code),
  };
}

/** Plangrep's answer that shows a job in this status. */
export function jobThatIs(status: string, fields: Partial<PlangrepJob> = {}) {
  return { kind: 'job', job: { id: documentedJob, status, projectId: documentedProject, ...fields } } as const;
}

function playing<Answer>(script: Scripted<Answer>): (id: JobId) => Answer | Promise<Answer | JobAnswer> | JobAnswer {
  if (typeof script === 'string') return (id) => jobThatIs(script, { id });
  return isFunction(script) ? script : () => script;
}
type JobAnswer = ReturnType<typeof jobThatIs>;

function isFunction<Answer>(script: Scripted<Answer>): script is (id: JobId) => Answer | Promise<Answer> {
  return typeof script === 'function';
}

/** As the service leaves it: a wake-up on the newest event alone, and none once the cancellation is closed. */
async function appendAll({ log, clock }: MemoryPorts, bodies: readonly EventBody[], dueInMs: number): Promise<void> {
  const name = { partnerId: acme, jobId: documentedJob };
  let last: ReturnType<typeof sealEvent> | undefined;
  for (const [index, body] of bodies.entries()) {
    last = sealEvent(name, last, body, {
      eventId: `given-${index}`,
      at: toTimestamp(clock.now()),
      keptDays: retention.events,
    });
    const isDue = index === bodies.length - 1 && body.type !== 'closed';
    await log.append(last, isDue ? toTimestamp(clock.now() + dueInMs) : undefined);
  }
}
