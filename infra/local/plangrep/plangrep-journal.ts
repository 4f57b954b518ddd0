import type { CallKind } from '../../../functions/simulator/plangrep-calls.ts';

/** A request that the imitation received. It holds no header and no body, so no key. */
export interface JournalEntry {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly kind: CallKind;
  /** The job that the path names. */
  readonly jobId?: string | undefined;
  readonly authorized: boolean;
  readonly bodyBytes: number;
  /** The kind of the fault that met it. */
  readonly fault?: string | undefined;
}

export interface Journal {
  /** Oldest first. */
  all(): readonly JournalEntry[];
  /** How many requests of a kind came, for one job or all. */
  count(kind: CallKind, jobId?: string): number;
  clear(): void;
}

export const createJournal = (): Journal & { add(entry: JournalEntry): void } => {
  const entries: JournalEntry[] = [];
  return {
    add: (entry) => void entries.push(entry),
    all: () => [...entries],
    count: (kind, jobId) =>
      entries.filter((entry) => entry.kind === kind && (jobId === undefined || entry.jobId === jobId)).length,
    clear() {
      entries.length = 0;
    },
  };
};
