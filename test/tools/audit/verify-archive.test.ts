import { beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../../functions/core/sha256.ts';
import { type ArchiveBuilder, createArchive, createSealPair, writing } from '../../support/archive-builder.ts';
import { auditArchive } from '../../support/audit-archive.ts';
import { acme, jobId } from '../../support/names.ts';
import {
  accepted,
  closed,
  ended,
  joinedRecord,
  refusedRecord,
  requested,
  started,
  storedStream,
  streamName,
} from '../../support/stored-streams.ts';

const [pair, otherPair] = [createSealPair(), createSealPair()];
const long = storedStream([requested, ended(1), started(2), accepted(2), closed]);
const short = storedStream([requested, closed], undefined, { partnerId: acme, jobId: jobId('job_short') });

/** A stream that was closed over two digests, one that was closed in the first, a joined and a refused request, an empty hour. */
let archive: ArchiveBuilder;
let objects: readonly [early: string, shortStream: string, late: string, refused: string];
let digests: readonly [string, string, string];
beforeEach(() => {
  archive = createArchive(pair);
  const changes = long.map((record) => writing(streamName, record));
  archive.setTime('12:10');
  const early = archive.put(changes.slice(0, 3));
  const shortStream = archive.put(short.map((record) => writing('acme#job_short', record)));
  archive.setTime('13:00');
  const first = archive.seal();
  archive.setTime('13:20');
  const late = archive.put([...changes.slice(2), writing(streamName, joinedRecord())]);
  const refused = archive.put([writing('acme#refused#2026-11-23', refusedRecord())]);
  archive.setTime('14:00');
  const second = archive.seal();
  archive.setTime('15:00');
  objects = [early, shortStream, late, refused];
  digests = [first, second, archive.seal()];
});
const audit = (given: Parameters<typeof auditArchive>[2] = {}) => auditArchive(archive, [pair], given);
const findings = async (given: Parameters<typeof auditArchive>[2] = {}) => (await audit(given)).findings;

test('nothing is found in an untouched archive, and a line that is there twice is harmless', async () => {
  const { findings: found, totals, newest } = await audit();

  expect(found).toEqual([]);
  expect(totals).toMatchObject({
    digests: 3,
    objects: 4,
    records: 10,
    duplicates: 1,
    streams: 2,
    closed: 2,
    events: 7,
  });
  expect(newest).toMatchObject({ name: digests[2], sha256: sha256(archive.read(digests[2])) });
});

test('a local run may be down for hours', async () => {
  archive = createArchive(pair, { environment: 'local' });
  archive.setTime('13:00');
  archive.seal();
  archive.setTime('18:00');
  archive.seal();
  expect(await findings({ nowMs: Date.parse('2026-11-24T12:00:00Z') })).toEqual([]);
});

test('a table that was restored goes on with smaller numbers, and its records expire like others', async () => {
  const due = Math.max(...short.map(({ fields }) => Number(fields['deleteAfter'])));
  archive.setTime('15:30');
  for (const [index, { key, fields }] of short.entries()) {
    const expiry = { key, sequence: String(index + 1), atMs: (due + 60) * 1_000, before: fields, after: undefined };
    archive.put([writing('acme#job_short', short[index] ?? joinedRecord(), { ...expiry, isExpiry: true })]);
  }
  archive.seal();
  expect(await findings()).toEqual([]);
});

describe('an object that', () => {
  test('was edited is named, and so is the event that is not what was written', async () => {
    archive.edit(objects[0], (text) => text.replace('"unknown"', '"refused"'));
    expect(await findings()).toEqual([`object_altered ${objects[0]}`, 'altered 2']);

    archive.edit(objects[3], (text) => text.trimEnd());
    expect(await findings()).toContain(`object_altered ${objects[3]}`);
  });

  test('was removed is named, and so is every stream that it leaves incomplete', async () => {
    archive.remove(objects[0]);
    expect(await findings()).toEqual([`object_missing ${objects[0]}`, 'missing 1']);
  });

  test('no digest names is found, unless the next digest may still name it', async () => {
    archive.setTime('13:30');
    const inserted = archive.put([writing('acme#job_x', short[0] ?? joinedRecord())]);
    expect(await findings({ nowMs: Date.parse('2026-11-23T15:00:00Z') })).toEqual([`object_inserted ${inserted}`]);

    archive.remove(inserted);
    archive.setTime('15:10');
    archive.put([writing('acme#job_x', short[0] ?? joinedRecord())]);
    const { findings: found, totals } = await audit();
    expect(found).toEqual([]);
    expect(totals).toMatchObject({ unsealedObjects: 1, unsealed: 1, records: 10 });
  });

  test('has a name that the archive never gives is found at once', async () => {
    archive.setTime('15:00');
    const names = [`${objects[0]}\t0`, `${objects[1]}\n`, 'records/other.ndjson'];
    for (const name of names) archive.write(name, 'x\n');
    expect((await findings()).toSorted()).toEqual(names.map((name) => `object_inserted ${name}`.trim()).toSorted());
  });

  test('holds what is not a line is named with the line', async () => {
    archive.edit(objects[3], (text) => `${text}{"format":1}\n`);
    expect(await findings()).toEqual([`object_altered ${objects[3]}`, `line_unreadable ${objects[3]}`]);
  });

  test('is only there as the digest says where the digest is right in all of it', async () => {
    archive.resign(digests[2], (digest) => ({
      ...digest,
      records: 1,
      objects: [{ name: objects[3], sha256: sha256(archive.read(objects[3])), bytes: 1, records: 1, root: sha256('') }],
    }));
    expect(await findings()).toEqual([`object_altered ${objects[3]}`]);
  });
});

test('an object has the lines that its name says', async () => {
  archive.setTime('15:30');
  const name = archive.putLines([archive.read(objects[3]).trimEnd()], ['1', '2']);
  archive.seal();
  expect(await findings()).toEqual([`object_altered ${name}`]);
});

test('a copy of a key that is another key is found', async () => {
  archive.write(`keys/${pair.fingerprint}.pem`, otherPair.pem);
  expect(await findings()).toEqual([`key_replaced keys/${pair.fingerprint}.pem`]);
});

describe('a digest that', () => {
  test.each([
    [
      'was edited',
      () => archive.edit(digests[1], (text) => text.replace('"records":5', '"records":4')),
      ['bad_signature', 'digest_replaced', 'digest_unreadable'],
    ],
    ['was damaged', () => archive.write(digests[1], 'x'), ['digest_unreadable', 'digest_missing', ...unnamed()]],
    ['is gone', () => archive.remove(digests[1]), ['digest_missing', ...unnamed()]],
    ['was renamed', () => rename(digests[1]), ['digest_misplaced', 'digest_misplaced', 'digest_missing']],
    ['was copied', () => copy(digests[1]), ['digest_misplaced', 'digest_misplaced']],
    [
      'was signed by another key',
      () => archive.resign(digests[2], (digest) => ({ ...digest, publicKey: otherPair.fingerprint }), otherPair),
      ['unknown_key'],
    ],
    [
      'is the first, but names one before it',
      () => archive.resign(digests[0], (digest) => ({ ...digest, previous: { name: 'x', sha256: sha256('x') } })),
      ['digest_replaced', 'digest_replaced'],
    ],
    [
      'is gone with the next one',
      () => digests.slice(0, 2).forEach((name) => archive.remove(name)),
      ['digest_missing', ...unnamed(), ...unnamed()],
    ],
    [
      'contradicts itself',
      () => archive.resign(digests[2], (digest) => ({ ...digest, records: 4 })),
      ['digest_unreadable'],
    ],
    [
      'was replaced with the right key',
      () => archive.resign(digests[1], (digest) => ({ ...digest, until: '2026-11-23T13:59:59.000Z' })),
      ['digest_replaced', 'stretch_gap'],
    ],
    [
      'leaves a gap',
      () => archive.resign(digests[2], (digest) => ({ ...digest, from: '2026-11-23T14:00:01.000Z' })),
      ['stretch_gap'],
    ],
    [
      'ends before it begins',
      () => archive.resign(digests[2], (digest) => ({ ...digest, until: '2026-11-23T13:00:00.000Z' })),
      ['stretch_gap'],
    ],
    [
      'comes from elsewhere',
      () => archive.resign(digests[2], (digest) => ({ ...digest, bucket: 'another' })),
      ['other_archive'],
    ],
    [
      'names none before it',
      () => archive.resign(digests[2], (digest) => ({ ...digest, previous: undefined })),
      ['digest_replaced'],
    ],
  ] as const)('%s is found', async (_, tamper, codes) => {
    tamper();
    const found = (await findings()).map((finding) => finding.split(' ', 1).join());
    expect(found.toSorted()).toEqual(codes.toSorted());
  });

  /** The objects of the second digest, and what the streams lose with them. */
  function unnamed() {
    return ['object_inserted', 'object_inserted'];
  }
  function rename(name: string) {
    archive.write(
      name.replace('day=2026-11-23', 'day=2026-11-24').replace('0000000002', '0000000009'),
      archive.read(name),
    );
    archive.remove(name);
  }
  function copy(name: string) {
    archive.write(name.replace('0000000002', '0000000009'), archive.read(name));
  }

  test('is missing at the end shows by the clock, and by what was kept', async () => {
    const kept = [sha256(archive.read(digests[2]))];
    archive.remove(digests[2]);
    expect(await findings({ kept })).toEqual(['digest_replaced']);
    expect(await findings({ nowMs: Date.parse('2026-11-23T16:00:01Z') })).toEqual([`overdue ${digests[1]}`]);
    for (const name of archive.digests()) archive.remove(name);
    expect(await findings()).toContain('digest_missing digests/');
  });

  test('was signed with a key that another one had replaced is found', async () => {
    archive.resign(digests[1], (digest) => ({ ...digest, publicKey: otherPair.fingerprint }), otherPair);
    const { findings: found } = await auditArchive(archive, [pair, otherPair]);
    expect(found).toEqual([`key_retired ${digests[2]}`, `digest_replaced ${digests[2]}`]);
  });

  test('ends later than now is found: until then nothing is sealed', async () => {
    expect(await findings({ nowMs: Date.parse('2026-11-23T14:58:00Z') })).toEqual([`dated_ahead ${digests[2]}`]);
  });
});
