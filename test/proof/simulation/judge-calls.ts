import type { JobId } from '../../../functions/core/identifiers.ts';
import type { CancelAnswer, ReadAnswer } from '../../../functions/core/plangrep.ts';
import { acceptance, isClosed, type Grant, type Journal, type StreamJournal } from './journal.ts';
import type { Process } from './process.ts';

/** A request reads at most so many jobs, and an event over all its deliveries. */
const MOST_READS = 20;
/** Plangrep's documented floor. */
const READS_APART_MS = 5_000;
/**
 * A claim ends 45 s after it, a call under it begins at most 35 s after it (a reconciler's run): so far may one clock be
 * ahead of another before a claim is taken over while its holder still works.
 */
const LEASE_MARGIN_MS = 9_000;

/** Judges the calls to Plangrep. */
export class CallJudge {
  private readonly journal: Journal;
  private readonly now: () => number;

  constructor(journal: Journal, now: () => number) {
    this.journal = journal;
    this.now = now;
  }

  cancelCalled(by: Process, jobId: JobId): void {
    const violate = (invariant: string, why = '') => this.journal.violate(invariant, `${jobId} by ${by.name} ${why}`);
    by.hasCalled = true;
    const stream = this.journal.streams.get(jobId);
    const grant = stream?.grants.get(by);
    if (stream === undefined || grant === undefined) {
      return violate('no cancel call without a durable intent and claim');
    }
    if (grant.isUsed) violate('one cancel call per attempt', `attempt ${grant.attempt}`);
    if (grant.attempt > 1 && !grant.hasSeenAlive) violate('a cancel is sent again only after a read');
    grant.isUsed = true;
    this.judgeFence(stream, by, grant, violate);
  }

  /** A process that was overtaken makes no more calls, unless clocks are so far apart that another's clock ended its claim. */
  private judgeFence(
    stream: StreamJournal,
    by: Process,
    grant: Grant,
    violate: (i: string, why?: string) => void,
  ): void {
    const over = stream.written.find(({ event, by: other }) => event.seq > grant.seq && other !== by);
    if (over !== undefined && over.by.skew - by.skew <= LEASE_MARGIN_MS) {
      violate('who was overtaken calls no more', `overtaken by ${over.by.name}`);
    }
    const accepted = acceptance(stream);
    if (accepted !== undefined && grant.seq > accepted.event.seq) violate('an accepted cancel is never sent again');
    if (isClosed(stream) && over === undefined) violate('a closed cancellation is left alone');
  }

  cancelHeard(by: Process, jobId: JobId, answer: CancelAnswer): void {
    const grant = this.journal.streams.get(jobId)?.grants.get(by);
    if (grant === undefined) return;
    if (answer.kind === 'refused') grant.mayConfirm = true;
    grant.retryAfterMs = askedFor(answer);
  }

  /**
   * Reads are judged by what gives the right to them: the claim of an attempt, or the move of a wake-up. Two such reads
   * are decided on at least 5 s apart, by the clocks of those who decide. Not measured are the read that confirms a
   * refused cancel, which follows its own call at once, and what a door reads without such a right: to choose among
   * several jobs, to verify one, to see whether one is back that Plangrep did not know.
   */
  readCalled(by: Process, jobId: JobId): void {
    const violate = (invariant: string, why = '') => this.journal.violate(invariant, `${jobId} by ${by.name} ${why}`);
    const stream = this.journal.streams.get(jobId);
    const grant = stream?.grants.get(by);
    const poll = stream?.polls.get(by);
    if (grant === undefined || grant.isFirst) by.reads.count += poll === undefined ? 1 : 0;
    if (!by.isLooking && by.reads.count > MOST_READS) violate('a request reads at most 20 jobs');
    if (stream === undefined || (grant === undefined && poll === undefined)) {
      if (by.isLooking) violate('no reconciler reads what it has not claimed');
      return;
    }
    if (grant?.mayConfirm === true) {
      grant.mayConfirm = false;
      stream.lastRead = { decidedAt: this.now(), by };
      return;
    }
    let decidedAt: number | undefined;
    if (poll !== undefined && poll.at > (grant?.at ?? 0)) {
      stream.polls.delete(by);
      ({ decidedAt } = poll);
      this.judgeAway(stream, by, decidedAt, violate);
    } else if (grant !== undefined && grant.reads === 0) {
      grant.reads = 1;
      decidedAt = this.now();
    }
    if (decidedAt === undefined) return violate('one read per claim or wake-up');
    const last = stream.lastRead;
    stream.lastRead = { decidedAt, by };
    if (last === undefined) return;
    const apart = Math.abs(decidedAt - last.decidedAt);
    if (apart < READS_APART_MS - Math.abs(by.skew - last.by.skew)) {
      violate('reads of one job are 5 s apart', `${apart} ms after ${last.by.name}`);
    }
  }

  /** A poll that heard how long to stay away has told the others when it ends, unless it failed. */
  private judgeAway(
    { away }: StreamJournal,
    by: Process,
    decidedAt: number,
    violate: (i: string, why?: string) => void,
  ): void {
    if (away === undefined || away.by.hasFailed || (away.by.endedAt ?? decidedAt) >= decidedAt) return;
    const early = away.until - decidedAt - Math.abs(by.skew - away.by.skew);
    if (early > 0) violate('no process calls sooner than Plangrep asks', `${early} ms, ${away.by.name} heard`);
  }

  readHeard(by: Process, jobId: JobId, answer: ReadAnswer): void {
    by.heard.set(jobId, answer.kind);
    const stream = this.journal.streams.get(jobId);
    const grant = stream?.grants.get(by);
    const retryAfterMs = askedFor(answer);
    if (grant !== undefined) {
      if (answer.kind === 'job') grant.hasSeenAlive = true;
      grant.retryAfterMs = retryAfterMs;
    }
    if (stream !== undefined && by.isLooking && retryAfterMs > 0)
      stream.away = { until: this.now() + retryAfterMs, by };
  }
}

/** How long Plangrep asked to stay away, in milliseconds. */
const askedFor = (answer: ReadAnswer): number => ('retryAfterMs' in answer ? (answer.retryAfterMs ?? 0) : 0);
