import { createPublicKey, verify } from 'node:crypto';
import { CreateKeyCommand, UpdateAliasCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { type Digest, digestFile, readDigest } from '../../../functions/core/archive/digest.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { leafHash, rootOf } from '../../../functions/core/archive/merkle-tree.ts';
import { measureObject } from '../../../functions/core/archive/measure-object.ts';
import { sealArchive } from '../../../functions/core/archive/seal-archive.ts';
import { DependencyUnavailable } from '../../../functions/core/report.ts';
import { givenArchive, sealAlias } from '../../support/given-archive.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const recordName = (day: string, number: number) => `records/day=${day}/${number}-${number}.ndjson`;
const today = '2026-11-26';

async function givenSealed() {
  const given = await givenArchive();
  const { ports, time } = given;
  return {
    ...given,
    put: (number: number, text = `line ${number}\n`, day = today) => ports.archive.put(recordName(day, number), text),
    /** Seals as the schedule does, after a while. */
    seal: async (afterMs = HOUR, untilMs = Number.MAX_SAFE_INTEGER) => {
      time.nowMs += afterMs;
      return sealArchive(ports, untilMs);
    },
  };
}
const namesIn = (digest: Digest | undefined) => digest?.objects.map(({ name }) => name);

describe('the first digest', () => {
  test('names every object by what is in it, and is signed', async () => {
    const { ports, put, seal, digests, names, text, reports } = await givenSealed();
    const long = `${'x'.repeat(200_000)}\nsecond\n\nlast without a break`;
    await put(1);
    await put(2, long, '2026-11-25');

    expect(await seal()).toEqual({ digests: [1, 2], isDone: true });

    const [first, second] = await digests();
    const measured = (lines: string[], content: string, name: string) => ({
      name,
      sha256: sha256(content),
      bytes: content.length,
      records: lines.length,
      root: rootOf(lines.map(leafHash)),
    });
    expect(first).toMatchObject({ number: 1, from: '2026-11-24T23:59:59.000Z', until: '2026-11-25T23:59:59.000Z' });
    expect(first).toMatchObject({ objects: [], records: 0, environment: 'local', bucket: 'archive' });
    expect(second).toMatchObject({ number: 2, from: first?.until, until: '2026-11-26T12:59:59.000Z', records: 5 });
    expect(second?.objects).toEqual([
      measured(long.split('\n'), long, recordName('2026-11-25', 2)),
      measured(['line 1'], 'line 1\n', recordName(today, 1)),
    ]);
    const [firstName = '', secondName = ''] = await names('digests/');
    expect(second?.previous).toEqual({ name: firstName, sha256: sha256(await text(firstName)) });
    const key = createPublicKey(await text(`keys/${second?.publicKey}.pem`));
    const { signed = '', signature = Buffer.of() } = readDigest(await text(secondName)) ?? {};
    expect(verify('sha256', Buffer.from(signed), key, signature)).toBe(true);
    expect(sha256(await ports.signer.publicKey())).toBe(second?.publicKey);
    expect(reports.at(-1)).toEqual({
      code: 'ARCHIVE_SEALED',
      fields: { number: 2, until: second?.until, objects: 2, records: 5, lagMs: SECOND },
    });
  });

  test('is there before anything is in the archive', async () => {
    const { seal, digests } = await givenSealed();
    expect(await seal()).toEqual({ digests: [1], isDone: true });
    expect(await digests()).toMatchObject([{ objects: [], from: '2026-11-25T23:59:59.000Z' }]);
  });
});

describe('a digest', () => {
  test('is written for a stretch without a record too, and only once for a stretch', async () => {
    const { seal, digests } = await givenSealed();
    await seal();
    expect(await seal(500)).toEqual({ digests: [], isDone: true });
    expect(await seal()).toEqual({ digests: [2], isDone: true });
    expect(await digests()).toMatchObject([{ number: 1 }, { number: 2, objects: [], records: 0 }]);
  });

  test('names what came in its stretch, and what a list of the stretch before did not show', async () => {
    const { s3, ports, time, put, seal, digests } = await givenSealed();
    const { archive } = ports;
    await put(1);
    await put(2);
    // A list that lacks an object, as while a slow put is under way.
    const lacking = {
      ...archive,
      async *list(prefix: string) {
        for await (const object of archive.list(prefix)) if (object.name !== recordName(today, 2)) yield object;
      },
    };
    time.nowMs += HOUR;
    await sealArchive({ ...ports, archive: lacking }, 0);
    await put(3);
    time.nowMs += 1_500;
    await put(4); // Within the margin of the next digest.
    await seal(400);
    await seal();

    expect((await digests()).map(namesIn)).toEqual([
      [recordName(today, 1)],
      [recordName(today, 2), recordName(today, 3)],
      [recordName(today, 4)],
    ]);
    expect(s3.requests['GetObject']).toBeGreaterThan(0);
  });

  test('looks for records of the two days before its stretch, and for none that are older', async () => {
    const { put, seal, digests } = await givenSealed();
    await seal();
    for (const [index, day] of ['2026-11-23', '2026-11-24', '2026-11-25'].entries()) await put(index, undefined, day);
    await seal();
    await put(9, undefined, '2026-11-22');
    await seal();

    expect(namesIn((await digests())[1])).toEqual([
      recordName('2026-11-23', 0),
      recordName('2026-11-24', 1),
      recordName('2026-11-25', 2),
    ]);
  });

  test('ends with its day: after a pause there is one for each day', async () => {
    const { put, seal, digests, names } = await givenSealed();
    await seal();
    expect(await seal(48 * HOUR)).toEqual({ digests: [2, 3, 4], isDone: true });
    await put(1, undefined, '2026-11-28');

    // Without time for all of them, the rest follows in the next run.
    expect(await seal(48 * HOUR, 0)).toEqual({ digests: [5], isDone: false });
    expect(await seal(0)).toEqual({ digests: [6, 7], isDone: true });

    const all = await digests();
    expect(all.map(({ until }) => until.slice(0, -5))).toEqual([
      '2026-11-26T12:59:59',
      '2026-11-26T23:59:59',
      '2026-11-27T23:59:59',
      '2026-11-28T12:59:59',
      '2026-11-28T23:59:59',
      '2026-11-29T23:59:59',
      '2026-11-30T12:59:59',
    ]);
    for (const [index, { from }] of all.entries()) if (index > 0) expect(from).toBe(all[index - 1]?.until);
    expect(await names('digests/day=2026-11-28/')).toHaveLength(2);
    expect(all.flatMap(namesIn)).toEqual([recordName('2026-11-28', 1)]);
  });

  test('is written by one of two sealers', async () => {
    const { put, seal, digests } = await givenSealed();
    await put(1);
    const ended = await Promise.all([seal(HOUR), seal(0)]);

    expect(ended.filter(({ isDone }) => isDone)).toHaveLength(1);
    expect(ended.flatMap((summary) => summary.digests)).toEqual([1]);
    expect((await digests()).map(namesIn)).toEqual([[recordName(today, 1)]]);
  });

  test('never names an object that this service does not write, which is reported without its name', async () => {
    const { ports, seal, digests, reports } = await givenSealed();
    await ports.archive.put(`records/day=${today}/order-7890`, 'x');
    await seal();

    expect(await digests()).toMatchObject([{ objects: [] }]);
    expect(reports[0]).toEqual({
      code: 'ARCHIVE_ALTERED',
      fields: { foreign: sha256(`records/day=${today}/order-7890`) },
    });
  });
});

describe('a digest that is not valid', () => {
  test.each<[string, (file: string, digest: Digest) => string]>([
    ['was signed by another', (_, digest) => digestFile({ ...digest, records: 7 }, Buffer.from('x')).text],
    [
      'names a key that the archive lacks',
      (_, digest) => digestFile({ ...digest, publicKey: sha256('') }, Buffer.of(1)).text,
    ],
    ['names another key', (_, digest) => digestFile({ ...digest, publicKey: sha256('other') }, Buffer.of(1)).text],
    ['is not a digest', () => 'nothing'],
    ['says another time', (file) => file.replace('2026-11-26T13:59:59', '2027-11-26T13:59:59')],
  ])('because it %s is reported, and the chain goes on from the one before', async (_, forge) => {
    const { ports, put, seal, digests, names, text, overwrite, reports, time } = await givenSealed();
    await seal();
    await put(2);
    await seal();
    const [first, second] = await digests();
    const [, name = ''] = await names('digests/');
    if (first === undefined || second === undefined) throw new Error('two digests');
    const forged = forge(await text(name), second);
    await overwrite(name, forged);
    await ports.archive.put(`keys/${sha256('other')}.pem`, await text(`keys/${second.publicKey}.pem`));
    reports.splice(0);

    expect(await seal()).toMatchObject({ digests: [3] });

    expect(reports.map(({ code, fields }) => [code, fields?.['digest']])).toEqual([
      ['ARCHIVE_ALTERED', name],
      ['ARCHIVE_SEALED', undefined],
    ]);
    const third = (await digests()).at(-1);
    expect(third).toMatchObject({ number: 3, from: first.until, previous: { name, sha256: sha256(forged) } });
    // What the forged digest named is named again.
    expect(namesIn(third)).toEqual([recordName(today, 2)]);

    time.nowMs += HOUR;
    expect(await seal()).toMatchObject({ digests: [4] });
    expect(reports.filter(({ code }) => code === 'ARCHIVE_ALTERED')).toHaveLength(1);
  });

  test.each(['9999999999', '999999999999999', '99999999999999999999'])(
    'because it was put far ahead, as %s, does not stop the sealer',
    async (number) => {
      const { ports, put, seal, digests } = await givenSealed();
      await seal();
      await ports.archive.put(`digests/day=${today}/${number}.digest`, 'forged');

      for (const object of [1, 2, 3]) {
        await put(object);
        expect(await seal()).toMatchObject({ digests: [expect.any(Number)], isDone: true });
      }

      expect((await digests()).flatMap((digest) => namesIn(digest))).toHaveLength(3);
    },
  );

  test('because it has another name counts for nothing, as does one that is listed and gone', async () => {
    const { ports, seal, digests, names, text, reports } = await givenSealed();
    await seal();
    const [name = ''] = await names('digests/');
    const copies = [`digests/day=${today}/x`, `digests/day=2027-01-01/0000000009.digest`];
    await ports.archive.put(copies[0] ?? '', await text(name));
    await seal();
    await ports.archive.put(copies[1] ?? '', await text(name));
    const read: typeof ports.archive.read = (asked) =>
      asked === copies[1] ? Promise.resolve(undefined) : ports.archive.read(asked);
    reports.splice(0);
    await sealArchive({ ...ports, archive: { ...ports.archive, read } }, 0);
    await seal();
    await seal();

    expect(reports.flatMap(({ code, fields }) => (code === 'ARCHIVE_ALTERED' ? [fields?.['digest']] : []))).toContain(
      copies[1],
    );
    expect((await digests()).map(({ number }) => number)).toEqual([1, 2, 10, 11, 1, 1]);
  });

  test('and is the only one: the next begins at the beginning', async () => {
    const { put, seal, digests, names, overwrite } = await givenSealed();
    await put(1);
    await seal();
    const [name = ''] = await names('digests/');
    await overwrite(name, 'x');
    await seal();

    expect(await digests()).toMatchObject([{ number: 2, from: '2026-11-25T23:59:59.000Z', records: 1 }]);
  });
});

describe('the key', () => {
  test('can be replaced by moving its alias: the digests of the old key stay valid', async () => {
    const { kmsClient, ports, seal, digests, names, text, codes } = await givenSealed();
    await seal();
    const { KeyMetadata } = await kmsClient.send(
      new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    );
    await kmsClient.send(new UpdateAliasCommand({ AliasName: sealAlias, TargetKeyId: KeyMetadata?.KeyId }));
    await seal();
    await seal();

    const all = await digests();
    expect(codes()).toEqual(['ARCHIVE_SEALED', 'ARCHIVE_SEALED', 'ARCHIVE_SEALED']);
    expect(all[1]?.publicKey).toBe(sha256(await ports.signer.publicKey()));
    expect(new Set(all.map(({ publicKey }) => publicKey)).size).toBe(2);
    expect(await names('keys/')).toHaveLength(2);
    for (const [index, name] of (await names('digests/')).entries()) {
      const { signed = '', signature = Buffer.of() } = readDigest(await text(name)) ?? {};
      const key = createPublicKey(await text(`keys/${all[index]?.publicKey}.pem`));
      expect(verify('sha256', Buffer.from(signed), key, signature)).toBe(true);
    }
  });

  test('that was replaced while a digest was signed writes none, and the next run does', async () => {
    const { ports, time, put, seal, digests } = await givenSealed();
    await put(1);
    time.nowMs += HOUR;
    const other = await givenArchive();
    const signer = { ...ports.signer, sign: (digest: Buffer) => other.ports.signer.sign(digest) };

    await expect(sealArchive({ ...ports, signer }, 0)).rejects.toThrow('the digest was signed by another key');
    expect(await digests()).toEqual([]);
    expect(await seal()).toMatchObject({ digests: [1] });
  });

  test('that does not answer is named', async () => {
    const { kms, s3, put, seal, digests } = await givenSealed();
    await put(1);
    kms.fail(1);
    await expect(seal()).rejects.toMatchObject({ dependency: 'seal-key' });
    s3.fail(1);
    await expect(seal()).rejects.toBeInstanceOf(DependencyUnavailable);
    expect(await digests()).toEqual([]);
    expect(await seal()).toMatchObject({ digests: [1] });
  });
});

test('an object without a byte has no record', async () => {
  expect(await measureObject(ReadableStream.from<Uint8Array>([]))).toEqual({
    sha256: sha256(''),
    bytes: 0,
    records: 0,
    root: rootOf([]),
  });
});

test('an object that is gone after it was listed stops the sealing', async () => {
  const { ports, put, time } = await givenSealed();
  await put(1);
  time.nowMs += HOUR;
  const archive = { ...ports.archive, read: () => Promise.resolve(undefined) };
  await expect(sealArchive({ ...ports, archive }, 0)).rejects.toThrow('is not there');
});
