import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { createCancellationLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { type Item, toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import type { CancellationEvent, EventBody } from '../../functions/core/cancellation/events.ts';
import { eventKey } from '../../functions/core/cancellation/stream-key.ts';
import type { AccessKey } from '../../infra/local/aws/access-keys.ts';
import { startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import type { RequestCounts } from '../../infra/local/aws/table-calls.ts';
import { acme, documentedJob, jobId, order7890, retention } from './names.ts';
import { accepted, at, closed, ended, leaseUntil, requested, started, deleteAfter } from './stored-streams.ts';
import { tables } from '../../infra/blueprint/tables.ts';
import { committed } from './committed.ts';

/** A cancellation log on the embedded engine, written by the service's own adapter, and the means to tamper with it. */
export interface AuditedTable {
  readonly url: string;
  readonly accessKey: AccessKey;
  readonly name: string;
  readonly client: DynamoDBClient;
  counts(): RequestCounts;
  resetCounts(): void;
  /** Writes a stream of acme's and leaves it as the reconciler would: one wake-up, if it is open. */
  write(job: string, bodies: readonly EventBody[]): Promise<void>;
  take(job: string, seq: number): Promise<Item>;
  /** Puts an event elsewhere, whatever stands there. */
  put(item: Item, job: string, seq: number): Promise<unknown>;
  putItem(item: Item): Promise<unknown>;
  edit(job: string, seq: number, name: string, value: Item[string]): Promise<unknown>;
  remove(job: string, seq: number): Promise<unknown>;
  close(): Promise<void>;
}

const asked = committed({ door: 'https', requestId: 'r-2', externalId: order7890, reason: 'again' } as const);

/** Three streams (one long, one short and joined, one open) and a refused request. */
export const startAuditedTable = async (): Promise<AuditedTable> => {
  const dynamodb = await startLocalDynamoDb({ tables });
  const { client, url } = dynamodb;
  const TableName = dynamodb.tableNames.CancellationLog;
  const log = createCancellationLog(client, TableName);
  const Key = (job: string, seq: number): Item => toItem({ pk: `acme#${job}`, sk: eventKey(seq) });

  const write: AuditedTable['write'] = async (job, bodies) => {
    const name = { partnerId: acme, jobId: jobId(job) };
    let last: CancellationEvent | undefined;
    for (const [n, body] of bodies.entries()) {
      last = sealEvent(name, last, body, { eventId: `e-${n}`, at, keptDays: retention.events });
      await log.append(last, body.type === 'closed' ? undefined : leaseUntil);
    }
    for (let seq = 1; seq < bodies.length; seq += 1) await log.removeWakeUp({ ...name, seq, wakeAt: leaseUntil });
  };
  const putItem: AuditedTable['putItem'] = (item) => client.send(new PutItemCommand({ TableName, Item: item }));

  await write(documentedJob, [requested, ended(1), started(2), accepted(2), closed]);
  await write('job_short', [requested, closed]);
  await write('job_open', [requested, ended(1)]);
  await log.recordJoined({
    type: 'joined',
    partnerId: acme,
    jobId: jobId('job_short'),
    at: leaseUntil,
    deleteAfter,
    ...asked,
  });
  await log.recordRefused({ type: 'refused', partnerId: acme, why: 'job_not_found', at, deleteAfter, ...asked });
  return {
    url,
    accessKey: dynamodb.accessKey,
    name: TableName,
    client,
    counts: () => dynamodb.counts(),
    resetCounts: () => dynamodb.resetCounts(),
    write,
    take: async (job, seq) => {
      const { Item: item } = await client.send(new GetItemCommand({ TableName, Key: Key(job, seq) }));
      if (item === undefined) throw new Error(`there is no event ${seq} of ${job}`);
      return item;
    },
    put: (item, job, seq) => putItem({ ...item, ...Key(job, seq) }),
    putItem,
    edit: (job, seq, name, value) =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key: Key(job, seq),
          UpdateExpression: 'SET #name = :value',
          ExpressionAttributeNames: { '#name': name },
          ExpressionAttributeValues: { ':value': value },
        }),
      ),
    remove: (job, seq) => client.send(new DeleteItemCommand({ TableName, Key: Key(job, seq) })),
    close: () => dynamodb.close(),
  };
};
