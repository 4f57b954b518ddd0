import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod/mini';
import type { JobRecords } from '../../../functions/simulator/plangrep-calls.ts';
import {
  advance,
  isTerminal,
  type JobRecord,
  jobRecordSchema,
  type SimulatedJob,
  type SimulatedJobFields,
  withFields,
} from '../../../functions/simulator/plangrep-jobs.ts';
import { sandboxRecord } from '../../../functions/simulator/sandbox-jobs.ts';

const stateSchema = z.strictObject({
  /** Oldest first. */
  jobs: z.array(jobRecordSchema),
  /** Which job an `Idempotency-Key` made. */
  created: z.record(z.string(), z.string()),
});

export interface JobStore extends JobRecords {
  /** Adds a job, or changes the given fields of the one that has the id. */
  put(fields: SimulatedJobFields): SimulatedJob;
  /** The job as it is by now. */
  get(jobId: string): SimulatedJob | undefined;
  /** All jobs as they are by now, oldest first; of the sandbox's those alone that a call has changed. */
  all(): readonly SimulatedJob[];
  /** @returns the job that the key made before, if it did */
  create(fields: SimulatedJobFields, idempotencyKey?: string): { job: SimulatedJob; idempotent: boolean };
}

/**
 * The simulated jobs, in memory. Those of the sandbox (`functions/simulator/sandbox-jobs.ts`) are there by themselves.
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
