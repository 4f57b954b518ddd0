import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CreateKeyCommand, UpdateAliasCommand } from '@aws-sdk/client-kms';
import { createSigner } from '../../../functions/adapters/kms/signer.ts';
import { digestFile, digestName, digestText, keyName, KEYS_PREFIX } from '../../../functions/core/archive/digest.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { atAudit, byOther, digestAt, forgery, HOUR, MINUTE, nextDigest, otherPair } from './digests.ts';
import { ofCopy, writeFile } from './forgeries-of-archive.ts';
import type { Expected, Forgery, Scene } from './forgery.ts';
import type { Actor } from './rights.ts';
import { sealAlias } from './stage.ts';
import { writeJoined } from './write-joined.ts';

const ofKeys = (what: string, by: Actor, expected: Expected, forge: Forgery['forge']): Forgery =>
  forgery(what, by, expected, forge, 'keys');

/** Rotates the key, and seals with the new one. @returns a signer by the old key */
async function rotate({ stage }: Scene, isKnown: boolean) {
  const old = (await stage.digests()).at(-1)?.digest.publicKey ?? '';
  const { KeyMetadata } = await stage.kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  );
  const TargetKeyId = KeyMetadata?.KeyId ?? '';
  const before = await stage.describeSealKey();
  await stage.kms.send(new UpdateAliasCommand({ AliasName: sealAlias, TargetKeyId }));
  if (isKnown) await stage.trustNewestKey();
  await stage.sealNextHour();
  stage.nowMs += 10 * MINUTE;
  return { old, sign: (digest: Buffer) => createSigner(stage.kms, before).sign(digest) };
}

export const forgeriesOfKeys: readonly Forgery[] = [
  ...(['administrator', 'archive-records', 'deployment'] as const).map((by) =>
    ofKeys('a public key overwritten', by, { refusedBy: "the bucket's policy" }, async (scene) =>
      scene.attacker.overwriteObject((await scene.stage.names(KEYS_PREFIX))[0] ?? '', otherPair.pem),
    ),
  ),
  ofKeys(
    'a public key overwritten',
    'insider',
    { archive: 'key_replaced', alarm: 'ARCHIVE_ALTERED', soon: 'at the next audit' },
    async (scene) => scene.attacker.overwriteObject((await scene.stage.names(KEYS_PREFIX))[0] ?? '', otherPair.pem),
  ),
  ofCopy(
    'a public key swapped',
    'key_replaced',
    async (scene) => writeFile(scene.folder, (await scene.stage.names(KEYS_PREFIX))[0] ?? '', otherPair.pem),
    'keys',
  ),
  ofKeys(
    'a public key deleted',
    'insider',
    { alarm: 'ARCHIVE_ALTERED', archive: 'stretch_gap', soon: 'with the next digest' },
    async (scene) => scene.attacker.hideObject((await scene.stage.names(KEYS_PREFIX))[0] ?? ''),
  ),
  ofKeys(
    "an attacker's key put beside the others, and a digest signed by it",
    'seal-archive',
    { archive: 'unknown_key', ...atAudit },
    async (scene) => {
      const { name, text } = byOther(await nextDigest(scene, () => ({})));
      await scene.attacker.putObject(keyName(otherPair.fingerprint), otherPair.pem);
      await scene.attacker.putObject(name, text);
    },
  ),
  ofKeys(
    'the alias moved to another key, which no auditor was given',
    'deployment',
    { archive: 'unknown_key', soon: 'at the next audit' },
    async (scene) => {
      await rotate(scene, false);
    },
  ),
  ofKeys(
    'a digest signed by the old key after a rotation',
    'insider',
    { archive: 'key_retired', soon: 'at the next audit' },
    async (scene) => {
      const { old, sign: signOld } = await rotate(scene, true);
      const digest = await nextDigest(scene, () => ({ publicKey: old }));
      const file = digestFile(digest, await signOld(Buffer.from(sha256(digestText(digest)), 'hex')));
      await scene.attacker.putObject(digestName(digest), file.text);
    },
  ),
];

const ofClock = (what: string, expected: Expected, skewMs: number): Forgery =>
  forgery(
    what,
    'seal-archive',
    expected,
    async ({ stage, log }) => {
      await writeJoined(stage, log.short);
      await stage.pump();
      stage.sealerSkewMs = skewMs;
      if (skewMs > 0) await stage.sealNextHour();
    },
    'clocks',
  );

const ahead: Expected = { archive: 'dated_ahead', soon: 'at the next audit' };
const behind: Expected = { archive: 'overdue', soon: 'with the second next digest' };

export const forgeriesOfClocks: readonly Forgery[] = [
  ofClock("the sealer's clock ahead by three hours", ahead, 3 * HOUR),
  ofClock("the sealer's clock ahead by two days", ahead, 48 * HOUR),
  ofClock("the sealer's clock behind by three hours", behind, -3 * HOUR),
  ofClock("the sealer's clock behind by a month", behind, -720 * HOUR),
  ofCopy(
    'a copy as of three hours ago shown as of now',
    'overdue',
    async (scene) => {
      for (const from of [0, 1, 2]) rmSync(join(scene.folder, (await digestAt(scene, from)).name));
    },
    'clocks',
  ),
];
