import { describe, expect, test } from 'vitest';
import { archiveChanges } from '../../../functions/core/archive/archive-changes.ts';
import { archivedLineSchema } from '../../../functions/core/archive/archived-line.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import type { Change } from '../../../functions/core/archive/judge-change.ts';
import { DependencyUnavailable } from '../../../functions/core/report.ts';
import { givenArchive } from '../../support/given-archive.ts';
import {
  at,
  closed,
  erasedTexts,
  refusedRecord,
  requested,
  storedStream,
  streamName,
} from '../../support/stored-streams.ts';

const [begun, ended] = storedStream([requested, closed]);
if (begun === undefined || ended === undefined) throw new Error('two events');

function changeOf(number: number, fields: Change['after'], more: Partial<Change> = {}): Change {
  const sequence = `10000000000000000000${number}`;
  const place = { partition: streamName, key: `event#00000${number}`, sequence, atMs: Date.parse(at) };
  return { ...place, before: undefined, after: fields, isExpiry: false, ...more };
}
const written = [changeOf(1, begun.fields), changeOf(2, ended.fields)];
const day = at.slice(0, 10);
const nameOf = (first: number, last: number) =>
  `records/day=${day}/10000000000000000000${first}-10000000000000000000${last}.ndjson`;

describe('a batch of changes', () => {
  test('is one object with a line for each, in their order', async () => {
    const { ports, names, text, reports } = await givenArchive();

    expect(await archiveChanges(ports, written)).toEqual({ kind: 'archived', lines: 2 });

    expect(await names('')).toEqual([nameOf(1, 2)]);
    const object = await text(nameOf(1, 2));
    expect(object.endsWith('\n')).toBe(true);
    const lines = object.split('\n').slice(0, -1);
    expect(lines.map((line) => archivedLineSchema.parse(JSON.parse(line)).record['seq'])).toEqual([1, 2]);
    expect(object).not.toMatch(/order-7890|wrong plan/);
    expect(reports).toEqual([{ code: 'RECORDS_ARCHIVED', fields: { lines: 2, isRepeat: false } }]);
  });

  test('that comes again writes nothing', async () => {
    const { ports, s3, names, reports } = await givenArchive();
    await archiveChanges(ports, written);

    expect(await archiveChanges(ports, written)).toEqual({ kind: 'archived', lines: 2 });

    expect(await names('')).toHaveLength(1);
    expect(reports.at(-1)).toEqual({ code: 'RECORDS_ARCHIVED', fields: { lines: 2, isRepeat: true } });
    expect(s3.requests['PutObject']).toBe(2);
  });

  test('whose name another object has is a conflict, which is reported', async () => {
    const { ports, reports } = await givenArchive();
    await ports.archive.put(nameOf(1, 2), 'another\n');

    expect(await archiveChanges(ports, written)).toEqual({ kind: 'conflict' });
    expect(reports).toEqual([{ code: 'ARCHIVE_ALTERED', fields: { object: nameOf(1, 2) } }]);
  });

  test('of wake-ups only writes nothing, and asks the archive nothing', async () => {
    const { ports, s3 } = await givenArchive();
    const wakeAt = (text: string) => ({ ...begun.fields, wakeShard: '1', wakeAt: text });
    const moved = changeOf(3, wakeAt(at), { before: wakeAt('2026-01-01T00:00:00.000Z') });

    expect(await archiveChanges(ports, [moved])).toEqual({ kind: 'archived', lines: 0 });
    expect(await archiveChanges(ports, [])).toEqual({ kind: 'archived', lines: 0 });
    expect(s3.requests).toEqual({});
  });

  test('with erasures is counted, without a text', async () => {
    const { ports, reports, text } = await givenArchive();
    const erased = changeOf(3, erasedTexts(begun).fields, { before: begun.fields });
    await archiveChanges(ports, [erased, changeOf(4, erasedTexts(begun).fields, { before: begun.fields })]);

    expect(reports[0]).toEqual({ code: 'RECORD_ERASED', fields: { records: 2 } });
    expect(JSON.parse((await text(nameOf(3, 4))).split('\n')[0] ?? '')).toMatchObject({ change: 'erased' });
  });
});

describe('a forgery', () => {
  const forged = changeOf(3, { ...begun.fields, keyId: 'other' }, { before: begun.fields });

  test('is reported before the archive is asked, and is in the archive as well', async () => {
    const { ports, s3, reports, text } = await givenArchive();
    s3.fail(1);

    await expect(archiveChanges(ports, [...written, forged])).rejects.toBeInstanceOf(DependencyUnavailable);

    const rewritten = { kind: 'rewritten', partition: streamName, key: forged.key, sequence: forged.sequence };
    expect(reports).toEqual([{ code: 'LOG_REWRITTEN', fields: rewritten }]);
    await archiveChanges(ports, [...written, forged]);
    expect((await text(nameOf(1, 3))).split('\n')[2]).toContain('"change":"rewritten"');
  });

  const refused = refusedRecord();
  test.each<[string, string, boolean, boolean]>([
    [streamName, 'event#000001', true, true],
    [streamName, 'joined#2026-11-26T12:00:00.000Z#request-1', true, true],
    [streamName, '#erased#2026-11-26T12:00:00.000Z#erasure#1', true, true],
    [streamName, 'callback#event#000002#000001', true, true],
    ['acme#refused#2026-11-26', refused.key, true, true],
    ['acme#refused#2026-11-26', `callback#${refused.key}#000001`, true, true],
    ['acme#refused#2026-11-26', 'callback#order-7890#000001', true, false],
    ['acme#refused#order-7890', 'order-7890', false, false],
    ['acme#job#order-7890', 'event#1', false, false],
  ])('at %s %s is named by keys of this service, and by hashes of others', async (partition, key, isNamed, hasKey) => {
    const { ports, reports } = await givenArchive();
    await archiveChanges(ports, [{ ...forged, partition, key }]);

    expect(reports[0]?.fields).toMatchObject({
      partition: isNamed ? partition : `sha256:${sha256(partition)}`,
      key: hasKey ? key : `sha256:${sha256(key)}`,
    });
  });
});
