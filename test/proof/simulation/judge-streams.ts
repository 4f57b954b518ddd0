import { createHash } from 'node:crypto';
import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import type { JobId, Timestamp } from '../../../functions/core/identifiers.ts';
import type { Appended, WakeUp } from '../../../functions/core/ports.ts';
import { whyNotClosed } from './judge-closing.ts';
import { notHashed, TextJudge } from './judge-texts.ts';
import { acceptance, currentPart, isClosed, type Journal, newest, type StreamJournal } from './journal.ts';
import type { PlangrepModel } from './plangrep-model.ts';
import type { Process } from './process.ts';

const ESCALATE_AFTER_MS = 15 * 60_000;
/** A claim outlives every function. */
const LONGEST_TIMEOUT_MS = 40_000;
/** A look may begin just before that, and takes as long as a run at most. */
const ESCALATION_GRACE_MS = 60_000;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Computed anew, not by the core: its hash is a part of what is judged. */
const hashOf = (event: CancellationEvent): string => {
  const pairs = Object.entries(event).filter(([name, value]) => !notHashed.has(name) && value !== undefined);
  return sha256(JSON.stringify(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))));
};

/** What may follow what, in the words of the design; the core's own rule is a part of what is judged. */
const whyMisplaced = (stream: StreamJournal, event: CancellationEvent): string | undefined => {
  const claims = stream.written.filter(({ event: { type } }) => type === 'requested' || type === 'attempt_started');
  const before = currentPart(stream).map(({ event: earlier }) => earlier);
  const ends = before.filter((one) => one.type === 'attempt_ended');
  const last = newest(stream);
  const mayBegin = last === undefined || (last.type === 'closed' && last.outcome === 'job_not_found');
  if (event.type === 'requested' && !mayBegin) return 'requested is first, or follows an end as job_not_found';
  if (event.type !== 'requested' && last === undefined) return 'requested is first';
  const isClaim = event.type === 'requested' || event.type === 'attempt_started';
  if (isClaim && event.attempt !== claims.length + 1) return 'attempts are numbered 1, 2, 3 …';
  if (event.type === 'attempt_started' && acceptance(stream) !== undefined) return 'an attempt after an accepted one';
  if (event.type === 'attempt_ended' && event.attempt !== claims.length) return 'only the newest attempt ends';
  if (event.type === 'attempt_ended' && ends.some(({ attempt }) => attempt === event.attempt)) return 'it ends once';
  if (event.type === 'escalated' && before.some(({ type }) => type === 'escalated')) return 'escalated once';
  return undefined;
};

/** Judges what is written to the log: streams, their closing, their wake-ups. */
export class StreamJudge {
  private readonly journal: Journal;
  private readonly plangrep: PlangrepModel;
  private readonly now: () => number;
  private readonly texts = new TextJudge();

  constructor(journal: Journal, plangrep: PlangrepModel, now: () => number) {
    this.journal = journal;
    this.plangrep = plangrep;
    this.now = now;
  }

  /** @returns whether the event is new in the log: not lost, and not a repeat of itself */
  appended(by: Process, event: CancellationEvent, wakeAt: Timestamp | undefined, { kind }: Appended): boolean {
    const stream = this.journal.stream(event.partnerId, event.jobId);
    if (kind === 'lost') return false;
    const standing = stream.written[event.seq - 1]?.event;
    if (standing?.eventId === event.eventId) return false;
    const detail = `${event.jobId} ${event.seq} ${event.type} by ${by.name}`;
    const violate = (invariant: string, why = '') => this.journal.violate(invariant, `${detail} ${why}`);
    if (standing !== undefined) violate('exactly one winner: no record is overwritten', `was ${standing.type}`);
    if (isClosed(stream) && event.type !== 'requested') violate('one closing event, and it is last');
    if (isClosed(stream) && event.type === 'requested' && by.heard.get(event.jobId) !== 'job') {
      violate('a cancellation begins anew only when Plangrep shows the job');
    }
    const last = newest(stream);
    if (event.seq !== stream.written.length + 1) violate('sequence numbers are gapless');
    if (event.previousHash !== (last?.hash ?? sha256(`${event.partnerId}#${event.jobId}`))) violate('the chain holds');
    if (event.hash !== hashOf(event)) violate('the chain holds', 'its own hash');
    for (const why of this.texts.judge(event)) violate('a text on record is committed to, with its own salt', why);
    const misplaced = whyMisplaced(stream, event);
    if (misplaced !== undefined) violate('what may follow what', misplaced);
    if ((wakeAt === undefined) !== (event.type === 'closed'))
      violate('an open cancellation has a wake-up, a closed none');
    this.judgeTiming(stream, by, event, violate);
    const grant = stream.grants.get(by);
    if (event.type === 'attempt_ended' && wakeAt !== undefined) {
      const awayMs = Date.parse(wakeAt) - Date.parse(event.at);
      if (awayMs < (grant?.retryAfterMs ?? 0)) violate('no process calls sooner than Plangrep asks', `in ${awayMs} ms`);
    }
    const wrongEnd = event.type === 'closed' ? whyNotClosed(this.plangrep, stream, by, event) : undefined;
    if (wrongEnd !== undefined) violate('the outcome agrees with Plangrep', wrongEnd);

    const hasFacts = 'jobStatus' in event && event.jobStatus !== undefined;
    const isShown = hasFacts || (event.type === 'attempt_ended' && grant?.hasSeenAlive === true);
    stream.written.push({ event, by, at: this.now(), isShown });
    if (wakeAt !== undefined) stream.wakeUps.set(event.seq, wakeAt);
    if (event.type === 'requested' || event.type === 'attempt_started') {
      const { attempt, seq, at, leaseUntil } = event;
      if (Date.parse(leaseUntil) - Date.parse(at) < LONGEST_TIMEOUT_MS) violate('a claim outlives every function');
      const isFirst = event.type === 'requested';
      // A request that begins a cancellation anew has just read the job.
      const hasSeenAlive = isFirst && attempt > 1;
      const fresh = { isUsed: false, hasSeenAlive, reads: 0, mayConfirm: false, retryAfterMs: 0 };
      stream.grants.set(by, { attempt, seq, isFirst, at: this.now(), ...fresh });
    }
    return true;
  }

  private judgeTiming(
    stream: StreamJournal,
    by: Process,
    event: CancellationEvent,
    violate: (invariant: string, why?: string) => void,
  ): void {
    const part = currentPart(stream);
    const [first] = part;
    const isEscalated = part.some(({ event: { type } }) => type === 'escalated');
    if (event.type === 'attempt_started') {
      const claim = part.findLast(({ event: { type } }) => type === 'requested' || type === 'attempt_started');
      const last = newest(stream);
      const isHeld = last?.type === 'requested' || last?.type === 'attempt_started' || last?.type === 'escalated';
      // By its own clock: a process may not take over what it sees is held.
      if (isHeld && claim !== undefined && 'leaseUntil' in claim.event && event.at < claim.event.leaseUntil) {
        const hasEnded = part.some((one) => one.event.type === 'attempt_ended' && one.event.seq > claim.event.seq);
        if (!hasEnded) violate('no process takes over before the lease ends', `held until ${claim.event.leaseUntil}`);
      }
    }
    if (!by.isLooking || isEscalated || first === undefined || event.type === 'escalated') return;
    const age = Date.parse(event.at) - Date.parse(first.event.at);
    // A put that comes late carries the time at which it was made; a frozen process looked before it froze.
    if (!by.wasFrozen && age > ESCALATE_AFTER_MS + ESCALATION_GRACE_MS) {
      violate('what is open for 15 minutes is escalated', `after ${age} ms`);
    }
  }

  /** @param decidedAt when the process decided to move it */
  moved(
    by: Process,
    { partnerId, jobId, seq, wakeAt }: WakeUp,
    { to, isMoved, decidedAt }: { readonly to: Timestamp; readonly isMoved: boolean; readonly decidedAt: number },
  ): void {
    const stream = this.journal.stream(partnerId, jobId);
    const wasAsGiven = stream.wakeUps.get(seq) === wakeAt;
    if (wasAsGiven !== isMoved) {
      this.journal.violate('one of two moves a wake-up', `${jobId} ${seq} by ${by.name}`);
    }
    if (!isMoved) {
      // Another process looks already: what this one heard binds the other only from then on.
      if (stream.away?.by === by) delete stream.away;
      return;
    }
    stream.wakeUps.set(seq, to);
    stream.polls.set(by, { at: this.now(), decidedAt });
  }

  /** A stream that is closed and has no wake-up left needs no more watching. */
  isSettled(jobId: JobId): boolean {
    const stream = this.journal.streams.get(jobId);
    return stream !== undefined && isClosed(stream) && stream.wakeUps.size === 0;
  }

  removed(by: Process, { partnerId, jobId, seq, wakeAt }: WakeUp): void {
    const stream = this.journal.stream(partnerId, jobId);
    if (stream.wakeUps.get(seq) !== wakeAt) return;
    stream.wakeUps.delete(seq);
    if (!isClosed(stream) && newest(stream)?.seq === seq) {
      this.journal.violate('an open cancellation has a wake-up', `${jobId} ${seq} taken away by ${by.name}`);
    }
  }

  /** After the calm: everything that was accepted has ended, and nothing is looked at any more. */
  finish(): void {
    for (const stream of this.journal.streams.values()) {
      const { jobId, written, wakeUps } = stream;
      if (written.length === 0) continue;
      const last = newest(stream);
      if (!isClosed(stream)) {
        const isEscalated = currentPart(stream).some(({ event: { type } }) => type === 'escalated');
        const mayBeOpen = this.plangrep.isAlive(jobId) && isEscalated;
        if (!mayBeOpen)
          this.journal.violate('every cancellation ends', `${jobId} is open at ${last?.seq} ${last?.type}`);
        if (last !== undefined && !wakeUps.has(last.seq)) {
          this.journal.violate('an open cancellation has a wake-up', `${jobId} ${last.seq}`);
        }
      } else if (wakeUps.size > 0) {
        this.journal.violate('a closed cancellation ends without wake-ups', `${jobId} ${[...wakeUps.keys()].join()}`);
      }
    }
  }
}
