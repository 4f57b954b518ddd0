import { describe, expect, test } from 'vitest';
import { archivedLineSchema, archiveChange } from '../../../functions/core/archive/archived-line.ts';
import { type Change, type Image, isForgery, judgeChange } from '../../../functions/core/archive/judge-change.ts';
import { LONGEST_CALLBACK_DELAY_MS } from '../../../functions/core/callbacks/retry-schedule.ts';
import { LONGEST_WAKE_UP_DELAY_MS, WAKE_SHARDS } from '../../../functions/core/cancellation/pace.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import {
  at,
  callbackRecord,
  closed,
  erasedRecord,
  erasedTexts,
  joinedRecord,
  refusedRecord,
  requested,
  storedStream,
  streamName,
} from '../../support/stored-streams.ts';

const atMs = Date.parse(at);
const [begun, ended] = storedStream([requested, closed]);
if (begun === undefined || ended === undefined) throw new Error('two events');
const open: Image = { ...begun.fields, wakeShard: '3', wakeAt: at };

const changeOf = (before: Image | undefined, after: Image | undefined, more: Partial<Change> = {}): Change => ({
  partition: streamName,
  key: begun.key,
  sequence: '100000000000000000001',
  atMs,
  before,
  after,
  isExpiry: false,
  ...more,
});
const judge = (...change: Parameters<typeof changeOf>) => judgeChange(changeOf(...change));
const later = (ms: number) => ({ ...open, wakeAt: toTimestamp(atMs + ms) });

describe('a change of the log', () => {
  test('that this service makes', () => {
    for (const { fields } of [
      begun,
      ended,
      joinedRecord(),
      refusedRecord(),
      erasedRecord(['event#000001']),
      callbackRecord(),
    ]) {
      expect(judge(undefined, fields)).toBe('written');
    }
    expect(judge(undefined, open)).toBe('written');
    expect(judge(open, later(1_000))).toBe('scheduled');
    expect(judge(open, { ...later(LONGEST_WAKE_UP_DELAY_MS), looks: 2, lookedAt: at })).toBe('scheduled');
    expect(judge(open, begun.fields)).toBe('scheduled');
    expect(judge(begun.fields, erasedTexts(begun).fields)).toBe('erased');
    expect(judge({ ...begun.fields, deleteAfter: atMs / 1_000 }, undefined, { isExpiry: true })).toBe('expired');
  });

  test('of an attempt to deliver a callback, which is due at a time or kept', () => {
    const { fields } = callbackRecord({ result: 'failed', nextAt: at });
    const due = { ...fields, wakeShard: 'callbacks-0', wakeAt: at };

    expect(judge(undefined, due)).toBe('written');
    expect(judge(due, { ...due, wakeAt: toTimestamp(atMs + LONGEST_CALLBACK_DELAY_MS) })).toBe('scheduled');
    expect(judge(due, fields)).toBe('scheduled');
    expect(judge(undefined, { ...due, wakeShard: 'kept#acme' })).toBe('written');

    for (const [wakeShard, wakeAt] of [
      ['callbacks-4', at],
      ['callbacks-0', '2031-01-01T00:00:00.000Z'],
      ['callbacks-0', 'soon'],
      ['kept#globex', at],
      ['3', at],
      [undefined, at],
    ]) {
      expect(judge(due, { ...fields, wakeShard, wakeAt })).toBe('silenced');
    }
    expect(judge(open, { ...open, wakeShard: 'kept#acme' })).toBe('silenced');
  });

  test.each<[string, Image | undefined, Image | undefined, Partial<Change>]>([
    ['foreign', undefined, { type: 'requested' }, {}],
    ['foreign', undefined, { ...refusedRecord().fields, why: 'never' }, {}],
    ['foreign', undefined, {}, {}],
    ['rewritten', begun.fields, { ...begun.fields, keyId: 'other' }, {}],
    ['rewritten', begun.fields, { ...begun.fields, note: 'x' }, {}],
    ['rewritten', begun.fields, { ...erasedTexts(begun).fields, requestId: 'other' }, {}],
    ['rewritten', begun.fields, { ...begun.fields, reason: 'another reason' }, {}],
    ['rewritten', open, { ...erasedTexts(begun).fields, wakeShard: '3', wakeAt: later(1_000).wakeAt }, {}],
    ['removed', begun.fields, undefined, {}],
    ['removed', begun.fields, undefined, { isExpiry: true }],
    ['removed', undefined, undefined, { isExpiry: true }],
    ['removed', { ...begun.fields, deleteAfter: atMs / 1_000 + 3_600 }, undefined, { isExpiry: true }],
    ['removed', { ...begun.fields, deleteAfter: atMs / 1_000 }, undefined, {}],
    ['silenced', open, later(LONGEST_WAKE_UP_DELAY_MS + 120_000), {}],
    ['silenced', undefined, { ...open, wakeAt: '9999-12-31T23:59:59.999Z' }, {}],
    ['silenced', open, { ...open, wakeAt: 'never' }, {}],
    ['silenced', open, { ...open, wakeShard: String(WAKE_SHARDS) }, {}],
    ['silenced', open, { ...open, wakeShard: 'x' }, {}],
    ['silenced', open, { ...open, wakeShard: undefined }, {}],
    ['silenced', open, { ...open, wakeAt: undefined }, {}],
    ['rewritten', begun.fields, { ...begun.fields, ...JSON.parse('{"__proto__":{}}') }, {}],
  ])('that it never makes is %s', (kind, before, after, more) => {
    const judged = judge(before, after, more);
    expect(judged).toBe(kind);
    expect(isForgery(judged)).toBe(true);
    expect(isForgery('erased')).toBe(false);
  });
});

describe('a line of the archive', () => {
  test('has the record without its texts, their salts and its wake-up, and is the same whatever the order of its fields', () => {
    const { line = '' } = archiveChange(changeOf(undefined, open));
    const reversed = Object.fromEntries(Object.entries(open).toReversed());
    const read = archivedLineSchema.parse(JSON.parse(line));

    expect(archiveChange(changeOf(undefined, reversed)).line).toBe(line);
    expect(read).toMatchObject({ format: 1, at, change: 'written', partition: streamName, key: begun.key });
    expect(read.record).toEqual(erasedTexts(begun).fields);
    expect(line).not.toMatch(/order-7890|wrong plan|Salt|wake/);
  });

  test('has what was there, if the record is gone, and nothing is archived of a wake-up that moved', () => {
    expect(archiveChange(changeOf(open, later(1)))).toEqual({ kind: 'scheduled', line: undefined });
    const { line = '' } = archiveChange(changeOf(begun.fields, undefined));
    expect(JSON.parse(line)).toMatchObject({ change: 'removed', record: { type: 'requested' } });
    expect(JSON.parse(archiveChange(changeOf(undefined, undefined)).line ?? '')).toMatchObject({ record: {} });
  });
});
