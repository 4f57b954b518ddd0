import { describe, expect, test } from 'vitest';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { archivedLineSchema } from '../../../functions/core/archive/archived-line.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { findNewestDigest } from '../../../functions/core/archive/newest-digest.ts';
import { givenArchive } from '../../support/given-archive.ts';
import { requested, storedStream, streamName } from '../../support/stored-streams.ts';
import { givenFunctions, type Kill } from './killable-function.ts';

const [begun] = storedStream([requested]);

/** Changes that Lambda hands over in one batch, or in several that overlap. */
function batch(from: number, to: number) {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return {
    Records: numbers.map((number) => ({
      dynamodb: {
        ApproximateCreationDateTime: 1_795_000_000,
        Keys: { pk: { S: streamName }, sk: { S: `event#${String(number).padStart(6, '0')}` } },
        SequenceNumber: String(1e20 + number * 1e6),
        StreamViewType: 'NEW_AND_OLD_IMAGES',
        NewImage: toItem({ ...begun?.fields }),
      },
    })),
  };
}

async function given() {
  // What is put now was put a while ago, so that the next digest has it.
  const archive = await givenArchive(Date.now() - 10_000);
  const run = await givenFunctions({ s3: archive.s3.url, kms: archive.kms.url }, archive.s3.accessKey);
  return { ...archive, run };
}
type Given = Awaited<ReturnType<typeof given>>;

async function linesIn({ names, text }: Given) {
  const objects = await Promise.all((await names('records/')).map((name) => text(name)));
  return objects
    .flatMap((object) => object.split('\n').slice(0, -1))
    .map((line) => archivedLineSchema.parse(JSON.parse(line)));
}

/** The whole chain is valid, and names each object of the archive once. */
async function expectSealed({ ports, digests, names, text }: Given): Promise<void> {
  const all = await digests();
  const files = await names('digests/');
  expect(all.map(({ number }) => number)).toEqual(files.map((_, index) => index + 1));
  for (const [index, { from, previous }] of all.entries()) {
    if (index === 0) continue;
    const before = files[index - 1] ?? '';
    expect({ from, previous }).toEqual({
      from: all[index - 1]?.until,
      previous: { name: before, sha256: sha256(await text(before)) },
    });
  }
  expect((await findNewestDigest(ports.archive))?.invalid).toEqual([]);
  expect(all.flatMap(({ objects }) => objects.map(({ name }) => name)).toSorted()).toEqual(await names('records/'));
  for (const { name, sha256: sealed } of all.flatMap(({ objects }) => objects))
    expect(sha256(await text(name))).toBe(sealed);
}

const kills = (steps: number): readonly Kill[] =>
  Array.from({ length: steps }, (_, index) => index + 1).flatMap((at) => [
    { at, when: 'before' as const },
    { at, when: 'after' as const },
  ]);

describe('archive-records', () => {
  test('that is killed at every step loses nothing, and what is there twice is one change', {
    timeout: 60_000,
  }, async () => {
    const archive = await given();
    const { run } = archive;
    // The put; then of a repeat the put that is refused, and the comparison.
    expect(await run('archive-records', batch(1, 4), { at: 1, when: 'before' })).toEqual({ kind: 'killed' });
    expect(await linesIn(archive)).toEqual([]);
    for (const kill of [{ at: 1, when: 'after' }, ...kills(2)] as const) {
      expect(await run('archive-records', batch(1, 4), kill)).toEqual({ kind: 'killed' });
    }
    // Lambda halves a batch that failed, and repeats halves.
    for (const [from, to] of [
      [1, 2],
      [3, 4],
      [3, 5],
      [1, 4],
      [5, 6],
      [5, 6],
    ] as const) {
      expect(await run('archive-records', batch(from, to))).toMatchObject({ answer: { batchItemFailures: [] } });
    }

    const lines = await linesIn(archive);
    const changes = new Map(
      lines.map((line) => [`${line.partition} ${line.key} ${line.sequence}`, JSON.stringify(line)]),
    );
    expect([...changes.keys()].toSorted()).toEqual(
      batch(1, 6).Records.map(
        ({ dynamodb: { Keys, SequenceNumber } }) => `${Keys.pk.S} ${Keys.sk.S} ${SequenceNumber}`,
      ),
    );
    expect(lines.length).toBeGreaterThan(changes.size);
    expect(new Set(lines.map((line) => JSON.stringify(line))).size).toBe(changes.size);
  });
});

describe('seal-archive', () => {
  test.each(['the first digest', 'a later one'])(
    'that is killed at every step of %s leaves a whole chain, with each object once',
    { timeout: 240_000 },
    async (which) => {
      const prepare = async () => {
        const archive = await given();
        await archive.ports.archive.put('records/day=2026-11-26/1-2.ndjson', 'a\nb\n');
        if (which === 'the first digest') return archive;
        expect(await archive.run('seal-archive', {}, undefined, 5)).toMatchObject({ answer: { isDone: true } });
        archive.time.nowMs = Date.now() - 3_000;
        await archive.ports.archive.put('records/day=2026-11-26/3-3.ndjson', 'c\n');
        return archive;
      };
      const clean = await prepare();
      const whole = await clean.run('seal-archive', {});
      await expectSealed(clean);
      if (whole.kind !== 'ended') throw new Error(JSON.stringify(whole));

      for (const kill of kills(whole.requests)) {
        const archive = await prepare();
        expect(await archive.run('seal-archive', {}, kill)).toEqual({ kind: 'killed' });
        expect(await archive.run('seal-archive', {})).toMatchObject({ answer: { isDone: true } });
        await expectSealed(archive);
      }
    },
  );
});
