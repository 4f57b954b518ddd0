import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, test } from 'vitest';
import { cancellationListSchema, cancellationWithTimelineSchema } from '../../functions/contract/answers.ts';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import type { CancellationEvent, EventBody, JoinedRecord } from '../../functions/core/cancellation/events.ts';
import { eventKey, joinedKey, streamKey } from '../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { MAX_ANSWER_BYTES } from '../../functions/doors/http/present-cancellation.ts';
import { committed } from '../support/committed.ts';
import { givenService } from '../support/given-service.ts';
import { callAs } from '../support/local-run.ts';
import { acme, externalId, jobId, retention } from '../support/names.ts';
import { closed, ended, requested, started, deleteAfter } from '../support/stored-streams.ts';

// The longest cancellations that can come about, on the real engine, read through the real bundles. Every character of
// their texts takes four bytes. They are written past the doors, which would take minutes.

const service = givenService();
const name = externalId('𝒳'.repeat(180));
const reason = '😀'.repeat(500);
const request = { door: 'https', requestId: 'r'.repeat(128), keyId: 'k'.repeat(64), externalId: name, reason } as const;
const asked = committed(request);
const timeOf = (seconds: number): string => toTimestamp(Date.parse('2026-11-16T12:00:00.000Z') + seconds * 1000);
const longJobId = (of: string) => jobId(`job_${of}`.padEnd(128, '_'));

/** Seven days without Plangrep: an attempt every 300 s. */
const ATTEMPTS_OF_A_WEEK = (7 * 86_400) / 300;
/** By job: how many requests joined, and how many attempts were made. */
const jobs = {
  ...Object.fromEntries(Array.from({ length: 22 }, (_, n) => [`few_${n}`, { joined: 1, attempts: 1 }])),
  joined_1: { joined: 100, attempts: 1 },
  joined_2: { joined: 100, attempts: 40 },
  joined_3: { joined: 99, attempts: 1 },
  flood: { joined: 1_300, attempts: 1 },
  week: { joined: 100, attempts: ATTEMPTS_OF_A_WEEK },
};

async function writeAll(items: readonly object[]): Promise<void> {
  const { client, tableNames } = service.run.dynamodb;
  for (let from = 0; from < items.length; from += 25) {
    const puts = items.slice(from, from + 25).map((fields) => ({ PutRequest: { Item: toItem({ ...fields }) } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [tableNames.CancellationLog]: puts } }));
  }
}

async function writeStream(of: string, joined: number, attempts: number): Promise<void> {
  await service.run.addJob(name, longJobId(of));
  const stream = { partnerId: acme, jobId: longJobId(of) };
  const bodies: EventBody[] = [
    { ...requested, ...asked },
    { ...ended(1), jobStatus: '\u0001'.repeat(64) },
  ];
  for (let attempt = 2; attempt <= attempts; attempt += 1) {
    bodies.push(started(attempt), { ...ended(attempt), why: 'timeout', jobStatus: '\u0001'.repeat(64) });
  }
  const items: object[] = [];
  let last: CancellationEvent | undefined;
  for (const [n, body] of [...bodies, { ...closed, outcome: 'too_late', jobStatus: 'completed' } as const].entries()) {
    last = sealEvent(stream, last, body, { eventId: `e-${n}`, at: timeOf(150 * n), keptDays: retention.events });
    items.push({ pk: streamKey(stream), sk: eventKey(last.seq), ...last });
  }
  for (let n = 0; n < joined; n += 1) {
    const record: JoinedRecord = { type: 'joined', ...stream, deleteAfter, ...asked, at: timeOf(n) };
    items.push({ pk: streamKey(stream), sk: joinedKey(record), ...record });
  }
  await writeAll(items);
}

beforeAll(async () => {
  for (const [of, { joined, attempts }] of Object.entries(jobs)) await writeStream(of, joined, attempts);
}, 120_000);

async function get(path: string) {
  const { status, body, text } = await callAs(service.run, 'acme', `GET /v1/cancellations${path}`);
  expect(status).toBe(200);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
  return { body, bytes: Buffer.byteLength(text) };
}

describe('no answer has more than 256 KB', () => {
  test('a walk over the pages of an externalId shows every cancellation once, whole and as its own address does', async () => {
    const query = `?externalId=${encodeURIComponent(name)}`;
    const shown: string[] = [];
    const pages: number[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body, bytes } = await get(`${query}${cursor && `&cursor=${cursor}`}`);
      const page = cancellationListSchema.parse(body);
      for (const cancellation of page.cancellations) {
        shown.push(cancellation.jobId);
        const own = cancellationWithTimelineSchema.parse((await get(`/${cancellation.jobId}`)).body);
        expect(own).toEqual(cancellation);
      }
      pages.push(bytes);
      cursor = page.nextCursor;
    }

    expect(shown.toSorted()).toEqual(Object.keys(jobs).map(longJobId).toSorted());
    expect(Math.max(...pages)).toBeGreaterThan(0.9 * MAX_ANSWER_BYTES);
    expect(pages.length).toBeLessThan(12);
  });

  // One more joined request of the last one would be too many.
  test.each([
    { of: 'joined_1', joinedCount: 100, joined: 100, events: 3 },
    { of: 'joined_3', joinedCount: 99, joined: 99, events: 3 },
    { of: 'flood', joinedCount: 1_000, joined: 100, events: 3 },
    { of: 'week', joinedCount: 100, joined: 80, events: 200 },
  ])('$of: of $joinedCount joined requests $joined are shown, and $events events', async ({ of, ...expected }) => {
    const { body } = await get(`/${longJobId(of)}`);
    const { joinedCount, timeline } = cancellationWithTimelineSchema.parse(body);
    const joined = timeline.filter(({ type }) => type === 'joined').length;

    expect({ joinedCount, joined, events: timeline.length - joined }).toEqual(expected);
  });

  test('a cancel that finds the job ended has the cancellation without its timeline', async () => {
    const { text, status } = await callAs(service.run, 'acme', 'POST /v1/cancellations', {
      externalId: name,
      jobId: longJobId('week'),
      reason,
    });

    expect(status).toBe(409);
    expect(Buffer.byteLength(text)).toBeLessThan(4_000);
  });
});

test('a page costs two queries of the directory, and a flood of joined requests at most three more of the log', async () => {
  const { dynamodb } = service.run;
  const queriesOf = async (table: 'CancellationLog' | 'JobDirectory', path: string) => {
    dynamodb.resetCounts();
    await get(path);
    return dynamodb.counts()['Query']?.[dynamodb.tableNames[table]];
  };

  expect(await queriesOf('CancellationLog', `/${longJobId('few_1')}`)).toBe(2);
  expect(await queriesOf('CancellationLog', `/${longJobId('flood')}`)).toBeLessThanOrEqual(5);
  expect(await queriesOf('JobDirectory', `?externalId=${encodeURIComponent(name)}&limit=3`)).toBe(2);
});
