import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, DIGESTS_PREFIX, keyName } from '../../../functions/core/archive/digest.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { atAudit, byOther, digestAt, forgery, HOUR, MINUTE, nextDigest, otherPair } from './digests.ts';
import { ofCopy, writeFile } from './forgeries-of-archive.ts';
import type { Expected, Forgery } from './forgery.ts';
import { writeJoined } from './write-joined.ts';

const shifted = (time: Digest['until'], ms: number) => toTimestamp(Date.parse(time) + ms);
/** A digest by the role that seals, or by a sealer whose code is an attacker's. */
const bySealer = (what: string, archive: string, changed: (next: Digest) => Partial<Digest>): Forgery =>
  forgery(`a digest put next: ${what}`, 'seal-archive', { archive, ...atAudit }, async (scene) => {
    const { name, text } = await scene.attacker.sealDigest(await nextDigest(scene, changed));
    await scene.attacker.putObject(name, text);
  });

const seconds = (digest: Digest): Digest['objects'][number] =>
  digest.objects[0] ?? {
    name: 'records/day=2026-11-26/1-1.ndjson',
    sha256: sha256(''),
    bytes: 0,
    records: 1,
    root: sha256(''),
  };

/** One that seals nothing, so that its removal shows only in the chain; or any that seals something. */
const which = [
  ['the newest digest', 0],
  ['a digest in the middle', 2],
] as const;

const edits: readonly (readonly [what: string, edit: (text: string) => string, code: string])[] = [
  ['edited', (text) => text.replace(/"records":\d+,"objects"/, '"records":999,"objects"'), 'bad_signature'],
  ['with another signature', (text) => text.replace(/\n[^\n]+\n$/, '\nMEUCIQ==\n'), 'bad_signature'],
  ['damaged', () => 'x', 'digest_unreadable'],
];

const alarmed = { alarm: 'ARCHIVE_ALTERED', soon: 'at the next audit', also: 'comparison' } as const;

export const forgeriesOfDigests: readonly Forgery[] = [
  ...which.flatMap(([whom, from]): readonly Forgery[] => [
    ...edits.flatMap(([what, edit, archive]): readonly Forgery[] => {
      const overwrite: Forgery['forge'] = async (scene) =>
        scene.attacker.editObject((await digestAt(scene, from)).name, edit);
      // The sealer reads back to the newest digest that is valid: an older one it does not look at.
      const found: Expected = from === 0 ? { archive, ...alarmed } : { archive, ...atAudit };
      return [
        forgery(`${whom} ${what}`, 'administrator', { refusedBy: "the bucket's policy" }, overwrite),
        forgery(`${whom} ${what}`, 'seal-archive', { refusedBy: "the bucket's policy" }, overwrite),
        forgery(`${whom} ${what}`, 'insider', found, overwrite),
        ofCopy(
          `${whom} ${what}`,
          archive,
          async (scene) => {
            const { name } = await digestAt(scene, from);
            writeFile(scene.folder, name, edit(await scene.stage.text(name)));
          },
          'digests',
        ),
      ];
    }),
    forgery(
      `${whom} signed by another key`,
      'insider',
      from === 0 ? { archive: 'unknown_key', ...alarmed } : { archive: 'unknown_key', ...atAudit },
      async (scene) => {
        const { name, digest } = await digestAt(scene, from);
        await scene.attacker.overwriteObject(name, byOther(digest).text);
      },
    ),
    ofCopy(
      `${whom} signed by another key`,
      'unknown_key',
      async (scene) => {
        const { name, digest } = await digestAt(scene, from);
        writeFile(scene.folder, name, byOther(digest).text);
        const key = keyName(otherPair.fingerprint);
        writeFile(scene.folder, key, otherPair.pem, scene.stage.nowMs);
      },
      'digests',
    ),
    forgery(`${whom} deleted`, 'administrator', { refusedBy: "the bucket's policy" }, async (scene) =>
      scene.attacker.hideObject((await digestAt(scene, from)).name),
    ),
    forgery(`${whom} deleted with its versions`, 'insider', { refusedBy: 'Object Lock' }, async (scene) =>
      scene.attacker.destroyObject((await digestAt(scene, from)).name),
    ),
  ]),
  forgery(
    'a digest in the middle deleted, behind a delete marker',
    'insider',
    { archive: 'digest_missing', ...atAudit },
    async (scene) => scene.attacker.hideObject((await digestAt(scene, 2)).name),
  ),
  ofCopy(
    'a digest in the middle removed',
    'digest_missing',
    async (scene) => rmSync(join(scene.folder, (await digestAt(scene, 2)).name)),
    'digests',
  ),
  ofCopy(
    'all digests removed',
    'digest_missing',
    (scene) => Promise.resolve(rmSync(join(scene.folder, DIGESTS_PREFIX), { recursive: true })),
    'digests',
  ),
  ofCopy(
    'the newest digest removed, which the auditor had noted',
    'digest_replaced',
    async (scene) => {
      const { name } = await digestAt(scene, 0);
      scene.stage.kept.push(sha256(await scene.stage.text(name)));
      rmSync(join(scene.folder, name));
    },
    'digests',
  ),
  ofCopy(
    'the newest digests removed, three hours of them',
    'overdue',
    async (scene) => {
      for (const from of [0, 1, 2]) rmSync(join(scene.folder, (await digestAt(scene, from)).name));
    },
    'digests',
  ),
  ofCopy(
    'a digest renamed',
    'digest_misplaced',
    async (scene) => {
      const { name } = await digestAt(scene, 1);
      writeFile(scene.folder, name.replace(/\d{10}/, '0000000099'), await scene.stage.text(name), scene.stage.nowMs);
      rmSync(join(scene.folder, name));
    },
    'digests',
  ),
  ofCopy(
    'a digest under a second name',
    'digest_misplaced',
    async (scene) => {
      const { name } = await digestAt(scene, 1);
      writeFile(scene.folder, name.replace(/\d{10}/, '0000000099'), await scene.stage.text(name), scene.stage.nowMs);
    },
    'digests',
  ),
  bySealer('its stretch leaves a gap', 'stretch_gap', (next) => ({ from: shifted(next.from, 5 * MINUTE) })),
  bySealer('its stretch overlaps', 'stretch_gap', (next) => ({ from: shifted(next.from, -5 * MINUTE) })),
  bySealer('its stretch ends later than now', 'dated_ahead', (next) => ({ until: shifted(next.until, 3 * HOUR) })),
  bySealer('its stretch ends before it begins', 'stretch_gap', (next) => ({ until: shifted(next.from, -10 * MINUTE) })),
  bySealer('a number left out', 'digest_missing', (next) => ({ number: next.number + 1 })),
  bySealer('a number used again, in another day', 'digest_misplaced', (next) => ({
    number: next.number - 1,
    until: shifted(next.until, 24 * HOUR),
  })),
  bySealer('chained to another digest', 'digest_replaced', (next) => ({
    previous: { name: next.previous?.name ?? '', sha256: sha256('') },
  })),
  bySealer('chained to none', 'digest_replaced', () => ({ previous: undefined })),
  bySealer('of another environment', 'other_archive', () => ({ environment: 'dev' })),
  bySealer('of another bucket', 'other_archive', () => ({ bucket: 'another' })),
  bySealer('its count is wrong', 'digest_unreadable', () => ({ records: 7 })),
  bySealer('it names an object that is not there', 'object_missing', (next) => ({
    records: 1,
    objects: [{ ...seconds(next), name: 'records/day=2026-11-26/1-1.ndjson', records: 1 }],
  })),
  forgery(
    'a digest put next: it names another key',
    'seal-archive',
    { archive: 'unknown_key', ...alarmed },
    async (scene) => {
      const next = await nextDigest(scene, () => ({ publicKey: otherPair.fingerprint }));
      const { name, text } = await scene.attacker.sealDigest(next);
      await scene.attacker.putObject(name, text);
    },
  ),
  forgery(
    'a digest put next: it names an object by another hash',
    'seal-archive',
    { archive: 'object_altered', ...atAudit },
    async (scene) => {
      const sealed = (await scene.stage.digests()).flatMap(({ digest }) => digest.objects)[0];
      const objects = sealed === undefined ? [] : [{ ...sealed, sha256: sha256('other') }];
      const { name, text } = await scene.attacker.sealDigest(
        await nextDigest(scene, () => ({ objects, records: sealed?.records ?? 0 })),
      );
      await scene.attacker.putObject(name, text);
    },
  ),
  forgery(
    'an object left out of two digests',
    'seal-archive',
    { archive: 'object_inserted', soon: 'at the next audit' },
    async (scene) => {
      const { stage, attacker, log } = scene;
      await writeJoined(stage, log.short);
      await stage.pump();
      for (const minutes of [20, 40]) {
        stage.nowMs += minutes * MINUTE;
        const { name, text } = await attacker.sealDigest(await nextDigest(scene, () => ({})));
        await attacker.putObject(name, text);
      }
      stage.nowMs += 20 * MINUTE;
    },
  ),
  ...(['administrator', 'archive-records', 'erase-texts', 'deployment'] as const).flatMap((by): readonly Forgery[] => [
    forgery('a digest signed with the key that seals', by, { refusedBy: "the key's policy" }, async (scene) => {
      await scene.attacker.sealDigest(await nextDigest(scene, () => ({})));
    }),
    forgery('a digest signed by another key put next', by, { refusedBy: "the bucket's policy" }, async (scene) => {
      const { name, text } = byOther(await nextDigest(scene, () => ({})));
      await scene.attacker.putObject(name, text);
    }),
  ]),
  forgery('the first digest put again', 'seal-archive', { refusedBy: 'a name that is taken' }, async (scene) => {
    const [first] = await scene.stage.digests();
    await scene.attacker.putObject(first?.name ?? '', 'x');
  }),
];
