import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import type { JobId, Timestamp } from '../../../functions/core/identifiers.ts';
import type { WakeUp } from '../../../functions/core/ports.ts';
import { isClosed, type Journal, newest } from './journal.ts';
import type { Process } from './process.ts';

/** With nothing at fault a message brings the look so soon after its wake-up is due. */
const PUNCTUAL_MS = 5_000;
/** The schedule runs every minute, and takes what has been due for 5 s. */
const FOUND_MS = 80_000;
/** The clock of a process that set a wake-up while something was at fault may have been ahead by so much. */
const SKEW_MS = 45_000;

interface Setting {
  readonly by: Process;
  readonly at: number;
  /** A claim has no message: its holder goes on. */
  readonly isClaim: boolean;
}

const nameOf = ({ jobId, seq, wakeAt }: WakeUp): string => `${jobId}#${seq}#${wakeAt}`;

export interface Calm {
  /** From then on nothing is at fault. */
  readonly fromMs: number;
  readonly isQueueDead: boolean;
}

/**
 * Judges wake-ups and the messages for them: who may send one, and how soon a wake-up is looked at once nothing is at
 * fault. A message entitles to nothing but one more for the same wake-up.
 */
export class WakeUpJudge {
  private readonly journal: Journal;
  private readonly now: () => number;
  private readonly calm: Calm;
  /** Who set each wake-up, by job. */
  private readonly settings = new Map<JobId, Map<string, Setting>>();
  /** The messages that each process was handed, and has not answered with another. */
  private readonly handed = new WeakMap<Process, Set<string>>();
  private readonly sentBy = new WeakMap<Process, Set<string>>();

  constructor(journal: Journal, now: () => number, calm: Calm) {
    this.journal = journal;
    this.now = now;
    this.calm = calm;
  }

  delivered(by: Process, wakeUp: WakeUp): void {
    this.handed.set(by, new Set([nameOf(wakeUp)]));
  }

  /** A process sends a message for the wake-up that it set itself, once; or the one again that it was handed. */
  sent(by: Process, wakeUp: WakeUp): void {
    const name = nameOf(wakeUp);
    const violate = (invariant: string, why: string) =>
      this.journal.violate(invariant, `${name} by ${by.name}: ${why}`);
    const setting = this.settings.get(wakeUp.jobId)?.get(name);
    if (setting === undefined) return violate('a message is sent only for a wake-up that is durable', 'there is none');
    if (setting.isClaim) return violate('a claim sends no message', 'its holder goes on');
    const sent = this.sentBy.get(by) ?? new Set();
    this.sentBy.set(by, sent);
    const isOwn = setting.by === by && !sent.has(name);
    const isHanded = this.handed.get(by)?.delete(name) === true;
    sent.add(name);
    if (!isOwn && !isHanded)
      violate('messages do not multiply', 'it is neither its own nor the one that it was handed');
  }

  appended(by: Process, event: CancellationEvent, wakeAt: Timestamp | undefined): void {
    const { partnerId, jobId, seq } = event;
    this.lookedAt(by, { partnerId, jobId, seq: seq - 1 });
    const isClaim = event.type === 'requested' || event.type === 'attempt_started';
    if (wakeAt !== undefined) {
      this.set({ partnerId, jobId, seq, wakeAt }, { by, at: this.now(), isClaim });
    }
  }

  moved(by: Process, wakeUp: WakeUp, to: Timestamp): void {
    this.lookedAt(by, wakeUp);
    this.set({ ...wakeUp, wakeAt: to }, { by, at: this.now(), isClaim: false });
  }

  private set(wakeUp: WakeUp, setting: Setting): void {
    const known = this.settings.get(wakeUp.jobId) ?? new Map<string, Setting>();
    this.settings.set(wakeUp.jobId, known.set(nameOf(wakeUp), setting));
  }

  /** What is known of one job: for a run that is too long to keep it all. */
  forget(jobId: JobId): void {
    this.settings.delete(jobId);
  }

  /** A wake-up has led to something: was it in time? Before its time something else may come: an attempt's own end. */
  private lookedAt(by: Process, { partnerId, jobId, seq }: Omit<WakeUp, 'wakeAt'>): void {
    const wakeAt = this.journal.streams.get(jobId)?.wakeUps.get(seq);
    if (wakeAt === undefined) return;
    const late = this.lateness({ partnerId, jobId, seq, wakeAt });
    if (late > 0) {
      this.journal.violate('a wake-up is looked at in time', `${jobId} ${seq} by ${by.name}: ${late} ms too late`);
    }
  }

  /** Milliseconds for which a wake-up has waited longer than it may. */
  private lateness(wakeUp: WakeUp): number {
    const { fromMs, isQueueDead } = this.calm;
    const setting = this.settings.get(wakeUp.jobId)?.get(nameOf(wakeUp));
    const isSetInCalm = setting !== undefined && setting.by.startedAt >= fromMs;
    // One that is set when it is due already: the escalation comes before the look.
    const dueMs = Math.max(Date.parse(wakeUp.wakeAt) + (isSetInCalm ? 0 : SKEW_MS), setting?.at ?? 0);
    const isPunctual = isSetInCalm && !isQueueDead && !setting.isClaim;
    return this.now() - Math.max(fromMs, dueMs) - (isPunctual ? PUNCTUAL_MS : FOUND_MS);
  }

  /** In the end no wake-up has waited too long. */
  finish(): void {
    for (const stream of this.journal.streams.values()) {
      const seq = newest(stream)?.seq;
      const wakeAt = seq === undefined || isClosed(stream) ? undefined : stream.wakeUps.get(seq);
      if (seq === undefined || wakeAt === undefined) continue;
      const { partnerId, jobId } = stream;
      const late = this.lateness({ partnerId, jobId, seq, wakeAt });
      if (late > 0) this.journal.violate('a wake-up is looked at in time', `${jobId} ${seq}: ${late} ms too late`);
    }
  }
}
