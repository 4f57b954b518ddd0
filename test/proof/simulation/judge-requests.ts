import type { JoinedRecord, RefusedRecord, RequestedBody } from '../../../functions/core/cancellation/events.ts';
import type { ExternalId, JobId, PartnerId, Timestamp } from '../../../functions/core/identifiers.ts';
import type { DirectoryEntry, RequestBinding } from '../../../functions/core/job-directory.ts';
import type { CancelEnd } from '../../../functions/core/use-cases/request-cancellation.ts';
import type { Journal, WrittenEvent } from './journal.ts';
import { judgeEvent, type KnownJob } from './judge-events.ts';
import type { OwnershipJudge } from './judge-ownership.ts';
import type { PlangrepModel } from './plangrep-model.ts';
import type { Process } from './process.ts';

/** One delivery of a cancel request, at whichever door. */
export interface Delivery {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
  readonly jobId?: JobId | undefined;
  readonly reason?: string | undefined;
  /** As the directory knows it: with its door in front. */
  readonly requestKey?: string | undefined;
  readonly eventTime?: Timestamp | undefined;
  /** When the event truly happened: milliseconds since 1970. */
  readonly emittedAt?: number | undefined;
  readonly requestId: string;
}

interface KnownKey {
  /** When it took effect, and what the binder's clock showed when its request came. */
  readonly boundAt: number;
  readonly firstSeenAt: Timestamp;
  job?: { readonly id: JobId; readonly boundAt: number };
}

/** What a request with a key was answered, when it first came to a job; until then when it was first answered. */
interface AnsweredKey {
  readonly at: number;
  readonly cameAt: Timestamp;
  readonly jobId?: JobId | undefined;
}

const SECOND = 1_000;
/** A job that Plangrep has not shown for 5 minutes is not chosen any more; clocks differ. */
const BELIEVED_MS = 210 * SECOND;
const isClosing = ({ event }: WrittenEvent): boolean => event.type === 'closed';
/** What the clock of the delivery's process showed when the request came. */
const cameAt = (by: Process): Timestamp => new Date(by.startedAt + by.skew).toISOString();
/** A key, and what was asked for under it. */
const keyOf = ({ partnerId, requestKey, externalId, jobId, reason }: Delivery): string =>
  JSON.stringify([partnerId, requestKey, externalId, jobId, reason]);

/** Judges which job a request reaches, and that it leaves a record. */
export class RequestJudge {
  private readonly journal: Journal;
  private readonly plangrep: PlangrepModel;
  private readonly ownership: OwnershipJudge;
  private readonly now: () => number;
  private readonly jobs = new Map<JobId, KnownJob>();
  /** By partner and externalId. */
  private readonly jobsOf = new Map<string, Set<JobId>>();
  private readonly keys = new Map<string, KnownKey>();
  private readonly answeredKeys = new Map<string, AnsweredKey>();
  private readonly deliveries = new WeakMap<Process, Delivery>();
  /** `type requestId` of every record that is durable. */
  private readonly records = new Set<string>();

  constructor(journal: Journal, plangrep: PlangrepModel, ownership: OwnershipJudge, now: () => number) {
    this.journal = journal;
    this.plangrep = plangrep;
    this.ownership = ownership;
    this.now = now;
  }

  begun(by: Process, delivery: Delivery): void {
    this.deliveries.set(by, delivery);
  }

  registered(partnerId: PartnerId, externalId: ExternalId, { jobId, ...entry }: DirectoryEntry): void {
    if (this.jobs.has(jobId)) return;
    const { registeredAt, listed } = entry;
    this.jobs.set(jobId, { partnerId, externalId, registeredAt, listed, knownAt: this.now() });
    const name = `${partnerId}#${externalId}`;
    this.jobsOf.set(name, (this.jobsOf.get(name) ?? new Set()).add(jobId));
  }

  bound(by: Process, requestKey: string, standing: RequestBinding): void {
    const delivery = this.deliveries.get(by);
    if (delivery === undefined) return;
    const name = `${delivery.partnerId}#${requestKey}`;
    const before = this.keys.get(name);
    const known = before ?? { boundAt: this.now(), firstSeenAt: cameAt(by) };
    this.keys.set(name, known);
    const { jobId } = standing;
    if (jobId === undefined) return;
    if (known.job === undefined && delivery.jobId === undefined) {
      const others = this.namedAlike(delivery).filter(([id]) => id !== jobId);
      const chosen = this.jobs.get(jobId);
      const createdAt = this.plangrep.planOf(jobId)?.createdAt ?? 0;
      if (chosen !== undefined) judgeEvent(this.journal, by, delivery, { jobId, ...chosen, createdAt }, others);
    }
    // A key that another delivery bound to its time meanwhile reaches no job that was registered later.
    const choice = { delivery, reachesUntil: before?.firstSeenAt };
    if (known.job === undefined && known.boundAt >= by.startedAt) this.judgeChoice(by, choice, jobId);
    known.job ??= { id: jobId, boundAt: this.now() };
    if (known.job.id !== jobId) this.journal.violate('a key is bound to one job', `${name}: ${known.job.id}, ${jobId}`);
  }

  requested(by: Process, jobId: JobId, { requestId }: Pick<RequestedBody, 'requestId'>): void {
    this.records.add(`requested ${requestId}`);
    this.reached(by, jobId);
  }

  joined(by: Process, { jobId, requestId }: JoinedRecord): void {
    this.records.add(`joined ${requestId}`);
    this.reached(by, jobId);
  }

  refused({ requestId }: RefusedRecord): void {
    this.records.add(`refused ${requestId}`);
  }

  /**
   * No request reaches a job registered after it. What a request's own delivery finds while it runs is at the same time
   * as it; a repeat that comes once the first one's binding is durable is judged by when that one came; an event when it
   * is bound.
   */
  private reached(by: Process, jobId: JobId): void {
    const delivery = this.deliveries.get(by);
    const job = this.jobs.get(jobId);
    if (delivery === undefined) return this.journal.violate('only a request begins a cancellation', by.name);
    const { partnerId, externalId, jobId: named, requestKey, eventTime } = delivery;
    const violate = (invariant: string, why: string) =>
      this.journal.violate(invariant, `${delivery.requestId} (${by.name}) reached ${jobId}: ${why}`);
    if (job?.partnerId !== partnerId || job.externalId !== externalId) {
      return violate(
        'a request reaches only jobs of its partner with its externalId',
        `it is ${job?.partnerId} ${job?.externalId}`,
      );
    }
    if (named !== undefined) {
      if (named !== jobId) violate('a request reaches the job it names', named);
      return;
    }
    const newer = 'no request reaches a job registered after it';
    const key = requestKey === undefined ? undefined : this.keys.get(`${partnerId}#${requestKey}`);
    const isRepeat = key !== undefined && key.boundAt < by.startedAt;
    if (key?.job !== undefined && key.job.boundAt < by.startedAt) {
      if (key.job.id !== jobId) violate(newer, `its key is bound to ${key.job.id}`);
      return;
    }
    if (eventTime === undefined && isRepeat && job.registeredAt > key.firstSeenAt) {
      violate(newer, `${job.registeredAt}, key of ${key.firstSeenAt}`);
    }
    const answered = this.answeredKeys.get(keyOf(delivery));
    if (requestKey !== undefined && answered !== undefined && answered.at < by.startedAt) {
      if (answered.jobId !== undefined && answered.jobId !== jobId) violate(newer, `its key reached ${answered.jobId}`);
      if (answered.jobId === undefined && job.registeredAt > answered.cameAt) violate(newer, `came ${answered.cameAt}`);
    }
    // With a key the choice was judged when it was bound, by whichever delivery made it.
    if (requestKey === undefined) this.judgeChoice(by, { delivery, reachesUntil: undefined }, jobId);
  }

  /** The jobs under the externalId that a delivery names. */
  private namedAlike({ partnerId, externalId }: Delivery): readonly (readonly [JobId, KnownJob])[] {
    return [...(this.jobsOf.get(`${partnerId}#${externalId}`) ?? [])].flatMap((id) => {
      const job = this.jobs.get(id);
      return job === undefined ? [] : [[id, job] as const];
    });
  }

  /** Of several jobs behind a name only the one that lives may be taken for the one that is meant. */
  private judgeChoice(
    by: Process,
    { delivery, reachesUntil }: { readonly delivery: Delivery; readonly reachesUntil: Timestamp | undefined },
    chosen: JobId,
  ): void {
    const { partnerId, externalId, jobId: named, eventTime, requestId } = delivery;
    if (named !== undefined) return;
    for (const [id, job] of this.namedAlike(delivery)) {
      if (id === chosen) continue;
      const wasThere = job.knownAt < by.startedAt && (eventTime === undefined || job.registeredAt < eventTime);
      const isInReach = reachesUntil === undefined || job.registeredAt <= reachesUntil;
      if (!wasThere || !isInReach || !this.plangrep.isAlive(id)) continue;
      if (!this.ownership.mustBe(by, partnerId, id) || this.plangrep.isAsIfGone(id)) continue;
      if (this.plangrep.hiddenForMs(id) >= BELIEVED_MS) continue;
      const detail = `${requestId} (${by.name}) reached ${chosen}, ${id} lives too`;
      this.journal.violate('a request that may mean several jobs reaches none', detail);
    }
    const isOver = this.journal.streams.get(chosen)?.written.some((one) => isClosing(one) && one.at < by.startedAt);
    if (this.jobs.get(chosen)?.listed !== true || isOver !== true) return;
    const untilMs = Math.min(by.startedAt, ...[eventTime, reachesUntil].flatMap((at) => at ?? []).map(Date.parse));
    const successor = this.ownership.unregisteredJob(by, { partnerId, externalId }, untilMs);
    if (successor === undefined) return;
    const detail = `${requestId} (${by.name}) reached ${chosen}, ${successor} lives`;
    this.journal.violate('an ended job is not taken for one that was submitted again', detail);
  }

  /** An HTTPS request was answered with this. */
  answered(by: Process, end: CancelEnd): void {
    const delivery = this.deliveries.get(by);
    if (delivery === undefined || end.kind === 'unresolved') return;
    this.rememberAnswer(by, delivery, end);
    if (!('state' in end)) return this.mustHave(by, delivery, ['refused']);
    this.handled(by);
    const { hash } = end.state.last;
    if (this.journal.streams.get(end.state.jobId)?.written.some(({ event }) => event.hash === hash) !== true) {
      this.journal.violate('an answer tells what is durable', `${delivery.requestId}: ${end.state.step.kind}`);
    }
  }

  private rememberAnswer(by: Process, delivery: Delivery, end: CancelEnd): void {
    if (delivery.requestKey === undefined || end.kind === 'idempotency_key_reused') return;
    const name = keyOf(delivery);
    const jobId = 'state' in end ? end.state.jobId : undefined;
    const known = this.answeredKeys.get(name);
    if (known !== undefined && (known.jobId !== undefined || jobId === undefined)) return;
    // Another delivery may have bound the key: then its time counts.
    const bound = this.keys.get(`${delivery.partnerId}#${delivery.requestKey}`);
    this.answeredKeys.set(name, { at: this.now(), cameAt: bound?.firstSeenAt ?? cameAt(by), jobId });
  }

  /** An HTTPS request was answered with 503: nothing was done, so it must not have got as far as a call. */
  unavailable(by: Process): void {
    if (!by.hasCalled) return;
    this.journal.violate('once the intent is durable the answer is no 5xx', by.name);
  }

  /** A request was accepted: it began a cancellation or joined one. */
  handled(by: Process): void {
    const delivery = this.deliveries.get(by);
    // The one record that may be missing, and then an alarm says so.
    if (delivery === undefined || by.reported.has('AUDIT_WRITE_FAILED joined')) return;
    this.mustHave(by, delivery, ['requested', 'joined']);
  }

  /** An event is not tried again. */
  givenUp(by: Process): void {
    const delivery = this.deliveries.get(by);
    if (delivery === undefined || by.reported.has('DEPENDENCY_UNAVAILABLE')) return;
    if (!by.reported.has('EVENT_REFUSED unresolved')) this.mustHave(by, delivery, ['refused']);
  }

  private mustHave(by: Process, { requestId }: Delivery, types: readonly string[]): void {
    if (types.some((type) => this.records.has(`${type} ${requestId}`))) return;
    this.journal.violate('every request leaves a record', `${requestId} (${by.name}) is not ${types.join(' or ')}`);
  }

  /** What is known of one job and the requests for it: for a run that is too long to keep it all. */
  forget(jobId: JobId, requestIds: readonly string[]): void {
    const job = this.jobs.get(jobId);
    if (job !== undefined) this.jobsOf.delete(`${job.partnerId}#${job.externalId}`);
    this.jobs.delete(jobId);
    for (const id of requestIds)
      for (const type of ['requested', 'joined', 'refused']) this.records.delete(`${type} ${id}`);
  }
}
