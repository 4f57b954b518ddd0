import { paginateScan } from '@aws-sdk/client-dynamodb';
import { bindingsPrefix, jobsKey, ownerKey, refusalsKey } from '../../../functions/adapters/dynamodb/directory-keys.ts';
import { type Fields, fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { type JobId, jobIdSchema } from '../../../functions/core/identifiers.ts';
import type { Place } from '../places/place.ts';
import { count, type Progress } from '../terminal.ts';
import type { ErasureTarget, Traces } from './erasure-target.ts';

/**
 * What holds a partner's texts, or a hash of them, in the job directory. `entry`: a registration; `owner`: the job's one
 * owner; `released`: that it was released; `refusal`: as its partner sees it; `binding`: of a request key.
 */
export type RowKind = 'binding' | 'owner' | 'released' | 'refusal' | 'entry';

export interface FoundRow {
  readonly kind: RowKind;
  readonly key: { readonly pk: string; readonly sk: string };
  /** The text of an owner, which stays without it. */
  readonly externalId: string | undefined;
  readonly jobId: JobId | undefined;
}

/**
 * Every row of the job directory that the target's texts are in or lead to. It reads the whole directory: former owners
 * and request keys cannot be looked up by a text. It is read again when it shows a job that nothing had led to, for that
 * job's request keys.
 * @param traces what the log's records lead to
 */
export async function findRows(
  place: Pick<Place, 'dynamodb' | 'table'>,
  target: ErasureTarget,
  traces: Traces,
  progress: Progress,
): Promise<readonly FoundRow[]> {
  const scan = {
    TableName: await place.table('JobDirectory'),
    ConsistentRead: true,
    FilterExpression: 'begins_with(pk, :own) OR partnerId = :partnerId',
    ExpressionAttributeValues: toItem({ ':own': `${target.partnerId}#`, ':partnerId': target.partnerId }),
  };
  for (let jobs = traces.jobs; ; ) {
    const rows: FoundRow[] = [];
    let read = 0;
    for await (const { Items = [], ScannedCount = 0 } of paginateScan({ client: place.dynamodb }, scan)) {
      read += ScannedCount;
      progress.show(`${count(read)} rows of the job directory read …`);
      rows.push(...Items.flatMap((item) => toRow(fromItem(item), target, { ...traces, jobs }) ?? []));
    }
    progress.clear();
    const named = new Set([...jobs, ...rows.flatMap(({ jobId }) => jobId ?? [])]);
    if (named.size === jobs.size) return rows;
    jobs = named;
  }
}

/** @returns undefined for a row that the erasure leaves alone */
function toRow(fields: Fields, target: ErasureTarget, traces: Traces): FoundRow | undefined {
  const { partnerId } = target;
  const [pk, sk] = [String(fields['pk']), String(fields['sk'])];
  const externalId = typeof fields['externalId'] === 'string' ? fields['externalId'] : undefined;
  const rowOf = (kind: RowKind, job?: unknown): FoundRow => {
    return { kind, key: { pk, sk }, externalId, jobId: jobIdSchema.safeParse(job).data };
  };
  if (sk === 'binding' && pk.startsWith(bindingsPrefix(partnerId))) {
    const jobId = jobIdSchema.safeParse(fields['jobId']).data;
    const isOfJob = jobId !== undefined && traces.jobs.has(jobId);
    // Of one job, what another job under the same externalId was asked for stays.
    const mayBeOf = target.kind === 'externalId' || jobId === undefined;
    const isOfText = mayBeOf && traces.fingerprints.has(String(fields['fingerprint']));
    return isOfJob || isOfText ? rowOf('binding', jobId) : undefined;
  }
  const owned = ownedJob(pk, sk);
  if (owned !== undefined && fields['partnerId'] === partnerId) {
    const isMeant = target.kind === 'job' ? owned === target.jobId : externalId === target.externalId;
    return isMeant && externalId !== undefined ? rowOf(sk === 'owner' ? 'owner' : 'released', owned) : undefined;
  }
  if (target.kind === 'job') {
    return sk === target.jobId && pk.startsWith(jobsKey(partnerId, '')) ? rowOf('entry', sk) : undefined;
  }
  if (pk === jobsKey(partnerId, target.externalId)) return rowOf('entry', sk);
  return pk === refusalsKey(partnerId, target.externalId) ? rowOf('refusal') : undefined;
}

/** The job of a present or former owner. A partner may be called `job`, but no jobId has a `#`. */
function ownedJob(pk: string, sk: string): JobId | undefined {
  if (sk !== 'owner' && !sk.startsWith('released#')) return undefined;
  const { data } = jobIdSchema.safeParse(pk.slice('job#'.length));
  return data !== undefined && pk === ownerKey(data).pk ? data : undefined;
}
