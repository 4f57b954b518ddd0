import * as z from 'zod/mini';
import type { CallKind, JobRecords } from '../../../functions/simulator/plangrep-calls.ts';
import { advance } from '../../../functions/simulator/advance-job.ts';
import { withFields } from '../../../functions/simulator/make-job.ts';
import {
  isTerminal,
  type JobRecord,
  jobRecordSchema,
  type SimulatedJob,
  type SimulatedJobFields,
} from '../../../functions/simulator/plangrep-jobs.ts';
import { sandboxRecord } from '../../../functions/simulator/sandbox-jobs.ts';
import { stateFile } from '../aws/store/state-file.ts';

const stateSchema = z.strictObject({
  /** Oldest first. */
  jobs: z.array(jobRecordSchema),
  /** The job that was created with an `Idempotency-Key`. */
  created: z.record(z.string(), z.string()),
});

export interface JobStore extends JobRecords {
  /** Adds a job, or changes the given fields of the job with that id. */
  put(fields: SimulatedJobFields): SimulatedJob;
  /** The job as it is now. */
  get(jobId: string): SimulatedJob | undefined;
  /** All jobs as they are now, oldest first. Of the sandbox's jobs only those that a call has changed. */
  all(): readonly SimulatedJob[];
  /** Creates a job, unless the key has created one before. */
  create(fields: SimulatedJobFields, idempotencyKey?: string): { job: SimulatedJob; idempotent: boolean };
}

/**
 * The simulated jobs, in memory. The sandbox's jobs (`functions/simulator/sandbox-jobs.ts`) exist without being added.
 * @param now milliseconds since 1970
 * @param statePath a JSON file that keeps the jobs over restarts
 * @throws when that file has other content
 */
export function createJobStore(now: () => number, statePath?: string): JobStore {
  const file = stateFile(statePath, stateSchema);
  const { jobs, created } = file.read() ?? { jobs: [], created: {} };
  const records = new Map<string, JobRecord>(jobs.map((record) => [record.job.id, record]));

  const save = (): void => file.write({ jobs: [...records.values()], created });
  const keep = (record: JobRecord): void => {
    records.set(record.job.id, record);
    save();
  };
  const current = (jobId: string): JobRecord | undefined => {
    const record = records.get(jobId);
    if (record === undefined) return sandboxRecord(jobId, now());
    if (isTerminal(record.job)) return record;
    advance(record, now());
    if (isTerminal(record.job)) save();
    return record;
  };
  const put = (fields: SimulatedJobFields): SimulatedJob => {
    const record = withFields(fields, now(), fields.id === undefined ? undefined : current(fields.id));
    keep(record);
    return structuredClone(record.job);
  };
  const get = (jobId: string): SimulatedJob | undefined => structuredClone(current(jobId)?.job);

  return {
    put,
    get,
    all: () => [...records.keys()].flatMap((jobId) => get(jobId) ?? []),
    find: (jobId) => structuredClone(current(jobId)),
    ofProject: (projectId) =>
      structuredClone([...records.values()].filter((record) => record.job.projectId === projectId)),
    keep: (record) => keep(structuredClone(record)),
    create(fields, idempotencyKey) {
      const known = idempotencyKey === undefined ? undefined : get(created[idempotencyKey] ?? '');
      if (known !== undefined) return { job: known, idempotent: true };
      const job = put(fields);
      if (idempotencyKey !== undefined) {
        created[idempotencyKey] = job.id;
        save();
      }
      return { job, idempotent: false };
    },
  };
}

/** A request that the simulator received. It has no header and no body, so it cannot hold the key. */
export interface JournalEntry {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly kind: CallKind;
  /** The job in the path. */
  readonly jobId?: string | undefined;
  readonly authorized: boolean;
  readonly bodyBytes: number;
  /** The kind of the fault that was played. */
  readonly fault?: string | undefined;
}

export interface Journal {
  /** Oldest first. */
  all(): readonly JournalEntry[];
  /** The number of requests of a kind, for one job or for all. */
  count(kind: CallKind, jobId?: string): number;
  clear(): void;
}

export function createJournal(): Journal & { add(entry: JournalEntry): void } {
  const entries: JournalEntry[] = [];
  return {
    add: (entry) => void entries.push(entry),
    all: () => [...entries],
    count: (kind, jobId) =>
      entries.filter((entry) => entry.kind === kind && (jobId === undefined || entry.jobId === jobId)).length,
    clear() {
      entries.length = 0;
    },
  };
}
