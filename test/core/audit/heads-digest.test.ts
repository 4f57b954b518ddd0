import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StreamHead } from '../../../functions/core/audit/findings.ts';
import { createHeadsDigest } from '../../../functions/core/audit/findings.ts';

const digestOf = (heads: readonly StreamHead[]): string => {
  const digest = createHeadsDigest();
  for (const head of heads) digest.add(head);
  return digest.value();
};
const heads = Array.from({ length: 20 }, (_, n) => ({
  stream: `acme#job_${n}`,
  seq: 2,
  hash: `${n}`.padStart(64, '0'),
}));

test('exists for no stream, and is the same for the same heads in any order', () => {
  expect(digestOf([])).toMatch(/^[0-9a-f]{64}$/);

  const anyOrder = fc.shuffledSubarray(heads, { minLength: heads.length });
  fc.assert(
    fc.property(anyOrder, (shuffled) => {
      expect(digestOf(shuffled)).toBe(digestOf(heads));
    }),
    { numRuns: 20 },
  );
});

test('stays the same from version to version, because operators have written it down', () => {
  expect(digestOf(heads.slice(0, 3))).toMatchInlineSnapshot(
    `"2be0a47dde4af1e205b3767d48f93affbac07afa93f3422cda7aafe36df6f38c"`,
  );
});

test('differs without a head, with an additional or repeated one, and with any change of one', () => {
  const [first, ...rest] = heads as [StreamHead, ...StreamHead[]];
  const others = [
    rest,
    [...heads, first],
    [...heads, { ...first, stream: 'acme#job_x' }],
    [{ ...first, seq: 3 }, ...rest],
    [{ ...first, hash: 'f'.repeat(64) }, ...rest],
    [{ ...first, stream: 'acme#job_x' }, ...rest],
  ];

  expect(new Set([heads, ...others].map(digestOf)).size).toBe(others.length + 1);
});
