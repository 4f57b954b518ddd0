import { createHash } from 'node:crypto';
import type { SealedObject } from './digest.ts';
import { leafHash, rootOf } from './merkle-tree.ts';

/** What a digest says of an object besides its name. */
export type Measured = Omit<SealedObject, 'name'>;

/**
 * Reads an object's bytes once, and keeps no more of them than one line. A last line without a line break counts as one.
 * @param parts of the object, in order
 */
export async function measureObject(parts: AsyncIterable<Uint8Array>): Promise<Measured> {
  const sha256 = createHash('sha256');
  const leaves: string[] = [];
  let bytes = 0;
  let begun: Buffer[] = [];
  for await (const part of parts) {
    sha256.update(part);
    bytes += part.length;
    let rest = Buffer.from(part);
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      leaves.push(leafHash(Buffer.concat([...begun, rest.subarray(0, end)]).toString()));
      begun = [];
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) begun.push(rest);
  }
  if (begun.length > 0) leaves.push(leafHash(Buffer.concat(begun).toString()));
  return { sha256: sha256.digest('hex'), bytes, records: leaves.length, root: rootOf(leaves) };
}
