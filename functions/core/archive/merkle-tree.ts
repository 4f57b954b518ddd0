import { createHash } from 'node:crypto';

// The Merkle tree of RFC 9162, section 2.1, over the lines of one object. Its root is in the signed digest, so one line can be
// proved to be in the object without showing the other lines, which are other cancellations. All hashes are SHA-256 in hex.

/** The hash of a line, without its line break. */
export function leafHash(line: string): string {
  return createHash('sha256').update('\0').update(line).digest('hex');
}

/** The root of the tree over leaves; of none, the hash of nothing. */
export function rootOf(leaves: readonly string[]): string {
  const [leaf] = leaves;
  if (leaf === undefined) return createHash('sha256').digest('hex');
  if (leaves.length === 1) return leaf;
  const split = splitOf(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** What leads from one leaf to the root: the other subtree's root at each level, the lowest first. */
export function pathOf(leaves: readonly string[], index: number): readonly string[] {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...pathOf(leaves.slice(0, split), index), rootOf(leaves.slice(split))]
    : [...pathOf(leaves.slice(split), index - split), rootOf(leaves.slice(0, split))];
}

/** The root that a leaf has with a path; undefined: no tree of this size has such a path. */
export function rootFrom(leaf: string, index: number, size: number, path: readonly string[]): string | undefined {
  if (index >= size) return undefined;
  if (size === 1) return path.length === 0 ? leaf : undefined;
  const other = path.at(-1);
  if (other === undefined) return undefined;
  const split = splitOf(size);
  const rest = path.slice(0, -1);
  if (index < split) {
    const left = rootFrom(leaf, index, split, rest);
    return left === undefined ? undefined : nodeHash(left, other);
  }
  const right = rootFrom(leaf, index - split, size - split, rest);
  return right === undefined ? undefined : nodeHash(other, right);
}

/** The largest power of two that is smaller than the size. */
function splitOf(size: number): number {
  return 2 ** (31 - Math.clz32(size - 1));
}

function nodeHash(left: string, right: string): string {
  return createHash('sha256')
    .update('\x01')
    .update(Buffer.from(left, 'hex'))
    .update(Buffer.from(right, 'hex'))
    .digest('hex');
}
