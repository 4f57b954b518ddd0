import { describe, expect, test } from 'vitest';
import type { StoredRecord } from '../../../functions/core/audit/findings.ts';
import { createPartitionVerifier } from '../../../functions/core/audit/verify-partition.ts';
import { refusedDayKey, refusedKey } from '../../../functions/core/cancellation/stream-key.ts';
import { acme, type documentedJob } from '../../support/names.ts';
import {
  at,
  callbackRecord,
  closed,
  deleteAfter,
  escalated,
  found,
  refusedRecord,
  requested,
  SHARDS,
  storedStream,
  streamName,
  verify,
} from '../../support/stored-streams.ts';

const events = storedStream([requested, escalated, closed]);
const day = refusedDayKey({ partnerId: acme, at });
const refusalKey = refusedKey({ at, requestId: 'r-1' });
const later = '2026-11-23T12:05:00.000Z';
const nowMs = Date.parse(at);

const failed = { result: 'failed', why: 'timeout' } as const;
const due = { wakeShard: 'callbacks-2', wakeAt: later };
const kept = { wakeShard: 'kept#acme', wakeAt: at };
const ofRefusal = {
  jobId: undefined,
  day: at.slice(0, 10),
  about: refusalKey,
  notice: 'refused',
  webhookId: 'refused_1',
} as const;

test('attempts that agree with what they tell of are in order, and counted', () => {
  const ofEscalation = { about: 'event#000002', notice: 'escalated', webhookId: 'e-1' } as const;
  const records = [
    callbackRecord({ ...ofEscalation, ...failed, nextAt: later }),
    callbackRecord({ ...ofEscalation, ...failed, number: 2 }, kept),
    callbackRecord({ ...failed, nextAt: later }, due),
    ...events,
  ];

  expect(verify(records)).toMatchObject({ findings: [], events: 3, callbacks: 3 });
  expect(found([refusedRecord(), callbackRecord({ ...ofRefusal, ...failed, nextAt: later }, due)], day)).toEqual([]);
});

describe('found is', () => {
  test.each<[string, readonly StoredRecord[], string]>([
    [
      'an attempt with a field that this service does not write',
      [callbackRecord({ body: 'x' } as object)],
      'unreadable',
    ],
    ['one with a result that it does not write', [callbackRecord({ result: 'lost' as 'failed' })], 'unreadable'],
    ['one that is counted as if it were polled', [callbackRecord({}, { looks: 1 })], 'unreadable'],
    ['one that is dated as if it were polled', [callbackRecord({}, { lookedAt: at })], 'unreadable'],
    ['one of another job', [callbackRecord({ jobId: 'job_other' as typeof documentedJob })], 'foreign'],
    ['one under another number', [{ ...callbackRecord(), key: 'callback#event#000003#000002' }], 'altered'],
    ['one before which another is missing', [callbackRecord({ number: 2 })], 'missing'],
    [
      'one between which another is missing',
      [callbackRecord({ ...failed, nextAt: later }), callbackRecord({ number: 3 })],
      'missing',
    ],
    [
      'one that has another id than the one before',
      [callbackRecord({ ...failed, nextAt: later, webhookId: 'e-9' }), callbackRecord({ number: 2 })],
      'altered',
    ],
    [
      'one that is dated before the one before',
      [callbackRecord({ ...failed, nextAt: later, at: later }), callbackRecord({ number: 2 })],
      'out_of_place',
    ],
    ['one of an event that is not there', [callbackRecord({ about: 'event#000009' })], 'orphaned'],
    ['one of an event that closed nothing', [callbackRecord({ about: 'event#000001' })], 'altered'],
    ['one with another id than its event', [callbackRecord({ webhookId: 'e-9' })], 'altered'],
    [
      'one that expires at another time than its event',
      [callbackRecord({ deleteAfter: deleteAfter + 86_400 })],
      'altered',
    ],
    ['one that nothing would follow', [callbackRecord({ ...failed, nextAt: later })], 'truncated'],
    [
      'one that waits where nothing looks',
      [callbackRecord({ ...failed, nextAt: later }, { ...due, wakeShard: 'callbacks-9' })],
      'truncated',
    ],
    [
      'one that waits for years',
      [callbackRecord({ ...failed, nextAt: later }, { ...due, wakeAt: '2030-01-01T00:00:00.000Z' })],
      'truncated',
    ],
    [
      'one that waits for no time',
      [callbackRecord({ ...failed, nextAt: later }, { ...due, wakeAt: 'soon' })],
      'truncated',
    ],
    ['one that no replay would find', [callbackRecord({ result: 'paused', why: 'operator' })], 'truncated'],
    [
      'one that another partner’s replay would find',
      [callbackRecord(failed, { ...kept, wakeShard: 'kept#globex' })],
      'truncated',
    ],
  ])('%s', (_, attempts, code) => {
    const { findings } = verify([...attempts, ...events]);

    expect(findings.map((finding) => finding.code)).toEqual([code]);
    expect(findings[0]?.stream).toBe(streamName);
  });

  test('an attempt of a refused request that nothing would follow', () => {
    expect(found([refusedRecord(), callbackRecord({ ...ofRefusal, ...failed, nextAt: later })], day)).toHaveLength(1);
  });

  test('a record under the key of an attempt where this log has none', () => {
    expect(found([callbackRecord()], 'acme')).toHaveLength(1);
  });
});

describe('not found is', () => {
  test('a wake-up on an attempt that another follows: the next run removes it', () => {
    expect(
      verify([callbackRecord({ ...failed, nextAt: later }, due), callbackRecord({ number: 2 }), ...events]).findings,
    ).toEqual([]);
  });

  test('a gap among what has expired, or an event that DynamoDB deleted before its attempts', () => {
    const expiredMs = (deleteAfter + 1) * 1_000;

    expect(verify([callbackRecord({ ...failed, number: 2 }), ...events], undefined, expiredMs).findings).toEqual([]);
    expect(verify([callbackRecord()], undefined, expiredMs).findings).toEqual([]);
  });

  test('a wake-up that is not in the archive: it is not history', () => {
    const verifier = createPartitionVerifier(streamName, { shards: SHARDS, nowMs, isArchive: true });
    verifier.add(callbackRecord({ ...failed, nextAt: later }));
    for (const event of events) verifier.add({ key: event.key, fields: event.fields });

    expect(verifier.end().findings).toEqual([]);
  });
});
