import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Fields } from '../../../functions/adapters/dynamodb/table-client.ts';
import { hashEvent, sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import { eventKey, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import {
  ARCHIVE_FORMAT,
  archivedRecord,
  type ArchivedLine,
  readArchivedLine,
} from '../../../functions/core/archive/archived-line.ts';
import { objectName, RECORDS_PREFIX } from '../../../functions/core/archive/digest.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { closed, requested } from '../../support/stored-streams.ts';
import { acme, jobId, retention } from '../../support/names.ts';
import type { Expected, Forgery, Scene } from './forgery.ts';
import type { Actor } from './rights.ts';
import { writeJoined } from './write-joined.ts';

/** The object and the line of a record. */
interface Found {
  readonly name: string;
  readonly lines: readonly string[];
  readonly index: number;
  readonly line: ArchivedLine;
}

/** Where an event of `long` is, in the archive. */
export async function findLine({ stage, log }: Scene, seq: number): Promise<Found> {
  for (const name of await stage.names(RECORDS_PREFIX)) {
    const lines = (await stage.text(name)).split('\n').slice(0, -1);
    for (const [index, text] of lines.entries()) {
      const line = readArchivedLine(text);
      if (line?.partition === streamKey(log.long) && line.key === eventKey(seq)) return { name, lines, index, line };
    }
  }
  throw new Error('the archive has every event');
}

/** The object with the most lines. */
async function findLargest({ stage }: Scene): Promise<Found> {
  const names = await stage.names(RECORDS_PREFIX);
  const read = names.map(async (name) => ({ name, lines: (await stage.text(name)).split('\n').slice(0, -1) }));
  const [largest] = (await Promise.all(read)).toSorted((a, b) => b.lines.length - a.lines.length);
  const line = readArchivedLine(largest?.lines[0] ?? '');
  if (largest === undefined || line === undefined || largest.lines.length < 2)
    throw new Error('some object has two lines');
  return { ...largest, line, index: 0 };
}

export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** How the line of an event is changed, within its object. */
const edits: readonly (readonly [what: string, edit: (found: Found) => readonly string[]])[] = [
  [
    'a line edited',
    ({ lines, index, line }) =>
      lines.with(index, JSON.stringify({ ...line, record: { ...line.record, outcome: 'too_late' } })),
  ],
  ['a line removed', ({ lines, index }) => lines.toSpliced(index, 1)],
  ['a line added', ({ lines, line }) => [...lines, JSON.stringify({ ...line, key: eventKey(9), sequence: '3' })]],
  [
    'a line there twice, the second with other content',
    ({ lines, line }) => [...lines, JSON.stringify({ ...line, record: { ...line.record, eventId: 'other' } })],
  ],
  ['its lines in another order', ({ lines }) => lines.toReversed()],
  ['a line that is not one', ({ lines, index }) => lines.with(index, '{}')],
  [
    'a line of an event rewritten with its hash',
    ({ lines, index, line: { record, ...line } }) => {
      const { hash: _, ...event } = { ...record, outcome: 'too_late', hash: '' };
      return lines.with(index, JSON.stringify({ ...line, record: { ...event, hash: hashEvent(event) } }));
    },
  ],
];

/** Where the table is there as well, it differs from what the archive then says. */
const atAudit = { soon: 'at the next audit', also: 'comparison' } as const;
const altered: Expected = { archive: 'object_altered', ...atAudit };

/** A forgery of the bucket itself. */
const ofBucket = (what: string, by: Actor, expected: Expected, forge: Forgery['forge']): Forgery => ({
  place: 'archive',
  what,
  by,
  forge,
  expected,
});

/** A forgery of the copy that an auditor is handed: nothing can refuse it. */
export const ofCopy = (
  what: string,
  archive: string,
  forge: (scene: Scene & { readonly folder: string }) => Promise<void>,
  place: Forgery['place'] = 'archive',
): Forgery => ({
  place,
  what: `${what}, in a copy`,
  by: 'insider',
  forge: async (scene) => {
    const folder = await scene.stage.copyArchive();
    await forge({ ...scene, folder });
    return folder;
  },
  expected: { archive, ...atAudit },
});

/** Writes a file of a copy, with the time that it had. */
export function writeFile(folder: string, name: string, text: string, atMs?: number): void {
  const path = join(folder, name);
  const seconds = atMs === undefined ? statSync(path).mtimeMs / 1_000 : atMs / 1_000;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  utimesSync(path, seconds, seconds);
}

/** What archive-records writes when its role, or its code, is an attacker's: an object that no digest names yet. */
const byArchiver = (
  what: string,
  expected: Expected,
  draw: (scene: Scene) => Promise<readonly ArchivedLine[]>,
): Forgery =>
  ofBucket(what, 'archive-records', expected, async (scene) => {
    const lines = await draw(scene);
    const [first, last] = [lines[0]?.sequence ?? '1', lines.at(-1)?.sequence ?? '1'];
    // Under another day, where no batch has taken the name.
    const name = objectName(toTimestamp(scene.stage.nowMs + 86_400_000), [first, last]);
    await scene.attacker.putObject(name, textOf(lines.map((line) => JSON.stringify(line))));
  });

/** A change of an event of `long`, as a line of now, after everything else. */
async function changeOf(scene: Scene, seq: number, change: ArchivedLine['change']): Promise<ArchivedLine> {
  const { line } = await findLine(scene, seq);
  return { ...line, change, sequence: '190000000000000000000', at: toTimestamp(scene.stage.nowMs) };
}

const unknownStream = { partnerId: acme, jobId: jobId('job-unknown') };
/** A stream that never was, as the table would have it. */
export const recordsOfUnknown = ({ stage }: Scene): readonly Fields[] => {
  let last: CancellationEvent | undefined;
  return [requested, closed].map((body) => {
    const place = { eventId: 'e', at: toTimestamp(stage.nowMs), keptDays: retention.events };
    last = sealEvent(unknownStream, last, body, place);
    return { pk: streamKey(unknownStream), sk: eventKey(last.seq), ...last };
  });
};
export const linesOfUnknown = (scene: Scene): readonly ArchivedLine[] =>
  recordsOfUnknown(scene).map((item, n) => {
    const { pk: _, sk: key, ...fields } = item;
    const { stage } = scene;
    const place = { partition: streamKey(unknownStream), key: String(key), record: archivedRecord(fields) };
    return {
      format: ARCHIVE_FORMAT,
      sequence: `19000000000000000000${n}`,
      at: toTimestamp(stage.nowMs),
      change: 'written',
      ...place,
    };
  });

const byPolicy: Expected = { refusedBy: "the bucket's policy" };
const newest = async ({ stage }: Scene): Promise<string> => (await stage.names(RECORDS_PREFIX)).at(-1) ?? '';

export const forgeriesOfArchive: readonly Forgery[] = [
  ...edits.flatMap(([what, edit]): readonly Forgery[] => {
    const find = (scene: Scene) => (what.includes('order') ? findLargest(scene) : findLine(scene, 5));
    const overwrite: Forgery['forge'] = async (scene) => {
      const found = await find(scene);
      await scene.attacker.overwriteObject(found.name, textOf(edit(found)));
    };
    return [
      ofBucket(`an object overwritten: ${what}`, 'administrator', byPolicy, overwrite),
      ofBucket(`an object overwritten: ${what}`, 'archive-records', byPolicy, overwrite),
      ofBucket(`an object overwritten: ${what}`, 'insider', altered, overwrite),
      ofCopy(`an object: ${what}`, 'object_altered', async (scene) => {
        const found = await find(scene);
        writeFile(scene.folder, found.name, textOf(edit(found)));
      }),
    ];
  }),
  ofBucket(
    'an object put under a name that is taken',
    'archive-records',
    { refusedBy: 'a name that is taken' },
    async (scene) => scene.attacker.putObject(await newest(scene), 'x\n'),
  ),
  ofBucket('an object put into the folder of digests', 'archive-records', byPolicy, ({ attacker }) =>
    attacker.putObject('digests/day=2026-11-26/0000000099.digest', 'x\n'),
  ),
  ofBucket('an object put into the folder of records', 'seal-archive', byPolicy, ({ attacker }) =>
    attacker.putObject('records/day=2026-11-26/1-1.ndjson', 'x\n'),
  ),
  ofBucket('an object put beside the folders', 'archive-records', byPolicy, ({ attacker }) =>
    attacker.putObject('other/x', 'x\n'),
  ),
  ...(['administrator', 'archive-records', 'seal-archive', 'erase-texts', 'deployment'] as const).flatMap((by) => [
    ofBucket('an object deleted', by, byPolicy, async (scene) => scene.attacker.hideObject(await newest(scene))),
    ofBucket('an object deleted with its versions', by, byPolicy, async (scene) =>
      scene.attacker.destroyObject(await newest(scene)),
    ),
    ofBucket(
      'an object inserted',
      by,
      by === 'archive-records' ? { refusedBy: 'a name that is taken' } : byPolicy,
      async (scene) => scene.attacker.putObject(await newest(scene), 'x\n'),
    ),
  ]),
  ofBucket(
    'an object deleted, behind a delete marker',
    'insider',
    { archive: 'object_missing', ...atAudit },
    async (scene) => scene.attacker.hideObject((await findLine(scene, 5)).name),
  ),
  ofBucket('an object deleted with its versions', 'insider', { refusedBy: 'Object Lock' }, async (scene) =>
    scene.attacker.destroyObject((await findLine(scene, 5)).name),
  ),
  {
    ...ofBucket(
      'an object deleted with its versions, past governance',
      'insider',
      { archive: 'object_missing', ...atAudit },
      async (scene) => scene.attacker.destroyObject((await findLine(scene, 5)).name),
    ),
    lock: 'GOVERNANCE',
  },
  ofBucket('an object renamed', 'insider', { archive: 'object_missing', ...atAudit }, async (scene) => {
    const { name, lines } = await findLine(scene, 5);
    await scene.attacker.putObject(name.replace(/\d+\.ndjson$/, '199999999999999999999.ndjson'), textOf(lines));
    await scene.attacker.hideObject(name);
  }),
  ofCopy('an object removed', 'object_missing', async (scene) =>
    rmSync(join(scene.folder, (await findLine(scene, 5)).name)),
  ),
  ofCopy('an object renamed', 'object_missing', async (scene) => {
    const { name, lines } = await findLine(scene, 5);
    writeFile(
      scene.folder,
      name.replace(/\d+\.ndjson$/, '199999999999999999999.ndjson'),
      textOf(lines),
      scene.stage.nowMs - 2 * 3_600_000,
    );
    rmSync(join(scene.folder, name));
  }),
  ofCopy('two objects swapped', 'object_altered', async (scene) => {
    const [a, b] = [(await findLine(scene, 1)).name, await newest(scene)];
    const [ofA, ofB] = [readFileSync(join(scene.folder, a), 'utf8'), readFileSync(join(scene.folder, b), 'utf8')];
    writeFile(scene.folder, a, ofB);
    writeFile(scene.folder, b, ofA);
  }),
  ofCopy('an object inserted after its stretch was sealed', 'object_inserted', async (scene) => {
    const lines = linesOfUnknown(scene).map((line) => JSON.stringify(line));
    const time = scene.stage.nowMs - 3 * 3_600_000;
    writeFile(
      scene.folder,
      objectName(toTimestamp(time), ['190000000000000000000', '190000000000000000001']),
      textOf(lines),
      time,
    );
  }),
  ofBucket(
    'an object that is not of this service',
    'archive-records',
    { alarm: 'ARCHIVE_ALTERED', archive: 'object_inserted', soon: 'at the next audit' },
    ({ attacker, stage }) => attacker.putObject(`records/day=${toTimestamp(stage.nowMs).slice(0, 10)}/note.txt`, 'x\n'),
  ),
  byArchiver(
    'an object with a stream that never was',
    { comparison: 'deleted', soon: 'with the next digest' },
    (scene) => Promise.resolve(linesOfUnknown(scene)),
  ),
  byArchiver(
    'a line that says that a record expired, before its time',
    { archive: 'removed', comparison: 'inserted', soon: 'with the next digest' },
    async (scene) => [await changeOf(scene, 5, 'expired')],
  ),
  byArchiver(
    'a line that says that a record was removed',
    { archive: 'removed', comparison: 'inserted', soon: 'with the next digest' },
    async (scene) => [await changeOf(scene, 5, 'removed')],
  ),
  byArchiver(
    'a line that says that a text was erased',
    { archive: 'altered', soon: 'with the next digest' },
    async (scene) => [await changeOf(scene, 1, 'erased')],
  ),
  byArchiver(
    'a line that writes a record a second time, with other content',
    { archive: 'contradicted', comparison: 'differs', soon: 'with the next digest' },
    async (scene) => {
      const line = await changeOf(scene, 5, 'written');
      return [{ ...line, record: { ...line.record, outcome: 'too_late' } }];
    },
  ),
  byArchiver(
    'a line under a number that was used, with other content',
    { archive: 'contradicted', soon: 'with the next digest', also: 'comparison' },
    async (scene) => {
      const { line } = await findLine(scene, 5);
      return [{ ...line, record: { ...line.record, outcome: 'too_late' } }];
    },
  ),
  byArchiver(
    'a line that erases what was never written',
    { archive: 'unwritten', soon: 'with the next digest' },
    async (scene) => {
      const line = await changeOf(scene, 5, 'erased');
      return [{ ...line, key: eventKey(9) }];
    },
  ),
  byArchiver(
    'a line with a text in it',
    { archive: 'line_unreadable', soon: 'with the next digest' },
    async (scene) => {
      const line = await changeOf(scene, 5, 'rewritten');
      return [{ ...line, record: { ...line.record, reason: 'wrong plan' } }];
    },
  ),
  ofBucket(
    'an object under the name of the next batch',
    'archive-records',
    { alarm: 'ARCHIVE_ALTERED', archive: 'line_unreadable', comparison: 'inserted', soon: 'in its batch' },
    async (scene) => {
      const { stage, attacker, log } = scene;
      const { tables, nowMs } = stage;
      stage.repeats = false;
      const next = (await tables.streams.latest(stage.logTable)) + 1;
      const sequence = `1${String(next).padStart(20, '0')}`;
      await attacker.putObject(objectName(toTimestamp(nowMs), [sequence, sequence]), 'x\n');
      await writeJoined(stage, log.short);
    },
  ),
];
