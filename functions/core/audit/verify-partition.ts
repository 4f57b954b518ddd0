import type { Finding, StoredRecord, StreamHead } from './findings.ts';
import { hashEvent } from '../cancellation/chain.ts';
import {
  isRefusedDayKey,
  JOINED_PREFIX,
  parseEventKey,
  parseStreamKey,
  type StreamName,
} from '../cancellation/stream-key.ts';
import { verifyJoined, verifyRefused } from './verify-beside.ts';
import { verifyStream } from './verify-stream.ts';

/** What there is to say of one partition of the cancellation log: a stream with its `joined` records, or a day of `refused` ones. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly events: number;
  readonly joined: number;
  readonly refused: number;
  /** Of a stream that has an event. */
  readonly head?: StreamHead | undefined;
}

export interface PartitionVerifier {
  /** Takes the next record, in the order of the sort keys. Only events are kept. */
  add(record: StoredRecord): void;
  end(): Verdict;
}

const foreignKey = (partition: string, { key }: StoredRecord): Finding => ({
  code: 'foreign',
  stream: partition,
  record: key,
  what: `The record ${key} of ${partition} has keys that this log never writes.`,
});

/**
 * Verifies one partition, record by record: memory holds its events and findings, never its `joined` or `refused`
 * records, of which there may be any number. What can and what cannot be found: {@link verifyStream}.
 * @param partition the partition key
 * @param shards how many shards of wake-ups the reconciler looks at
 */
export const createPartitionVerifier = (partition: string, shards: number): PartitionVerifier => {
  const name = parseStreamKey(partition);
  return name === undefined ? createRefusedVerifier(partition) : createStreamVerifier(partition, name, shards);
};

const createStreamVerifier = (partition: string, name: StreamName, shards: number): PartitionVerifier => {
  const events: StoredRecord[] = [];
  const beside: Finding[] = [];
  let joined = 0;
  let requestedAt = Number.NaN;
  return {
    add(record) {
      const seq = parseEventKey(record.key);
      if (seq !== undefined) {
        // Of an event that was altered even the time is nothing to go by.
        const { at, hash } = record.fields;
        if (seq === 1 && hashEvent(record.fields) === hash) requestedAt = Date.parse(String(at));
        events.push(record);
        return;
      }
      const isJoined = record.key.startsWith(JOINED_PREFIX);
      if (isJoined) joined += 1;
      const finding = isJoined ? verifyJoined(name, record, requestedAt) : foreignKey(partition, record);
      if (finding !== undefined) beside.push(finding);
    },
    end() {
      const { findings, head } = verifyStream(name, events, shards);
      const orphaned: Finding = {
        code: 'orphaned',
        stream: partition,
        what: `The stream is gone: it has no event, yet ${joined === 1 ? 'a request' : `${joined} requests`} joined it.`,
      };
      const isOrphaned = joined > 0 && events.length === 0;
      const all = [...findings, ...(isOrphaned ? [orphaned] : []), ...beside];
      return { findings: all, events: events.length, joined, refused: 0, head };
    },
  };
};

const createRefusedVerifier = (partition: string): PartitionVerifier => {
  const isKnown = isRefusedDayKey(partition);
  const findings: Finding[] = [];
  let refused = 0;
  return {
    add(record) {
      if (isKnown) refused += 1;
      const finding = isKnown ? verifyRefused(partition, record) : foreignKey(partition, record);
      if (finding !== undefined) findings.push(finding);
    },
    end: () => ({ findings, events: 0, joined: 0, refused }),
  };
};
