import { DeleteItemCommand, UpdateItemCommand, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { insertItem, type Table, toItem, write } from '../../../functions/adapters/dynamodb/table-client.ts';
import { erasableAttributes, FORMAT } from '../../../functions/core/cancellation/commitment.ts';
import { ERASED_AT_ONCE, type ErasedRecord } from '../../../functions/core/cancellation/erased.ts';
import { dayOfRefusals, erasedKey, partitionBeside } from '../../../functions/core/cancellation/stream-key.ts';
import type { PartnerId } from '../../../functions/core/identifiers.ts';
import type { Place } from '../places/place.ts';
import { count, type Progress } from '../terminal.ts';
import type { FoundRecord } from './find-records.ts';
import type { FoundRow, RowKind } from './find-rows.ts';

/** Who erases, when and why: on every `erased` record. */
export type Erasure = Pick<ErasedRecord, 'partnerId' | 'at' | 'erasureId' | 'by' | 'reasonCode'>;

export interface FoundTexts {
  readonly records: readonly FoundRecord[];
  readonly rows: readonly FoundRow[];
}

/**
 * Erases what was found. After a crash anywhere a repeat finds what is left by the same two arguments, and completes it:
 *
 * 1. The `erased` records: from here on verify-audit names the erasure as unfinished.
 * 2. The bindings, which only the records' texts and the directory's rows lead to, so both are still there.
 * 3. The texts, record by record: all that an attribute-by-attribute role may take from a record.
 * 4. The directory: owners, former owners and refusals, which are found by the text in them, and last the entries, by
 *    which a repeat knows the jobs.
 */
export async function eraseTexts(
  place: Pick<Place, 'dynamodb' | 'table'>,
  { records, rows }: FoundTexts,
  erasure: Erasure,
  progress: Progress,
): Promise<void> {
  const { dynamodb: client } = place;
  const log: Table = { client, name: await place.table('CancellationLog'), dependency: 'cancellation-log' };
  const directory: Table = { client, name: await place.table('JobDirectory'), dependency: 'job-directory' };
  for (const record of erasedRecordsOf(records, erasure)) {
    // A place that is taken has this very record: the SDK repeats a put whose answer was lost.
    await insertItem(log, { pk: partitionBeside(record), sk: erasedKey(record), ...record });
  }
  const rowsOf = (kind: RowKind) => rows.filter((row) => row.kind === kind);
  for (const row of rowsOf('binding')) await deleteRow(directory, row);
  for (const [n, record] of records.entries()) {
    progress.show(`${count(n)} of ${count(records.length)} records erased …`);
    await eraseRecord(log, record);
  }
  for (const row of [...rowsOf('owner'), ...rowsOf('released')]) await eraseOwner(directory, row, erasure.partnerId);
  for (const row of [...rowsOf('refusal'), ...rowsOf('entry')]) await deleteRow(directory, row);
  progress.clear();
}

/** Of each partition as many as it takes to name all of its records. */
function erasedRecordsOf(records: readonly FoundRecord[], erasure: Erasure): readonly ErasedRecord[] {
  const partitions = Map.groupBy(records, ({ partition }) => partition);
  return [...partitions.values()].flatMap((ofPartition) => {
    const [first] = ofPartition;
    if (first === undefined) return [];
    const { stream, partition } = first;
    const place = stream === undefined ? { day: dayOfRefusals(partition) } : { jobId: stream.jobId };
    const keys = ofPartition.map(({ key }) => key);
    return Array.from({ length: Math.ceil(keys.length / ERASED_AT_ONCE) }, (_, index): ErasedRecord => {
      const some = keys.slice(index * ERASED_AT_ONCE, (index + 1) * ERASED_AT_ONCE);
      return {
        type: 'erased',
        format: FORMAT,
        ...erasure,
        ...place,
        part: index + 1,
        records: some.length,
        keys: some,
      };
    });
  });
}

/** Where the condition does not hold, the text is gone already. */
async function eraseRecord(log: Table, { partition, key, externalId }: FoundRecord): Promise<void> {
  await update(log, {
    Key: toItem({ pk: partition, sk: key }),
    UpdateExpression: `REMOVE ${erasableAttributes.join(', ')}`,
    ConditionExpression: 'externalId = :externalId',
    ExpressionAttributeValues: toItem({ ':externalId': externalId }),
  });
}

/** The job stays taken, so that no other partner can claim it, and nothing matches it any more. */
async function eraseOwner(directory: Table, { key, externalId }: FoundRow, partnerId: PartnerId): Promise<void> {
  await update(directory, {
    Key: toItem(key),
    UpdateExpression: 'REMOVE externalId',
    ConditionExpression: 'partnerId = :partnerId AND externalId = :externalId',
    ExpressionAttributeValues: toItem({ ':partnerId': partnerId, ':externalId': externalId }),
  });
}

async function update({ client, name, dependency }: Table, input: Omit<UpdateItemCommandInput, 'TableName'>) {
  await write(dependency, () => client.send(new UpdateItemCommand({ TableName: name, ...input })));
}

async function deleteRow({ client, name, dependency }: Table, { key }: FoundRow): Promise<void> {
  await write(dependency, () => client.send(new DeleteItemCommand({ TableName: name, Key: toItem(key) })));
}
