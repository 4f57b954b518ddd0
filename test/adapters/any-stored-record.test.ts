import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCallbackEndpoints, endpointKey } from '../../functions/adapters/dynamodb/callback-endpoints.ts';
import { createCallbackLog } from '../../functions/adapters/dynamodb/callback-log.ts';
import { createCancellationLog, createReadableLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { createJobDirectory, createPagedDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { createPartners, createReadPartnerKey } from '../../functions/adapters/dynamodb/partners.ts';
import { type Item, toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import { BrokenStream } from '../../functions/core/cancellation/state.ts';
import { callbackKey, eventKey, streamKey } from '../../functions/core/cancellation/stream-key.ts';
import { RecordUnreadable } from '../../functions/core/report.ts';
import { acme, documentedJob, documentedProject, order7890, retention } from '../support/names.ts';
import { committed } from '../support/committed.ts';
import { callbackRecord } from '../support/stored-streams.ts';

const at = '2026-11-23T12:00:00.000Z';
const canary = 'canary';
const name = { partnerId: acme, jobId: documentedJob };
const asked = committed({
  door: 'https',
  requestId: 'r',
  keyId: 'k',
  externalId: order7890,
  reason: 'wrong plan',
} as const);
const claim = { attempt: 1, claimedBy: 'me', leaseUntil: at };
const event = sealEvent(
  name,
  undefined,
  { type: 'requested', ...asked, ...claim },
  { eventId: 'e', at, keptDays: retention.events },
);

/** Every kind of value that an attribute may have, with what JavaScript or a Date cannot hold among them. */
const anyValue = fc.oneof<fc.Arbitrary<AttributeValue>[]>(
  fc.string().map((S) => ({ S })),
  fc.constantFrom('', canary, '../x', '2026-02-30T12:00:00.000Z', '+010000-01-01T00:00:00.000Z').map((S) => ({ S })),
  fc.constantFrom('0', '-1', '1.5', '1e125', '99999999999999999999', '253402300800', '-1e15').map((N) => ({ N })),
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.constant({ NULL: true as const }),
  fc.constant({ B: new Uint8Array([255, 254]) }),
  fc.constant({ SS: [canary, 'jobs:write'] }),
  fc.constant({ NS: ['1', '99999999999999999999'] }),
  fc.constant({ L: [{ S: canary }, { N: '99999999999999999999' }] }),
  fc.constant({ M: { constructor: { S: canary }, __proto__x: { NULL: true as const } } }),
);

/** A record of which any attributes but the keys, which the table holds to text, are changed, gone or new. */
function spoilt(fields: Record<string, unknown>): fc.Arbitrary<Item> {
  const item = toItem(fields);
  const names = Object.keys(item).filter((one) => one !== 'pk' && one !== 'sk');
  const changes = fc.dictionary(fc.constantFrom(...names, 'more', 'toString'), fc.option(anyValue, { nil: undefined }));
  return changes.map((changed) => {
    const all = Object.entries({ ...item, ...changed });
    return Object.fromEntries(all.filter((entry): entry is [string, AttributeValue] => entry[1] !== undefined));
  });
}

/** A table in which every read finds this item. */
const tableWith = (item: Item) => ({ send: async () => ({ Item: item, Items: [item] }) }) as unknown as DynamoDBClient;

const holds = async (fields: Record<string, unknown>, judge: (client: DynamoDBClient) => Promise<void>) => {
  const property = fc.asyncProperty(spoilt(fields), (item) => judge(tableWith(item)));
  await fc.assert(property, { numRuns: 1_000 });
};
const one = ({ items, unreadable }: { readonly items: readonly unknown[]; readonly unreadable: readonly string[] }) => {
  expect(items.length + unreadable.length).toBe(1);
  expect(unreadable.join()).not.toContain(canary);
};
/** It reads a value, or throws an error of this class, which says nothing of the values. */
const orThrows = async (read: Promise<unknown>, kind: abstract new (...args: never[]) => Error): Promise<void> => {
  const error = await read.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error === undefined) return;
  expect(error).toBeInstanceOf(kind);
  expect(error instanceof Error ? error.message : canary).not.toContain(canary);
};

describe('whatever a stored record holds', () => {
  const entry = {
    registeredAt: at,
    projectId: documentedProject,
    verifiedAt: at,
    listed: true,
    terminalStatus: 'failed',
  };

  test('a directory entry is read or named', async () => {
    const fields = { pk: `acme#job#${order7890}`, sk: documentedJob, ...entry, expiresAt: 1, absentAt: at };
    await holds(fields, async (client) => {
      const directory = createPagedDirectory(client, 't');
      one(await directory.find(acme, order7890));
      one(await directory.findPage(acme, order7890, { limit: 1 }));
    });
  });

  test('a wake-up is read or named', async () => {
    const fields = { pk: streamKey(name), sk: eventKey(1), wakeShard: '0', wakeAt: at };
    await holds(fields, async (client) => one(await createCancellationLog(client, 't').wakeUps(0, 50, () => false)));
  });

  test('a request that joined is read or named', async () => {
    const fields = { pk: streamKey(name), sk: `joined#${at}#r`, type: 'joined', ...name, at, ...asked };
    await holds(fields, async (client) =>
      one(await createReadableLog(client, 't').readJoined(acme, documentedJob, { shown: 9, counted: 9 })),
    );
  });

  test('an event is read, or its stream is broken', async () => {
    const fields = { pk: streamKey(name), sk: eventKey(1), ...event, wakeShard: '0', wakeAt: at };
    await holds(fields, (client) =>
      orThrows(createCancellationLog(client, 't').read(acme, documentedJob), BrokenStream),
    );
  });

  test('an attempt to deliver a callback is read, or unreadable, and is due at a time or not at all', async () => {
    const { fields: attempt } = callbackRecord({ result: 'failed', why: 'http_status', httpStatus: 503, nextAt: at });
    const sk = callbackKey({ about: 'event#000003', number: 1 });
    const fields = { pk: streamKey(name), sk, ...attempt, replayId: 'r', wakeShard: 'callbacks-0', wakeAt: at };
    await holds(fields, async (client) => {
      const log = createCallbackLog(client, 't');
      await orThrows(log.readJob(name), RecordUnreadable);
      for (const { subject, wakeAt } of await log.due(0, at, 9)) {
        expect(subject).toEqual({ kind: 'job', ...name });
        expect(new Date(wakeAt).toISOString()).toBe(wakeAt);
      }
    });
  });

  test('where callbacks go is read, or unreadable', async () => {
    const test1 = { id: 'test-1', at, isDelivered: false, why: 'timeout' };
    const paused = { pausedAt: at, pausedWhy: 'gone' };
    const fields = { ...endpointKey(acme), url: 'https://partner.example/', version: 2, previousUntil: at, ...paused };
    await holds({ ...fields, test: test1 }, (client) =>
      orThrows(createCallbackEndpoints(client, 't').read(acme), RecordUnreadable),
    );
  });

  test('a binding, an owner, a partner and a key are read, or unreadable', async () => {
    const binding = { pk: 'b', sk: 'binding', fingerprint: 'f', firstSeenAt: at, jobId: documentedJob };
    await holds(binding, (client) =>
      orThrows(createJobDirectory(client, 't').readBinding(acme, 'k'), RecordUnreadable),
    );
    const owner = { pk: `job#${documentedJob}`, sk: 'owner', partnerId: acme, externalId: order7890, ...entry };
    await holds(owner, (client) =>
      orThrows(createJobDirectory(client, 't').readOwner(documentedJob), RecordUnreadable),
    );
    const clock = { now: () => 0 };
    await holds({ pk: 'partner#acme', projects: [documentedProject] }, (client) =>
      orThrows(createPartners(client, 't', clock).accessOf(acme), RecordUnreadable),
    );
    const key = {
      pk: 'key#k',
      partnerId: acme,
      secretHash: 'a'.repeat(64),
      scopes: new Set(['jobs:write']),
      expiresAt: at,
    };
    await holds(key, (client) => orThrows(createReadPartnerKey(client, 't')('k'), RecordUnreadable));
  });
});
