import { paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { parseDue } from '../../../functions/adapters/dynamodb/callback-log.ts';
import { WAKE_UP_INDEX } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { toQueueMessage } from '../../../functions/adapters/sqs/callback-queue.ts';
import { newsOf } from '../../../functions/core/announcements.ts';
import {
  type CallbackMessage,
  messageAbout,
  type Replay,
  type Subject,
} from '../../../functions/core/callbacks/callback-message.ts';
import { dueShard, keptShard } from '../../../functions/core/callbacks/callback-shards.ts';
import { WAKE_SHARDS } from '../../../functions/core/cancellation/pace.ts';
import { streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import type { JobId, PartnerId, Timestamp } from '../../../functions/core/identifiers.ts';
import { CannotDo } from '../command.ts';
import type { Place } from '../places/place.ts';
import { count, type Progress } from '../terminal.ts';

/** So many messages are sent at the same time. */
const AT_ONCE = 10;

/** What is kept for a partner until it is replayed: what was paused, and what failed to the end. Eventually consistent. */
export async function findKept(place: Place, partnerId: PartnerId): Promise<readonly Subject[]> {
  return findIndexed(place, partnerId, [keptShard(partnerId)]);
}

/** What has failed, and waits for its next attempt. Eventually consistent. */
export async function findRetried(place: Place, partnerId: PartnerId): Promise<readonly Subject[]> {
  return findIndexed(
    place,
    partnerId,
    Array.from({ length: WAKE_SHARDS }, (_, part) => dueShard(part)),
  );
}

/** The longest waiting of each part first; each cancellation once. */
async function findIndexed(place: Place, partnerId: PartnerId, shards: readonly string[]): Promise<readonly Subject[]> {
  const found: Subject[] = [];
  for (const shard of shards) {
    const pages = paginateQuery(
      { client: place.dynamodb },
      {
        TableName: await place.table('CancellationLog'),
        IndexName: WAKE_UP_INDEX,
        KeyConditionExpression: 'wakeShard = :shard',
        ExpressionAttributeValues: toItem({ ':shard': shard }),
      },
    );
    for await (const { Items = [] } of pages) {
      for (const item of Items) {
        const subject = parseDue(fromItem(item))?.subject;
        if (subject?.partnerId === partnerId) found.push(subject);
      }
    }
  }
  return distinct(found);
}

function distinct(subjects: readonly Subject[]): readonly Subject[] {
  return [...new Map(subjects.map((subject) => [JSON.stringify(messageAbout(subject)), subject])).values()];
}

/** A job, if there is something to tell its partner: its cancellation has ended, or was escalated. */
export async function findOfJob(place: Place, partnerId: PartnerId, jobId: JobId): Promise<readonly Subject[]> {
  const pages = paginateQuery(
    { client: place.dynamodb },
    {
      TableName: await place.table('CancellationLog'),
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :stream',
      FilterExpression: '#type IN (:closed, :escalated)',
      ExpressionAttributeNames: { '#type': 'type' },
      ExpressionAttributeValues: toItem({
        ':stream': streamKey({ partnerId, jobId }),
        ':closed': 'closed',
        ':escalated': 'escalated',
      }),
    },
  );
  for await (const { Count = 0 } of pages) if (Count > 0) return [{ kind: 'job', partnerId, jobId }];
  return [];
}

/** Everything since a time that its partner was called back about, or should have been. It reads the whole log: no index has it. */
export async function findSince(
  place: Place,
  partnerId: PartnerId,
  since: Timestamp,
  progress: Progress,
): Promise<readonly Subject[]> {
  const pages = paginateScan(
    { client: place.dynamodb },
    {
      TableName: await place.table('CancellationLog'),
      ConsistentRead: true,
      FilterExpression: 'partnerId = :partner AND #at >= :since AND #type IN (:closed, :escalated, :refused)',
      ExpressionAttributeNames: { '#at': 'at', '#type': 'type' },
      ExpressionAttributeValues: toItem({
        ':partner': partnerId,
        ':since': since,
        ':closed': 'closed',
        ':escalated': 'escalated',
        ':refused': 'refused',
      }),
    },
  );
  const found: Subject[] = [];
  let read = 0;
  for await (const { Items = [], ScannedCount = 0 } of pages) {
    read += ScannedCount;
    progress.show(`${count(read)} records read …`);
    for (const item of Items) {
      const fields = Object.entries(fromItem(item)).map(([name, value]) => [name, String(value)] as const);
      const subject = newsOf(Object.fromEntries(fields), '')?.subject;
      if (subject !== undefined) found.push(subject);
    }
  }
  progress.clear();
  return distinct(found);
}

/** @throws CannotDo (2) where the place lacks the queue */
export async function sendMessage(place: Place, message: CallbackMessage): Promise<void> {
  const QueueUrl = await place.queueUrl('toDeliver');
  if (QueueUrl === undefined)
    throw new CannotDo(2, `The queue of callbacks is missing (${place.environment}): deploy the service stack.`);
  await place.sqs.send(new SendMessageCommand({ QueueUrl, ...toQueueMessage(message) }));
}

/** Asks for each to be delivered again. Interrupted, nothing is lost: run again, it asks for what is still kept. */
export async function replayEach(
  place: Place,
  subjects: readonly Subject[],
  replay: Replay,
  progress: Progress,
): Promise<void> {
  for (let sent = 0; sent < subjects.length; sent += AT_ONCE) {
    progress.show(`${count(sent)} of ${count(subjects.length)} sent …`);
    const batch = subjects.slice(sent, sent + AT_ONCE);
    await Promise.all(batch.map((subject) => sendMessage(place, messageAbout(subject, replay))));
  }
  progress.clear();
}
