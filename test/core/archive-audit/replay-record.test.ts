import { describe, expect, test } from 'vitest';
import { type ArchivedChange, replayRecord } from '../../../functions/core/archive-audit/replay-record.ts';

const at = '2026-11-26T12:00:00.000Z';
const due = JSON.stringify({ deleteAfter: Date.parse(at) / 1_000 });
const record = JSON.stringify({ a: 1 });
let sequence = 0;
const line = (change: ArchivedChange['change'], changed: Partial<ArchivedChange> = {}): ArchivedChange => ({
  sequence: String((sequence += 1)),
  at,
  change,
  record,
  object: 'o',
  line: 1,
  ...changed,
});
const codes = (changes: readonly ArchivedChange[]) => replayRecord(changes).findings.map(({ code }) => code);

describe('the changes of one record', () => {
  test('of which there is none say nothing', () => {
    expect(replayRecord([])).toEqual({ findings: [], lives: [], duplicates: 0, standing: 'unknown' });
  });

  test('make its life: written, erased, expired, and written again', () => {
    const life = [line('written'), line('erased')];
    expect(replayRecord(life)).toMatchObject({ findings: [], lives: [{ record, wasErased: true }], standing: 'there' });

    const expired = [line('written', { record: due }), line('expired', { record: due })];
    expect(replayRecord(expired)).toMatchObject({ findings: [], standing: 'gone' });
    expect(replayRecord([...expired, line('written')])).toMatchObject({
      findings: [],
      lives: [{ record: due }, { record }],
      standing: 'there',
    });
  });

  test('may be there twice, and then are the same', () => {
    const written = line('written');
    expect(replayRecord([written, { ...written, object: 'another' }])).toMatchObject({ findings: [], duplicates: 1 });
    const others = [{ record: '{}' }, { change: 'removed' }, { at: '2026-11-26T12:00:01.000Z' }] as const;
    for (const other of others) expect(codes([written, { ...written, ...other }])).toEqual(['contradicted']);
  });

  test('that this service never makes are found', () => {
    expect(codes([line('foreign')])).toEqual(['foreign']);
    expect(codes([line('written'), line('rewritten', { record: '{}' })])).toEqual(['rewritten']);
    expect(codes([line('written'), line('removed')])).toEqual(['removed']);
    expect(codes([line('silenced')])).toEqual(['silenced']);
    expect(codes([line('written'), line('silenced')])).toEqual(['silenced']);
    expect(codes([line('written'), line('expired')])).toEqual(['removed']);
    expect(
      codes([line('written', { record: due }), line('expired', { record: due, at: '2026-11-26T11:00:00.000Z' })]),
    ).toEqual(['removed']);
  });

  test('hold the first writing against every later change', () => {
    const written = line('written');
    expect(codes([written, line('written')])).toEqual(['contradicted']);
    expect(codes([line('foreign'), line('written')])).toEqual(['foreign', 'contradicted']);
    expect(codes([written, line('erased', { record: '{}' })])).toEqual(['contradicted']);
    expect(codes([line('foreign'), line('erased')])).toEqual(['foreign']);
    for (const change of ['erased', 'rewritten', 'removed'] as const)
      expect(codes([line(change)])).toContain('unwritten');
    expect(replayRecord([line('foreign')])).toMatchObject({ lives: [], standing: 'foreign' });
    expect(replayRecord([line('silenced')])).toMatchObject({ lives: [{ record }], standing: 'there' });
  });
});
