import { core, type SeededBug } from './seeded-bug.ts';

/** Plausible mistakes in what the audit trail commits to. */
export const seededBugsOfTexts: readonly SeededBug[] = [
  core(
    'cancellation/chain',
    'the hash covers the texts, so that an erasure would break the chain',
    "new Set(['hash', ...erasableAttributes])",
    "new Set(['hash'])",
  ),
  core(
    'cancellation/commitment',
    'a commitment without its salt, so that texts can be tried out',
    "Buffer.from(saltHex, 'hex')",
    'Buffer.alloc(16)',
  ),
  core(
    'use-cases/request-cancellation',
    'every text has the same salt, so that equal texts can be seen',
    '() => clock.newSalt()',
    "() => '0'.repeat(32)",
  ),
];
