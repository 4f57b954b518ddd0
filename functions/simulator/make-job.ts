import { randomBytes } from 'node:crypto';
import { endJob, timestampOf } from './advance-job.ts';
import {
  exampleJob,
  isTerminal,
  type JobRecord,
  ordinaryBehaviour,
  type SimulatedJob,
  type SimulatedJobFields,
  simulatedJobFieldsSchema,
} from './plangrep-jobs.ts';

const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;

/**
 * A record of a new job, or of a known one with some fields changed.
 * @param now milliseconds since 1970
 */
export function withFields(fields: SimulatedJobFields, now: number, known?: JobRecord): JobRecord {
  const parsed = simulatedJobFieldsSchema.parse(fields);
  const { cancelTakes, endsAs, pagesPerSecond, creditsPerPage, trouble, ...others } = parsed;
  const { creditsForPages, resumesAfter, vanishes, ...given } = others;
  const progress = { cancelTakes, endsAs, pagesPerSecond, creditsPerPage, creditsForPages, resumesAfter };
  const behaviour = defined({ ...progress, vanishes, trouble });
  const job: SimulatedJob = { ...(known?.job ?? createJob(now)), ...defined(given) };
  const record: JobRecord = {
    job,
    behaviour: { ...(known?.behaviour ?? ordinaryBehaviour), ...behaviour },
    counted: { pages: job.successfulPageCount ?? 0, at: now },
    cancelledAt: known && !isTerminal(known.job) ? known.cancelledAt : undefined,
    metAt: trouble === undefined ? known?.metAt : undefined,
    resumedAt: given.status === undefined ? known?.resumedAt : undefined,
    heldMs: known?.heldMs,
  };
  if (!isTerminal(job) || (known && isTerminal(known.job))) return record;
  endJob(record, job.status, now);
  return { ...record, job: { ...record.job, ...defined(given) } };
}

type Defined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** A copy without what is undefined, so that spreading it overwrites nothing by accident. */
function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const copy: Defined<Fields> = { ...fields };
  for (const name in copy) if (copy[name] === undefined) delete copy[name];
  return copy;
}

function createJob(now: number): SimulatedJob {
  return {
    ...exampleJob,
    id: `job_${randomBytes(13).toString('hex')}`,
    externalId: null,
    limits: { ...exampleJob.limits },
    pageCount: null,
    successfulPageCount: null,
    billing: { creditsDebited: 0 },
    files: [],
    createdAt: timestampOf(now),
    updatedAt: timestampOf(now),
    expiresAt: timestampOf(now + WEEK_MS),
  };
}
