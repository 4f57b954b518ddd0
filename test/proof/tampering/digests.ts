import { sign } from 'node:crypto';
import { type Digest, DIGEST_KIND, digestFile, digestText } from '../../../functions/core/archive/digest.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { createSealPair } from '../../support/archive-builder.ts';
import type { Expected, Forgery, Scene } from './forgery.ts';
import type { Actor } from './rights.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const otherPair = createSealPair();
export const byOther = (digest: Digest) => {
  const named = { ...digest, publicKey: otherPair.fingerprint };
  return digestFile(named, sign('sha256', Buffer.from(digestText(named)), otherPair.privateKey));
};

interface Place {
  readonly name: string;
  readonly digest: Digest;
}

/** A digest of the chain. @param from the newest backwards: 0, 1, 2 … */
export async function digestAt({ stage }: Scene, from: number): Promise<Place> {
  const place = (await stage.digests()).at(-1 - from);
  if (place === undefined) throw new Error('the chain has digests');
  return place;
}

/** What the sealer would write next. */
export async function nextDigest(scene: Scene, changed: (next: Digest) => Partial<Digest>): Promise<Digest> {
  const { name, digest } = await digestAt(scene, 0);
  const next: Digest = {
    ...digest,
    kind: DIGEST_KIND,
    number: digest.number + 1,
    from: digest.until,
    until: toTimestamp(scene.stage.nowMs - MINUTE),
    records: 0,
    objects: [],
    previous: { name, sha256: sha256(await scene.stage.text(name)) },
  };
  return { ...next, ...changed(next) };
}

export const atAudit = { soon: 'at the next audit', also: 'comparison' } as const;
export const forgery = (
  what: string,
  by: Actor,
  expected: Expected,
  forge: Forgery['forge'],
  place: Forgery['place'] = 'digests',
): Forgery => ({ place, what, by, forge, expected });
