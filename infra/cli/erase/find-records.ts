import { paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { fromItem, type Item, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import {
  isRefusedDayKey,
  JOINED_PREFIX,
  parseEventKey,
  parseStreamKey,
  type StreamName,
  streamKey,
} from '../../../functions/core/cancellation/stream-key.ts';
import {
  type ExternalId,
  type JobId,
  jobIdSchema,
  recordedExternalIdSchema,
  recordedReasonSchema,
} from '../../../functions/core/identifiers.ts';
import { CannotDo } from '../command.ts';
import type { Place } from '../places/place.ts';
import { count, printable, type Progress } from '../terminal.ts';
import type { ErasureTarget } from './erasure-target.ts';

/** What holds a partner's texts in the log. */
export type RecordKind = 'requested' | 'joined' | 'refused';

/** A record that has its texts. */
export interface FoundRecord {
  readonly kind: RecordKind;
  readonly partition: string;
  readonly key: string;
  /** Absent on a refused request, which is beside no stream. */
  readonly stream: StreamName | undefined;
  readonly externalId: ExternalId;
  readonly reason: string | undefined;
  /** That was asked for, or reached. */
  readonly jobId: JobId | undefined;
}

const textsSchema = z.object({
  pk: z.string(),
  sk: z.string(),
  externalId: recordedExternalIdSchema,
  reason: z.optional(recordedReasonSchema),
  jobId: z.optional(jobIdSchema),
});

/**
 * Every record of the log that has the target's texts, strongly consistent. No index holds a text, so for an externalId the
 * whole log is read: DynamoDB bills for all of it, and sends what matches.
 * @throws CannotDo (1) for a record that this service never writes
 */
export async function findRecords(
  place: Pick<Place, 'dynamodb' | 'table'>,
  target: ErasureTarget,
  progress: Progress,
): Promise<readonly FoundRecord[]> {
  const found: FoundRecord[] = [];
  let read = 0;
  const common = { TableName: await place.table('CancellationLog'), ConsistentRead: true } as const;
  for await (const { Items = [], ScannedCount = 0 } of pagesOf(place.dynamodb, common, target)) {
    read += ScannedCount;
    progress.show(`${count(read)} records read …`);
    found.push(...Items.map(toRecord));
  }
  progress.clear();
  return found;
}

function pagesOf(
  client: Place['dynamodb'],
  common: { TableName: string; ConsistentRead: true },
  target: ErasureTarget,
) {
  if (target.kind === 'job') {
    const query = {
      ...common,
      KeyConditionExpression: 'pk = :stream',
      FilterExpression: 'attribute_exists(externalId)',
      ExpressionAttributeValues: toItem({ ':stream': streamKey(target) }),
    };
    return paginateQuery({ client }, query);
  }
  const values = { ':partnerId': target.partnerId, ':externalId': target.externalId };
  const scan = {
    ...common,
    FilterExpression: 'partnerId = :partnerId AND externalId = :externalId',
    ExpressionAttributeValues: toItem(values),
  };
  return paginateScan({ client }, scan);
}

function toRecord(item: Item): FoundRecord {
  const { data } = textsSchema.safeParse(fromItem(item));
  const kind = data && kindOf(data.pk, data.sk);
  if (data !== undefined && kind !== undefined) {
    const { pk: partition, sk: key, externalId, reason, jobId } = data;
    return { kind, partition, key, stream: parseStreamKey(partition), externalId, reason, jobId };
  }
  const named = printable(`${item['pk']?.S} ${item['sk']?.S}`);
  throw new CannotDo(
    1,
    `The log has a record with such texts that this service never writes, ${named}: nothing was erased. See verify-audit.`,
  );
}

function kindOf(partition: string, key: string): RecordKind | undefined {
  if (isRefusedDayKey(partition)) return 'refused';
  if (parseStreamKey(partition) === undefined) return undefined;
  if (parseEventKey(key) !== undefined) return 'requested';
  return key.startsWith(JOINED_PREFIX) ? 'joined' : undefined;
}
