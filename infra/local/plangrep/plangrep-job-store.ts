import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod/mini';
import {
  advance,
  isTerminal,
  type JobRecord,
  jobRecordSchema,
  type SimulatedJob,
  type SimulatedJobFields,
  withFields,
} from './plangrep-jobs.ts';

const stateSchema = z.strictObject({
  /** Oldest first. */
  jobs: z.array(jobRecordSchema),
  /** Which job an `Idempotency-Key` made. */
  created: z.record(z.string(), z.string()),
});

export interface JobStore {
  /** Adds a job, or changes the given fields of the one that has the id. */
  put(fields: SimulatedJobFields): SimulatedJob;
  /** The job as it is by now. */
  get(jobId: string): SimulatedJob | undefined;
  /** All jobs as they are by now, oldest first. */
  all(): readonly SimulatedJob[];
  /** @returns the job, or `terminal` if it had ended before */
  cancel(jobId: string): SimulatedJob | 'terminal' | undefined;
  /** @returns the job that the key made before, if it did */
  create(fields: SimulatedJobFields, idempotencyKey?: string): { job: SimulatedJob; idempotent: boolean };
}

/**
 * The simulated jobs, in memory.
 * @param now milliseconds since 1970
 * @param statePath a JSON file that keeps them over restarts
 * @throws when that file is there but holds something else
 */
export const createJobStore = (now: () => number, statePath?: string): JobStore => {
  const { jobs: stored, created } = readState(statePath);
  const records = new Map<string, JobRecord>(stored.map((record) => [record.job.id, record]));

  const save = (): void => {
    if (statePath === undefined) return;
    mkdirSync(dirname(statePath), { recursive: true });
    // Written beside and moved over, so that a killed process leaves the old state or the new one.
    writeFileSync(`${statePath}.new`, JSON.stringify({ jobs: [...records.values()], created }, null, 2));
    renameSync(`${statePath}.new`, statePath);
  };
  const current = (jobId: string): JobRecord | undefined => {
    const record = records.get(jobId);
    if (!record || isTerminal(record.job)) return record;
    advance(record, now());
    if (isTerminal(record.job)) save();
    return record;
  };
  const put = (fields: SimulatedJobFields): SimulatedJob => {
    const record = withFields(fields, now(), fields.id === undefined ? undefined : current(fields.id));
    records.set(record.job.id, record);
    save();
    return structuredClone(record.job);
  };
  const get = (jobId: string): SimulatedJob | undefined => structuredClone(current(jobId)?.job);

  return {
    put,
    get,
    all: () => [...records.keys()].flatMap((jobId) => get(jobId) ?? []),
    cancel(jobId) {
      const record = current(jobId);
      if (record && isTerminal(record.job)) return 'terminal';
      if (record) {
        record.cancelledAt ??= now();
        advance(record, now());
        save();
      }
      return structuredClone(record?.job);
    },
    create(fields, idempotencyKey) {
      const known = idempotencyKey === undefined ? undefined : get(created[idempotencyKey] ?? '');
      if (known) return { job: known, idempotent: true };
      const job = put(fields);
      if (idempotencyKey !== undefined) {
        created[idempotencyKey] = job.id;
        save();
      }
      return { job, idempotent: false };
    },
  };
};

const readState = (statePath: string | undefined): z.infer<typeof stateSchema> => {
  const text = statePath === undefined ? undefined : readIfThere(statePath);
  return text === undefined ? { jobs: [], created: {} } : stateSchema.parse(JSON.parse(text));
};

const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};
