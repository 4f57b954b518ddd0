import { createReadableLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import type { Finding } from '../../../functions/core/audit/findings.ts';
import { BrokenStream } from '../../../functions/core/cancellation/state.ts';
import { type StreamName, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { type CancellationView, readCancellation } from '../../../functions/core/use-cases/read-cancellations.ts';
import { verifyPartition } from '../audit/verify-table.ts';
import { CannotDo } from '../command.ts';
import { readJobRecord } from '../jobs/job-records.ts';
import { opsCommand, readJobId, readPartner } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { tellStory } from './tell-story.ts';

/** A cancellation, and whether its records are what was written. */
export interface CheckedCancellation {
  /** Absent when the stream cannot be folded: the findings say why. */
  readonly view?: CancellationView | undefined;
  readonly findings: readonly Finding[];
}

/** @returns undefined when the log has nothing of it */
export async function readChecked(place: Place, name: StreamName): Promise<CheckedCancellation | undefined> {
  const table = await place.table('CancellationLog');
  const source = { client: place.dynamodb, table, place: place.where };
  const log = createReadableLog(place.dynamodb, table);
  const [view, verdict] = await Promise.all([
    readCancellation({ log }, name.partnerId, name.jobId).catch((cause: unknown) => {
      if (!(cause instanceof BrokenStream)) throw cause;
      return 'broken' as const;
    }),
    verifyPartition(source, streamKey(name)),
  ]);
  if (view === undefined && verdict.findings.length === 0) return undefined;
  return { view: view === 'broken' ? undefined : view, findings: verdict.findings };
}

/** For `--json`: the cancellation as it is stored, and what the verification found. */
export function toDocument({ partnerId, jobId }: StreamName, { view, findings }: CheckedCancellation) {
  return { partnerId, jobId, ...view, chain: { verified: findings.length === 0, findings } };
}

export function linesOf(name: StreamName, { view, findings }: CheckedCancellation, now: number): readonly string[] {
  if (view !== undefined) return tellStory(view, findings, now);
  return [
    `The stream of ${streamKey(name)} is broken: copy its items before you do anything else.`,
    ...findings.map(({ what }) => what),
  ];
}

export const showCancellation = opsCommand({
  name: 'cancellations show',
  summary: 'Shows one cancellation: its state, its events, who spent the time, and whether its hash chain holds.',
  argument: { hint: 'JOBID', what: "Plangrep's id of the job" },
  options: { partner: { hint: 'acme', what: "the partner's partnerId (default: the owner of the job)" } },
  async run({ place, terminal, values, argument, now }) {
    const jobId = readJobId('JOBID', argument);
    const partnerId = values.partner === undefined ? await ownerOf(place, jobId) : readPartner(values.partner);
    const name = { partnerId, jobId };
    const checked = await readChecked(place, name);
    if (checked === undefined) {
      throw new CannotDo(1, `${partnerId} has no cancellation of ${jobId} (${place.environment}).`);
    }
    terminal.show(toDocument(name, checked), linesOf(name, checked, now));
    return checked.findings.length === 0 ? 0 : 1;
  },
});

/** @throws CannotDo (1) when the job has none */
export async function ownerOf(place: Place, jobId: StreamName['jobId']): Promise<StreamName['partnerId']> {
  const { owner } = await readJobRecord(place, jobId);
  if (owner !== undefined) return owner.partnerId;
  throw new CannotDo(1, `${jobId} has no owner (${place.environment}): pass --partner, or see "npm run ops -- find".`);
}
