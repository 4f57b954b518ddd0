import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leafHash, pathOf, rootFrom, rootOf } from '../../../functions/core/archive/merkle-tree.ts';

const linesOf = (size: number) => Array.from({ length: size }, (_, n) => `line ${n}`);
const leavesOf = (size: number) => linesOf(size).map(leafHash);
const sha256 = (...parts: readonly (string | Buffer)[]) =>
  createHash('sha256')
    .update(Buffer.concat(parts.map((part) => Buffer.from(part as string))))
    .digest();

describe('the Merkle tree of RFC 9162', () => {
  test('has the roots that the definition gives, worked out by hand', () => {
    const [a, b, c] = ['line 0', 'line 1', 'line 2'].map((line) => sha256(Buffer.from([0]), line));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three leaves');
    const ab = sha256(Buffer.from([1]), a, b);

    expect(rootOf([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(rootOf(leavesOf(1))).toBe(a.toString('hex'));
    expect(rootOf(leavesOf(2))).toBe(ab.toString('hex'));
    expect(rootOf(leavesOf(3))).toBe(sha256(Buffer.from([1]), ab, c).toString('hex'));
  });

  test('leads from every leaf to the root, and from no other place', () => {
    for (let size = 1; size <= 20; size += 1) {
      const leaves = leavesOf(size);
      const root = rootOf(leaves);
      for (const [index, leaf] of leaves.entries()) {
        const path = pathOf(leaves, index);
        expect(rootFrom(leaf, index, size, path)).toBe(root);
        for (let other = 0; other <= size; other += 1) {
          if (other !== index) expect(rootFrom(leaf, other, size, path)).not.toBe(root);
        }
        if (size > 1) expect(rootFrom(leaf, index, size, path.slice(1))).not.toBe(root);
        expect(rootFrom(leaf, index, size, ['0'.repeat(64), ...path])).not.toBe(root);
        expect(rootFrom(leafHash('another line'), index, size, path)).not.toBe(root);
      }
    }
  });

  test('has another root after any change, removal, addition or swap of lines', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 40 }), fc.nat(), (lines, n) => {
        const at = n % (lines.length - 1);
        const [one = '', two = ''] = lines.slice(at);
        const root = rootOf(lines.map(leafHash));
        for (const others of [
          lines.with(at, `${one}x`),
          lines.toSpliced(at, 1),
          lines.toSpliced(at, 0, one),
          lines.toSpliced(at, 2, two, one),
        ]) {
          expect(rootOf(others.map(leafHash))).not.toBe(root);
        }
      }),
    );
  });
});
