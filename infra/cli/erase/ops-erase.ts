import { randomUUID } from 'node:crypto';
import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { erasedSchema } from '../../../functions/core/cancellation/erased.ts';
import { BrokenStream, foldEvents } from '../../../functions/core/cancellation/state.ts';
import { type JobId, recordedExternalIdSchema, toTimestamp } from '../../../functions/core/identifiers.ts';
import { CannotDo, readAs } from '../command.ts';
import { opsCommand, partnerOption, readJobId, readPartner } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { count, type Progress, table } from '../terminal.ts';
import { eraseTexts, type FoundTexts } from './erase-texts.ts';
import { type ErasureTarget, tracesOf } from './erasure-target.ts';
import { findRecords } from './find-records.ts';
import { findRows } from './find-rows.ts';
import { readWhoErases } from './who-erases.ts';

interface Found extends FoundTexts {
  /** Each job that loses its name, and how its cancellation stands. */
  readonly jobs: ReadonlyMap<JobId, JobStanding>;
}
type JobStanding = 'closed' | 'open' | 'broken' | 'no cancellation';

export const erase = opsCommand({
  name: 'erase',
  summary: "Erases a partner's texts for good: an externalId with the reasons given under it, or those of one job.",
  notes: `The events stay, their hashes hold, and an "erased" record says who erased what, when and why. The partner then sees the jobs as
never registered. An open cancellation must be closed first. What else may hold the texts for a time: docs/erasure.md. After a crash,
run it again: where nothing is left, it says so and exits 0. In AWS this needs the role plangrep-cancellation-<environment>-erase-texts.`,
  options: {
    partner: partnerOption,
    'external-id': { hint: 'X', what: 'everything under this externalId; it reads the whole log' },
    job: { hint: 'JOBID', what: "instead: the texts of this job's cancellation and registration" },
    'reason-code': { hint: 'CODE', what: 'why, for the record: gdpr-art-17, a ticket number; no text', required: true },
  },
  async run({ place, terminal, values, now }) {
    const target = readTarget(values);
    const reasonCode = readReasonCode(values['reason-code']);
    const { partnerId } = target;
    const found = await find(place, target, terminal.progress);
    refuseUnfinished(found, place);
    const erasure = { partnerId, at: toTimestamp(now), erasureId: randomUUID(), reasonCode };
    if (isNothing(found)) {
      terminal.show({ partnerId, ...summaryOf(found), complete: true }, [`Nothing to erase (${place.environment}).`]);
      return 0;
    }
    const by = await readWhoErases(place);
    if (!terminal.json) terminal.show({}, describe(found));
    await terminal.confirm(
      `Erase the texts of ${partnerId} from these (${place.environment})? They cannot be restored.`,
    );
    await eraseTexts(place, found, { ...erasure, by }, terminal.progress);
    const left = await find(place, target, terminal.progress);
    const complete = isNothing(left);
    const end = complete
      ? `Erased (${place.environment}), as erasure ${erasure.erasureId}. Nothing of it is left in the tables.`
      : `Erased, as erasure ${erasure.erasureId}. Requests came in meanwhile: run the command again.`;
    terminal.show({ ...erasure, by, ...summaryOf(found), complete }, [end]);
    return complete ? 0 : 1;
  },
});

/** @throws CannotDo (2) It goes on record for good, so it must not be a text about a person. */
function readReasonCode(value: string): string {
  if (erasedSchema.shape.reasonCode.safeParse(value).success) return value;
  throw new CannotDo(2, '--reason-code takes 1 to 64 of a-z, 0-9, - and _, and begins with a letter or a digit.');
}

function readTarget(values: {
  readonly partner: string;
  readonly 'external-id': string | undefined;
  readonly job: string | undefined;
}): ErasureTarget {
  const partnerId = readPartner(values.partner);
  const { job, 'external-id': externalId } = values;
  if (job !== undefined && externalId === undefined) return { kind: 'job', partnerId, jobId: readJobId('--job', job) };
  if (externalId !== undefined && job === undefined) {
    // As it is on record: also one from before U+FFFD was refused.
    return { kind: 'externalId', partnerId, externalId: readAs(recordedExternalIdSchema, '--external-id', externalId) };
  }
  throw new CannotDo(2, 'Pass either --external-id or --job.');
}

async function find(place: Place, target: ErasureTarget, progress: Progress): Promise<Found> {
  const records = await findRecords(place, target, progress);
  const traces = tracesOf(target, records, target.kind === 'job' ? [target.jobId] : []);
  const rows = await findRows(place, target, traces, progress);
  const named = new Set([...traces.jobs, ...rows.flatMap(({ jobId }) => jobId ?? [])]);
  const log = createCancellationLog(place.dynamodb, await place.table('CancellationLog'));
  const jobs = new Map<JobId, JobStanding>();
  for (const jobId of named) {
    progress.show(`${count(jobs.size)} of ${count(named.size)} jobs looked at …`);
    jobs.set(jobId, await standingOf(log.read(target.partnerId, jobId)));
  }
  progress.clear();
  return { records, rows, jobs };
}

async function standingOf(stream: ReturnType<ReturnType<typeof createCancellationLog>['read']>): Promise<JobStanding> {
  try {
    const state = foldEvents((await stream).events);
    if (state === undefined) return 'no cancellation';
    return state.step.kind === 'closed' ? 'closed' : 'open';
  } catch (error) {
    if (error instanceof BrokenStream) return 'broken';
    throw error;
  }
}

/** Somebody must see an open cancellation through, and a broken stream is evidence. @throws CannotDo (1) */
function refuseUnfinished({ jobs }: Found, { environment }: Place): void {
  const that = (standing: JobStanding) => [...jobs].filter(([, one]) => one === standing).map(([jobId]) => jobId);
  const [open, broken] = [that('open'), that('broken')];
  if (open.length > 0) {
    throw new CannotDo(
      1,
      `Not closed yet (${environment}): ${open.join(', ')}. Nothing was erased: repeat it once "cancellations open" does not show them.`,
    );
  }
  if (broken.length > 0) {
    throw new CannotDo(
      1,
      `The stream of ${broken.join(', ')} is broken (${environment}): nothing was erased. See "cancellations show".`,
    );
  }
}

function isNothing({ records, rows }: FoundTexts): boolean {
  return records.length === 0 && rows.length === 0;
}

const labels = {
  requested: 'requests that began a cancellation',
  joined: 'requests that joined one',
  refused: 'requests that reached no job',
  entry: 'registrations',
  owner: 'owners, which stay without the externalId',
  released: 'former owners, which stay without the externalId',
  refusal: 'refusals that the partner can list',
  binding: 'request keys (Idempotency-Key, event id)',
} as const;

function summaryOf({ records, rows, jobs }: Found) {
  const counts = Object.entries(Object.groupBy([...records, ...rows], ({ kind }) => kind));
  return {
    found: Object.fromEntries(counts.map(([kind, all]) => [kind, all.length])),
    jobs: [...jobs].map(([jobId, standing]) => ({ jobId, standing })),
  };
}

/** What goes, without a text. */
function describe(found: Found): readonly string[] {
  const { found: counts, jobs } = summaryOf(found);
  const rows = Object.entries(labels).flatMap(([kind, label]) =>
    counts[kind] === undefined ? [] : [[count(counts[kind]), label]],
  );
  return [
    ...table([], rows),
    '',
    ...table(
      ['JOB', 'CANCELLATION'],
      jobs.map(({ jobId, standing }) => [jobId, standing]),
    ),
  ];
}
