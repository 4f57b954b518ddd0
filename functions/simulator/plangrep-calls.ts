import { advance, isBlocked } from './advance-job.ts';
import { isTerminal, type JobRecord, type SimulatedJob, type Trouble } from './plangrep-jobs.ts';

/** Which of Plangrep's calls a request is; `other` is none of them. */
export type CallKind = 'cancel' | 'read' | 'resume' | 'list' | 'create' | 'other';

/** A recognized request to Plangrep's jobs API. */
export interface Call {
  readonly kind: CallKind;
  /** The job or the project that the path names. */
  readonly id: string;
}

export interface SimulatedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Milliseconds until it is sent. */
  readonly delayMs?: number | undefined;
}

type Eventually<Value> = Value | Promise<Value>;

/** The store of the simulated jobs. Callers may change the records that it returns. */
export interface JobRecords {
  find(jobId: string): Eventually<JobRecord | undefined>;
  /** Of one project, oldest first. */
  ofProject(projectId: string): Eventually<readonly JobRecord[]>;
  /** Stores what a call changed in a record that was found: that the job was met, cancelled or resumed. */
  keep(record: JobRecord): Eventually<void>;
}

/** The answer to a call without a valid key, whatever it asks for. */
export const unauthorized = error(401, 'unauthorized', 'The API key is missing, invalid, revoked or expired.');
const noSuchJob = error(404, 'job_not_found', 'The job does not exist.');

const kinds: Readonly<Record<string, CallKind>> = {
  'POST jobs/cancel': 'cancel',
  'POST jobs/resume': 'resume',
  'GET jobs': 'read',
  'GET projects/jobs': 'list',
  'POST projects/jobs': 'create',
};

/** @param path without its query */
export function recognizeCall(method: string, path: string): Call {
  const [, collection, id = '', action = ''] = /^\/api\/open\/v1\/(jobs|projects)\/([^/]+)(\/\w+)?$/.exec(path) ?? [];
  const kind = kinds[`${method} ${collection}${action}`];
  return kind === undefined ? { kind: 'other', id: '' } : { kind, id };
}

/**
 * Does what an authorized call asks for, and answers as Plangrep's API reference says. It creates no jobs: where that is
 * possible, the caller handles it (`infra/local/plangrep/plangrep-simulator.ts`).
 * @param now milliseconds since 1970
 */
export async function perform(call: Call, records: JobRecords, now: number): Promise<SimulatedAnswer> {
  if (call.kind !== 'cancel' && call.kind !== 'read' && call.kind !== 'resume') return look(call, records, now);
  const record = await records.find(call.id);
  if (record === undefined || isGone(record, now)) return noSuchJob;
  advance(record, now);
  const { cancelledAt, metAt, resumedAt } = record;
  const trouble = meet(record, call.kind, now);
  const answer = trouble?.effect === 'none' ? jobAnswer(record.job) : act(call.kind, record, now);
  const isChanged = record.cancelledAt !== cancelledAt || record.metAt !== metAt || record.resumedAt !== resumedAt;
  if (isChanged) await records.keep(record);
  return trouble === undefined ? answer : withTrouble(answer, trouble);
}

function act(kind: 'cancel' | 'read' | 'resume', record: JobRecord, now: number): SimulatedAnswer {
  switch (kind) {
    case 'cancel':
      return cancel(record, now);
    case 'resume':
      return resume(record, now);
    case 'read':
      return jobAnswer(record.job);
  }
}

/** The answer to a call that has no effect: the present state. */
export async function look(call: Call, records: JobRecords, now: number): Promise<SimulatedAnswer> {
  switch (call.kind) {
    case 'cancel':
    case 'resume':
    case 'read': {
      const record = await records.find(call.id);
      return record === undefined || isGone(record, now) ? noSuchJob : jobAnswer(upToDate(record, now));
    }
    case 'list': {
      // Newest first; of two jobs created in one millisecond the one added later.
      const known = (await records.ofProject(call.id)).filter((record) => !isGone(record, now));
      const jobs = known.map((record) => upToDate(record, now));
      const newestFirst = jobs.toReversed().sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
      return { status: 200, body: { jobs: newestFirst } };
    }
    case 'create':
    case 'other':
      return error(404, 'not_found', 'This address does not exist.');
  }
}

export function error(status: number, code: string, message: string): SimulatedAnswer {
  return { status, body: { code, message } };
}

function jobAnswer(job: SimulatedJob): SimulatedAnswer {
  return { status: 200, body: { job } };
}

function upToDate(record: JobRecord, now: number): SimulatedJob {
  advance(record, now);
  return record.job;
}

/** Plangrep's Job, `expiresAt`: from then on a job may no longer be accessible. */
function isGone({ job, behaviour }: JobRecord, now: number): boolean {
  return behaviour.vanishes === true && now >= Date.parse(job.expiresAt);
}

function cancel(record: JobRecord, now: number): SimulatedAnswer {
  if (isTerminal(record.job)) return error(409, 'job_already_terminal', 'The job has already ended.');
  record.cancelledAt ??= now;
  advance(record, now);
  return jobAnswer(record.job);
}

/** The documentation says that a resumed job goes through `preflighting`: here that takes no time. */
function resume(record: JobRecord, now: number): SimulatedAnswer {
  if (!isBlocked(record)) return error(409, 'job_not_blocked', 'The job is not waiting for credits.');
  record.resumedAt = now;
  advance(record, now);
  return jobAnswer(record.job);
}

/** The trouble of a call about the job at this time. It begins with the first cancel: before, the job can be registered. */
function meet(record: JobRecord, kind: CallKind, now: number): Trouble | undefined {
  const { trouble } = record.behaviour;
  if (trouble === undefined) return undefined;
  if (kind === 'cancel') record.metAt ??= now;
  return record.metAt !== undefined && now < record.metAt + trouble.forMs ? trouble : undefined;
}

function withTrouble(answer: SimulatedAnswer, { status, retryAfter, delayMs }: Trouble): SimulatedAnswer {
  if (status === undefined) return { ...answer, delayMs };
  const code = status === 429 ? 'rate_limited' : 'simulated_trouble';
  return {
    ...error(status, code, 'The simulator is set up to answer with this error.'),
    delayMs,
    ...(retryAfter !== undefined && { headers: { 'Retry-After': String(retryAfter) } }),
  };
}
