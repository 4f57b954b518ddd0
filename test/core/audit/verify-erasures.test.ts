import { describe, expect, test } from 'vitest';
import { eventKey } from '../../../functions/core/cancellation/stream-key.ts';
import { globex } from '../../support/names.ts';
import {
  closed,
  edited,
  ended,
  erasedRecord,
  erasedTexts,
  found,
  joinedRecord,
  refusedRecord,
  requested,
  storedStream,
  verify,
} from '../../support/stored-streams.ts';

const day = 'acme#refused#2026-11-23';

describe('texts that were erased', () => {
  const [first, ...others] = storedStream([requested, ended(1), closed]);
  if (first === undefined) throw new Error('a stream begins with an event');
  const joined = joinedRecord();
  const bare = [erasedTexts(first), ...others, erasedTexts(joined)];

  test('are no finding where an erasure on record names their records: every chain holds', () => {
    expect(verify([...bare, erasedRecord([first.key, joined.key])])).toMatchObject({
      findings: [],
      events: 3,
      joined: 1,
      erased: 2,
      erasures: [{ reasonCode: 'gdpr-17', records: 2 }],
    });
    const refused = refusedRecord();
    const erasure = erasedRecord([refused.key], { day: '2026-11-23' });
    expect(verify([erasedTexts(refused), erasure], day)).toMatchObject({ findings: [], refused: 1, erased: 1 });
  });

  test('are no finding when DynamoDB has deleted the records that an erasure names: what it names has an end, it has none', () => {
    expect(verify([erasedRecord([first.key, joined.key])])).toMatchObject({ findings: [], erased: 0 });
  });

  test('are found where no erasure names them', () => {
    expect(found(bare)).toEqual([`altered 1`, `altered ${joined.key}`]);
    expect(found([...bare, erasedRecord([first.key])])).toEqual([`altered ${joined.key}`]);
    expect(found([erasedTexts(refusedRecord())], day)).toEqual([`altered ${refusedRecord().key}`]);
  });

  test('are found where only the text or only the salt is gone', () => {
    const erasure = erasedRecord([first.key]);
    for (const name of ['externalId', 'externalIdSalt', 'reason', 'reasonSalt']) {
      expect(found([erasure, ...edited([first, ...others], 1, { [name]: undefined })])).toEqual(['altered 1']);
    }
  });

  test('are to be erased where an erasure names them, and they are still there', () => {
    expect(found([first, ...others, erasedRecord([first.key])])).toEqual(['unerased 1']);
    expect(found([first, ...others, joined, erasedRecord([joined.key])])).toEqual([`unerased ${joined.key}`]);
  });

  test('hide no other edit', () => {
    const erasure = erasedRecord([first.key, joined.key]);
    expect(found([erasure, ...edited(bare, 1, { requestId: 'r-9' })])).toEqual(['altered 1']);
    expect(found([erasure, ...edited(bare, 1, { externalIdCommitment: '0'.repeat(64) })])).toEqual(['altered 1']);
  });
});

describe('an erasure on record', () => {
  test.each([
    [{ records: 2 }, 'unreadable'],
    [{ reasonCode: 'because Ms Smith asked' }, 'unreadable'],
    [{ externalId: 'order-7890' }, 'unreadable'],
    [{ partnerId: globex }, 'foreign'],
    [{ part: 2 }, 'altered'],
  ])('that is not one of this service is found: %j', (fields, code) => {
    const record = erasedRecord([eventKey(1)], fields);
    const stream = storedStream([requested, closed]).map(erasedTexts);
    expect(found([record, ...stream])).toContain(`${code} ${record.key}`);
    expect(found([{ ...record, wakeAt: '2026-11-23T12:00:00.000Z' }, ...stream])).toContain(`unreadable ${record.key}`);
  });

  test('belongs to the stream or the day that it names', () => {
    const refused = refusedRecord();
    const bare = erasedTexts(refused);
    for (const fields of [{ day: '2026-11-24' }, { day: undefined }]) {
      const record = erasedRecord([refused.key], fields);
      expect(found([bare, record], day)).toEqual([`foreign ${record.key}`]);
    }
    expect(found([erasedRecord(['x'])], 'other')).toEqual([`foreign ${erasedRecord(['x']).key}`]);
  });
});
