import { createHash } from 'node:crypto';
import type { StreamHead } from './findings.ts';

/** 1024 lanes of 16 bits: as many as make it infeasible to find other heads of the same sum (LtHash, Bellare & Micciancio 1997). */
const LANES = 1024;

export interface HeadsDigest {
  add(head: Pick<StreamHead, 'stream' | 'seq' | 'hash'>): void;
  /** 64 hex digits. */
  value(): string;
}

/**
 * One hash of all stream heads, in whatever order they come and in constant memory: each head is spread over many lanes,
 * the lanes are added up, and the sums are hashed.
 *
 * Written down somewhere that the table's administrators cannot write, it shows later what the log alone cannot: that
 * a closed stream was deleted, put in, or rewritten with all its hashes. Closed streams never change, so the digest of
 * those that closed before a day that is past must be the same for ever.
 */
export const createHeadsDigest = (): HeadsDigest => {
  const lanes = new Uint16Array(LANES);
  return {
    add({ stream, seq, hash }) {
      const bytes = createHash('shake128', { outputLength: 2 * LANES })
        .update(JSON.stringify([stream, seq, hash]))
        .digest();
      for (const [lane, sum] of lanes.entries()) lanes[lane] = sum + bytes.readUInt16LE(2 * lane);
    },
    value: () => createHash('sha256').update(lanes.join()).digest('hex'),
  };
};
