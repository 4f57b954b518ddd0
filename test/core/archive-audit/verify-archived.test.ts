import { describe, expect, test } from 'vitest';
import { archivedRecord } from '../../../functions/core/archive/archived-line.ts';
import type { ArchivedChange } from '../../../functions/core/archive-audit/replay-record.ts';
import { createArchivedVerifier, type Known } from '../../../functions/core/archive-audit/verify-archived.ts';
import type { StoredRecord } from '../../../functions/core/audit/findings.ts';
import { eventKey } from '../../../functions/core/cancellation/stream-key.ts';
import {
  at,
  closed,
  ended,
  erasedRecord,
  joinedRecord,
  requested,
  storedStream,
  streamName,
} from '../../support/stored-streams.ts';

const [first, second, third] = storedStream([requested, ended(1), closed]) as [
  StoredRecord,
  StoredRecord,
  StoredRecord,
];
const stream = [first, second, third];
const atMs = Date.parse(at);

const textOf = ({ fields }: StoredRecord): string => JSON.stringify(archivedRecord(fields));
let sequence = 0;
const line = (stored: StoredRecord, changed: Partial<ArchivedChange> = {}): ArchivedChange => ({
  sequence: String((sequence += 1)),
  at,
  change: 'written',
  record: textOf(stored),
  object: 'o',
  line: 1,
  ...changed,
});

interface Side {
  readonly stored: StoredRecord;
  readonly sealed?: readonly ArchivedChange[];
  readonly unsealed?: readonly ArchivedChange[];
  readonly inTable?: string | undefined;
}
/** By default a record is sealed, and the table has it. */
const later = { nowMs: atMs + 3_600_000, sealedUntilMs: atMs + 3_600_000 };
const verify = (sides: readonly (StoredRecord | Side)[], table: typeof later | 'none' = later) => {
  const verifier = createArchivedVerifier(streamName, table === 'none' ? undefined : table);
  const all = sides.map((side) => ('stored' in side ? side : { stored: side, inTable: textOf(side) }));
  for (const side of all.toSorted((a, b) => (a.stored.key < b.stored.key ? -1 : 1))) {
    const known: Known = {
      sealed: side.sealed ?? [line(side.stored)],
      unsealed: side.unsealed ?? [],
      inTable: side.inTable,
    };
    verifier.add(side.stored.key, known);
  }
  return verifier.end();
};
const found = (...given: Parameters<typeof verify>): string[] =>
  verify(...given).findings.map((finding) =>
    `${finding.code} ${finding.record ?? ('seq' in finding ? finding.seq : '')}`.trim(),
  );
const gone = (stored: StoredRecord, side: Omit<Side, 'stored'> = {}): Side => ({ ...side, stored });

describe('a partition of the archive', () => {
  test('holds without texts and wake-ups, open or closed', () => {
    expect(found(stream)).toEqual([]);
    expect(found([first, second])).toEqual([]);
    expect(verify([...stream, joinedRecord()], 'none')).toMatchObject({
      findings: [],
      verdicts: [{ events: 3, joined: 1 }],
    });
  });

  test('has a finding for each break of a chain', () => {
    expect(found([first, third], 'none')).toEqual(['missing 2']);
    expect(found([first, { ...second, fields: { ...second.fields, result: 'refused' } }], 'none')).toEqual([
      'altered 2',
    ]);
  });

  test('that was used again after it had expired has two chains', () => {
    const again = storedStream([requested, closed]);
    const lives = (stored: StoredRecord, next?: StoredRecord) => {
      const withEnd = { ...stored, fields: { ...stored.fields, deleteAfter: atMs / 1_000 } };
      const sealed = [line(withEnd), line(withEnd, { change: 'expired' }), ...(next ? [line(next)] : [])];
      return gone(stored, { sealed, inTable: next && textOf(next) });
    };
    const verdict = verify([lives(first, again[0]), lives(second, again[1]), lives(third)]);
    expect(verdict.verdicts.map(({ events }) => events)).toEqual([3, 2]);
    // The hashes were made without the end that this test adds.
    expect(verdict.findings.every(({ code, ...rest }) => code === 'altered' && 'seq' in rest)).toBe(true);
  });

  test('accounts for texts that were erased', () => {
    const erased = gone(first, { sealed: [line(first), line(first, { change: 'erased' })], inTable: textOf(first) });
    expect(found([erased, second, third])).toEqual(['altered 1']);
    const verdict = verify([erasedRecord([first.key]), erased, second, third]);
    expect(verdict).toMatchObject({ findings: [], verdicts: [{ erased: 1 }] });
    // Whether an erasure is finished is the table's matter.
    expect(found([erasedRecord([first.key]), ...stream])).toEqual([]);
  });

  test('names what was found in a change, with its line', () => {
    const sealed = [line(third), line(third, { change: 'rewritten', object: 'records/1', line: 7 })];
    expect(verify([first, second, gone(third, { sealed, inTable: textOf(third) })]).findings).toMatchObject([
      { code: 'rewritten', object: 'records/1', line: 7, record: third.key },
    ]);
  });
});

describe('the table beside the archive', () => {
  test('is not held against it where there is none', () => {
    expect(found([gone(first), gone(second)], 'none')).toEqual([]);
  });

  test('has lost what the archive has', () => {
    expect(found(stream.map((stored) => gone(stored)))).toEqual(['deleted']);
    expect(found([first, gone(second), gone(third)])).toEqual([`cut_off ${eventKey(2)}`]);
    expect(found([gone(first), second, third])).toEqual([`deleted ${first.key}`]);
    expect(found([...stream, gone(joinedRecord())])).toEqual([`deleted ${joinedRecord().key}`]);
  });

  test('may lose a record whose time has passed', () => {
    const ending = (seconds: number) => {
      const stored = joinedRecord();
      const sealed = [line({ ...stored, fields: { ...stored.fields, deleteAfter: seconds } })];
      return verify([...stream, gone(stored, { sealed })]).findings.map(({ code }) => code);
    };
    expect(ending(atMs / 1_000)).not.toContain('deleted');
    expect(ending(atMs / 1_000 + 7_200)).toContain('deleted');
    const expiring = gone(joinedRecord(), { unsealed: [line(joinedRecord(), { change: 'expired' })] });
    expect(found([...stream, expiring])).toEqual([]);
  });

  test('has another record', () => {
    expect(found([first, second, gone(third, { inTable: '{}' })])).toEqual([`differs ${third.key}`]);
  });

  test('has a record more, which is judged once the archive is sealed beyond its time', () => {
    const extra = gone(third, { sealed: [], inTable: textOf(third) });
    expect(found([first, second, extra])).toEqual([`inserted ${third.key}`]);
    expect(verify([first, second, extra], { nowMs: atMs, sealedUntilMs: atMs })).toMatchObject({
      findings: [],
      waiting: 1,
    });
    expect(verify([first, second, { ...extra, unsealed: [line(third)] }])).toMatchObject({ findings: [], waiting: 1 });
    const future = { nowMs: atMs - 61_000, sealedUntilMs: atMs };
    expect(found([first, second, extra], future)).toEqual([`inserted ${third.key}`]);
    const undated = gone(third, { sealed: [], inTable: '{}' });
    expect(found([first, second, undated], { nowMs: atMs, sealedUntilMs: atMs })).toEqual([`inserted ${third.key}`]);
  });

  test('has again what the archive knows to be gone', () => {
    const sealed = [line(third), line(third, { change: 'removed' })];
    const back = gone(third, { sealed, inTable: textOf(third) });
    expect(found([first, second, back])).toEqual([`removed ${third.key}`, `inserted ${third.key}`]);
    expect(found([first, second, { ...back, inTable: undefined }])).toEqual([`removed ${third.key}`]);
  });

  test('is not blamed twice for what the archive names as foreign', () => {
    const sealed = [line(third, { change: 'foreign' })];
    expect(found([first, second, gone(third, { sealed, inTable: textOf(third) })])).toEqual([`foreign ${third.key}`]);
  });
});
