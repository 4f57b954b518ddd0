import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { WAKE_SHARDS } from '../../../functions/core/cancellation/pace.ts';
import {
  createPartitionVerifier,
  type PartitionVerifier,
  type Verdict,
} from '../../../functions/core/audit/verify-partition.ts';
import { tables } from '../../blueprint/tables.ts';
import { explainUnread, type LogTable, scanLog, toRecord } from './scan-log.ts';

/**
 * Verifies a cancellation log partition by partition, in the table's own order. Memory holds one page and one stream.
 *
 * A Scan is not a snapshot: a stream with a finding is read again by itself before the finding is reported, because the
 * service may have written to it meanwhile.
 * @throws CannotDo (2) when the table is not there, is not a cancellation log, or cannot be read
 */
export async function* verifyTable(source: LogTable): AsyncGenerator<Verdict> {
  let current: { readonly partition: string; readonly verifier: PartitionVerifier } | undefined;
  for await (const page of scanLog(source)) {
    for (const { partition, record } of page) {
      if (current?.partition !== partition) {
        if (current !== undefined) yield await confirm(source, current.partition, current.verifier.end());
        current = { partition, verifier: newVerifier(partition) };
      }
      current.verifier.add(record);
    }
  }
  if (current !== undefined) yield await confirm(source, current.partition, current.verifier.end());
}

function confirm(source: LogTable, partition: string, verdict: Verdict): Promise<Verdict> | Verdict {
  return verdict.findings.length === 0 ? verdict : verifyPartition(source, partition);
}

/** Verifies one partition: the stream of a cancellation with what is beside it, or a day of refused requests. */
export async function verifyPartition(source: LogTable, partition: string): Promise<Verdict> {
  const verifier = newVerifier(partition);
  const query = {
    TableName: source.table,
    ConsistentRead: true,
    KeyConditionExpression: '#partition = :partition',
    ExpressionAttributeNames: { '#partition': tables.CancellationLog.partitionKey },
    ExpressionAttributeValues: { ':partition': { S: partition } },
  };
  try {
    for await (const { Items = [] } of paginateQuery({ client: source.client }, query)) {
      for (const item of Items) verifier.add(toRecord(item));
    }
  } catch (cause) {
    throw explainUnread(source, cause);
  }
  return verifier.end();
}

function newVerifier(partition: string): PartitionVerifier {
  return createPartitionVerifier(partition, { shards: WAKE_SHARDS, nowMs: Date.now() });
}
