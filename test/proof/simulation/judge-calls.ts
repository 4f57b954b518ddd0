import type { JobId } from '../../../functions/core/identifiers.ts';
import type { CancelAnswer, ReadAnswer } from '../../../functions/core/plangrep.ts';
import { acceptance, isClosed, type Grant, type Journal, type StreamJournal } from './journal.ts';
import type { Process } from './process.ts';

/** A request reads at most so many jobs, and an event over all its deliveries. */
const MOST_READS = 20;
const READS_APART_MS = 10_000;
/** The first poll comes 15 s after what gave the right to the read before: so much may pass before that read. */
const POLL_SLACK_MS = 5_000;
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
    if (answer.kind === 'rate_limited') grant.retryAfterMs = answer.retryAfterMs ?? 0;
  }

  /**
   * Reads are judged by what gives the right to them: the claim of an attempt, or the move of a wake-up. A door that
   * chooses among several jobs has neither; its reads are its request's own and follow no pace. The read that confirms
   * a refused cancel follows its own call at once, so it only sets the time that the next one is measured from.
   */
  readCalled(by: Process, jobId: JobId): void {
    const violate = (invariant: string, why = '') => this.journal.violate(invariant, `${jobId} by ${by.name} ${why}`);
    by.reads.count += 1;
    if (by.kind !== 'reconciler' && by.reads.count > MOST_READS) violate('a request reads at most 20 jobs');
    const stream = this.journal.streams.get(jobId);
    const grant = stream?.grants.get(by);
    const polledAt = stream?.polls.get(by);
    if (stream === undefined || (grant === undefined && polledAt === undefined)) {
      if (by.kind === 'reconciler') violate('no reconciler reads what it has not claimed');
      return;
    }
    const at = this.now();
    if (grant?.mayConfirm === true) {
      grant.mayConfirm = false;
      stream.lastRead = { at, grantedAt: at, by };
      return;
    }
    let grantedAt: number | undefined;
    if (polledAt !== undefined && polledAt > (grant?.at ?? 0)) {
      stream.polls.delete(by);
      grantedAt = polledAt;
    } else if (grant !== undefined && grant.reads === 0) {
      grant.reads = 1;
      grantedAt = grant.at;
    }
    if (grantedAt === undefined) return violate('one read per claim or wake-up');
    const last = stream.lastRead;
    stream.lastRead = { at, grantedAt, by };
    if (last === undefined) return;
    // A call that came long after its right, or by a clock that is wrong, may come closer by as much.
    const late = Math.max(0, at - grantedAt - POLL_SLACK_MS, last.at - last.grantedAt - POLL_SLACK_MS);
    const apart = at - last.at;
    if (apart < READS_APART_MS - late - Math.abs(by.skew - last.by.skew)) {
      violate('reads of one job are 10 s apart', `${apart} ms after ${last.by.name}`);
    }
  }

  readHeard(by: Process, jobId: JobId, answer: ReadAnswer): void {
    const grant = this.journal.streams.get(jobId)?.grants.get(by);
    if (grant === undefined) return;
    if (answer.kind === 'job') grant.hasSeenAlive = true;
    if (answer.kind === 'rate_limited') grant.retryAfterMs = answer.retryAfterMs ?? 0;
  }
}
