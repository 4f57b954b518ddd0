import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import type { JobId, PartnerId, Timestamp } from '../../../functions/core/identifiers.ts';
import type { Process } from './process.ts';

/** The right to work on a job, by a claim that is durable. */
export interface Grant {
  readonly attempt: number;
  /** The claim's own number in the stream. */
  readonly seq: number;
  /** Whether it came with the request. */
  readonly isFirst: boolean;
  readonly at: number;
  /** Whether the cancel was called under it. */
  isUsed: boolean;
  /** Whether a read under it showed the job alive. */
  hasSeenAlive: boolean;
  reads: number;
  /** A cancel under it was refused: the read that this calls for has not been made. */
  mayConfirm: boolean;
  /** How long Plangrep asked to stay away. */
  retryAfterMs: number;
}

export interface WrittenEvent {
  readonly event: CancellationEvent;
  readonly by: Process;
  readonly at: number;
  /** Whether a job read that it tells of, or that was made for it, showed the job. */
  readonly isShown: boolean;
}

/** A right to one read: the move of the wake-up of an accepted cancel. */
export interface PollRight {
  readonly at: number;
  /** When the process decided to read, before it moved the wake-up. */
  readonly decidedAt: number;
}

/** What is known of a job's cancellation from the effects alone; the code under test has no part in it. */
export interface StreamJournal {
  readonly partnerId: PartnerId;
  readonly jobId: JobId;
  readonly written: WrittenEvent[];
  /** The wake-ups, by the number of the event that each rides on. */
  readonly wakeUps: Map<number, Timestamp>;
  /** By process: the newest claim of each. */
  readonly grants: Map<Process, Grant>;
  readonly polls: Map<Process, PollRight>;
  lastRead?: { readonly decidedAt: number; readonly by: Process };
  /** Plangrep asked a poll to stay away. */
  away?: { readonly until: number; readonly by: Process };
}

export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

/** Everything that the invariants are judged by. */
export class Journal {
  readonly streams = new Map<JobId, StreamJournal>();
  readonly violations: Violation[] = [];

  stream(partnerId: PartnerId, jobId: JobId): StreamJournal {
    const known = this.streams.get(jobId);
    if (known !== undefined) {
      if (known.partnerId !== partnerId) this.violate('a job has one partner', `${jobId}: ${partnerId}`);
      return known;
    }
    const journal: StreamJournal = {
      partnerId,
      jobId,
      written: [],
      wakeUps: new Map(),
      grants: new Map(),
      polls: new Map(),
    };
    this.streams.set(jobId, journal);
    return journal;
  }

  violate(invariant: string, detail: string): void {
    this.violations.push({ invariant, detail });
  }
}

export const newest = ({ written }: StreamJournal): CancellationEvent | undefined => written.at(-1)?.event;
export const isClosed = (stream: StreamJournal): boolean => newest(stream)?.type === 'closed';
/** The events since the cancellation was requested last: an end as `job_not_found` may be followed by another request. */
export const currentPart = ({ written }: StreamJournal): readonly WrittenEvent[] =>
  written.slice(
    Math.max(
      0,
      written.findLastIndex(({ event }) => event.type === 'requested'),
    ),
  );
/** The end of an attempt that Plangrep accepted since then, if there is one. */
export const acceptance = (stream: StreamJournal): WrittenEvent | undefined =>
  currentPart(stream).find(({ event }) => event.type === 'attempt_ended' && event.result === 'accepted');
