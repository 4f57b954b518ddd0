import type { CallbackRecord } from '../../functions/core/callbacks/callback-record.ts';
import { erasableAttributes } from '../../functions/core/cancellation/commitment.ts';
import {
  type CancellationEvent,
  type JoinedRecord,
  parseEvent,
  type RefusedRecord,
} from '../../functions/core/cancellation/events.ts';
import { type StreamName, streamKey } from '../../functions/core/cancellation/stream-key.ts';
import type { CancelAnswer, ListAnswer, ReadAnswer } from '../../functions/core/plangrep.ts';
import {
  type Claimed,
  type DirectoryEntry,
  type JobDirectory,
  type JobPage,
  type JobPages,
  type JobFact,
  type JobOwner,
  newestFirst,
  type RequestBinding,
  type VerifiedEntry,
} from '../../functions/core/job-directory.ts';
import type {
  CancellationLog,
  PartnerAccess,
  Plangrep,
  Polls,
  Ports,
  Stream,
  WakeUp,
  WakeUpQueue,
  WakeUps,
} from '../../functions/core/ports.ts';
import type { Joined, JoinedLimits, ReadableLog } from '../../functions/core/use-cases/read-cancellations.ts';
import { hasExpired } from '../../functions/core/retention.ts';
import type { Records } from '../../functions/core/records.ts';
import type { Refusal, Refusals } from '../../functions/core/refusals.ts';
import type { ReadPorts } from '../../functions/core/use-cases/read-cancellations.ts';
import { DependencyUnavailable, type Report } from '../../functions/core/report.ts';
import { documentedProject, retention } from './names.ts';
import { listOf } from './job-lists.ts';
import {
  type ExternalId,
  type JobId,
  type PartnerId,
  type ProjectId,
  type Timestamp,
  toTimestamp,
} from '../../functions/core/identifiers.ts';

interface Stored {
  readonly event: CancellationEvent;
  wakeAt?: Timestamp | undefined;
  polls?: Polls;
}

/** The cancellation log in memory. The same tests check it and the one on DynamoDB. */
export class MemoryLog implements CancellationLog, ReadableLog {
  readonly streams = new Map<string, Stored[]>();
  readonly joined: JoinedRecord[] = [];
  readonly refused: RefusedRecord[] = [];
  /** Of every stream. */
  callbacks: Records<CallbackRecord> = { items: [], unreadable: [] };
  /** Runs before each write; throw {@link DependencyUnavailable} to play a broken table. */
  beforeWrite: (record: CancellationEvent | JoinedRecord | RefusedRecord) => void | Promise<void> = () => undefined;

  private readonly now: () => number;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  async readTold(partnerId: PartnerId, jobId: JobId) {
    return { stream: await this.read(partnerId, jobId), callbacks: this.callbacks };
  }

  async read(partnerId: PartnerId, jobId: JobId): Promise<Stream> {
    const all = this.streams.get(streamKey({ partnerId, jobId })) ?? [];
    const stored = all.filter(({ event }) => !hasExpired(event.deleteAfter, this.now()));
    const polled = stored.flatMap(({ polls }) => (polls === undefined ? [] : [polls]));
    const last = polled.at(-1);
    const polls = last && { count: polled.reduce((sum, { count }) => sum + count, 0), lastAt: last.lastAt };
    return { events: stored.map(({ event }) => event), wakeAt: stored.at(-1)?.wakeAt, polls };
  }

  async append(event: CancellationEvent, wakeAt?: Timestamp) {
    await this.beforeWrite(event);
    const name = streamKey(event);
    const stored = this.streams.get(name) ?? [];
    const standing = stored[event.seq - 1]?.event;
    if (standing === undefined) {
      this.streams.set(name, [...stored, { event, wakeAt }]);
      return { kind: 'appended' } as const;
    }
    if (standing.eventId === event.eventId) return { kind: 'appended' } as const;
    const stream = await this.read(event.partnerId, event.jobId);
    if (stream.events.length === 0) throw broken('cancellation-log');
    return { kind: 'lost', stream } as const;
  }

  /** What an erasure leaves of a stream. */
  erase(name: StreamName): void {
    const texts = Object.fromEntries(erasableAttributes.map((attribute) => [attribute, undefined]));
    const stored = this.streams.get(streamKey(name)) ?? [];
    const erased = stored.map((one) => ({ ...one, event: parseEvent({ ...one.event, ...texts }) ?? one.event }));
    this.streams.set(streamKey(name), erased);
  }

  readonly shards = 2;

  /** What the first shard's index shows of malformed wake-ups. */
  readonly unreadableWakeUps: string[] = [];

  async wakeUps(shard: number, limit: number, isDone: (wakeUp: WakeUp) => boolean): Promise<WakeUps> {
    const all = [...this.streams.values()]
      .flat()
      .flatMap(({ event: { partnerId, jobId, seq, hash }, wakeAt }) =>
        wakeAt === undefined || Number.parseInt(hash.slice(0, 4), 16) % this.shards !== shard
          ? []
          : [{ partnerId, jobId, seq, wakeAt }],
      );
    const wakeUps = all.filter((wakeUp) => !isDone(wakeUp)).toSorted((a, b) => (a.wakeAt < b.wakeAt ? -1 : 1));
    const unreadable = shard === 0 ? [...this.unreadableWakeUps] : [];
    return { items: wakeUps.slice(0, limit), unreadable, isCut: wakeUps.length > limit };
  }

  async moveWakeUp(wakeUp: WakeUp, to: Timestamp, polledAt?: Timestamp): Promise<boolean> {
    return this.changeWakeUp(wakeUp, to, polledAt);
  }

  async removeWakeUp(wakeUp: WakeUp): Promise<void> {
    this.changeWakeUp(wakeUp, undefined);
  }

  private changeWakeUp({ seq, wakeAt, ...name }: WakeUp, to: Timestamp | undefined, polledAt?: Timestamp): boolean {
    const stored = this.streams.get(streamKey(name))?.[seq - 1];
    if (stored === undefined || stored.wakeAt !== wakeAt) return false;
    stored.wakeAt = to;
    if (polledAt !== undefined) stored.polls = { count: (stored.polls?.count ?? 0) + 1, lastAt: polledAt };
    return true;
  }

  async recordJoined(record: JoinedRecord) {
    await this.beforeWrite(record);
    this.joined.push(record);
  }

  async recordRefused(record: RefusedRecord) {
    await this.beforeWrite(record);
    this.refused.push(record);
  }

  async readJoined(partnerId: PartnerId, jobId: JobId, { shown, counted }: JoinedLimits): Promise<Joined> {
    const all = this.joined.filter((record) => record.partnerId === partnerId && record.jobId === jobId);
    return { items: all.slice(-shown), unreadable: [], count: Math.min(all.length, counted) };
  }
}

const later = (time: Timestamp, days: number): Timestamp => toTimestamp(Date.parse(time) + days * 86_400_000);

/** An entry keeps the date that it has. */
const dateOf = ({ expiresAt }: DirectoryEntry, fact: JobFact) =>
  expiresAt === undefined && 'expiresAt' in fact ? {} : { expiresAt };

/** The job directory in memory. The same tests check it and the one on DynamoDB. */
export class MemoryDirectory implements JobDirectory, JobPages, Refusals {
  readonly jobs = new Map<string, DirectoryEntry[]>();
  readonly bindings = new Map<string, RequestBinding>();
  /** Runs before each call; throw {@link DependencyUnavailable} to play a broken table. */
  before: (call: keyof JobDirectory | keyof JobPages | keyof Refusals) => void | Promise<void> = () => undefined;

  readonly owners = new Map<JobId, JobOwner & { entry: VerifiedEntry; ends: Timestamp | undefined }>();

  async readOwner(jobId: JobId): Promise<JobOwner | undefined> {
    await this.before('readOwner');
    return this.owners.get(jobId);
  }

  async keepUnverified(partnerId: PartnerId, externalId: ExternalId, entry: DirectoryEntry) {
    await this.before('keepUnverified');
    this.put(`${partnerId}#${externalId}`, entry);
  }

  async claim(partnerId: PartnerId, externalId: ExternalId, entry: VerifiedEntry): Promise<Claimed> {
    await this.before('claim');
    const { projectId, verifiedAt, expiresAt, jobExpiresAt } = entry;
    const ends = jobExpiresAt && expiresAt && later(expiresAt, 30);
    const own = { partnerId, externalId, projectId, verifiedAt, ends: ends || undefined, entry };
    const known = this.owners.get(entry.jobId);
    const isExpiredOwn =
      known?.partnerId === partnerId &&
      known.externalId === externalId &&
      known.ends !== undefined &&
      known.ends < verifiedAt;
    const owner = known === undefined || isExpiredOwn ? own : known;
    if (owner.partnerId !== partnerId || owner.externalId !== externalId) return { kind: 'taken', owner };
    this.owners.set(entry.jobId, owner);
    const end = expiresAt && (owner.ends !== undefined && owner.ends < expiresAt ? owner.ends : expiresAt);
    const standing = { ...owner.entry, expiresAt: end };
    this.put(`${partnerId}#${externalId}`, standing, verifiedAt);
    return { kind: 'claimed', entry: standing };
  }

  /** What an erasure leaves of a job: an owner without a name, and no entry. */
  erase(jobId: JobId): void {
    const owner = this.owners.get(jobId);
    if (owner !== undefined) this.owners.set(jobId, { ...owner, externalId: undefined });
    for (const [name, entries] of this.jobs)
      this.jobs.set(
        name,
        entries.filter((one) => one.jobId !== jobId),
      );
  }

  /** A verified entry stays as it is, until it expires. */
  private put(name: string, entry: DirectoryEntry, now = entry.registeredAt): void {
    const entries = this.jobs.get(name) ?? [];
    const known = entries.find(({ jobId }) => jobId === entry.jobId);
    if (known?.verifiedAt !== undefined && !(known.expiresAt !== undefined && known.expiresAt < now)) return;
    this.jobs.set(name, [...entries.filter((one) => one !== known), entry]);
  }

  /** What `find` leaves out, whatever is looked for. */
  readonly unreadable: string[] = [];

  async find(partnerId: PartnerId, externalId: ExternalId): Promise<Records<DirectoryEntry>> {
    await this.before('find');
    const found = this.jobs.get(`${partnerId}#${externalId}`) ?? [];
    return { items: found.toSorted(newestFirst), unreadable: [...this.unreadable] };
  }

  async findPage(
    partnerId: PartnerId,
    externalId: ExternalId,
    { limit, after }: Parameters<JobPages['findPage']>[2],
  ): Promise<JobPage> {
    await this.before('findPage');
    const all = (this.jobs.get(`${partnerId}#${externalId}`) ?? []).toSorted((a, b) => (a.jobId < b.jobId ? 1 : -1));
    const rest = after === undefined ? all : all.filter(({ jobId }) => jobId < after);
    const items = rest.slice(0, limit);
    const next = rest.length > limit ? items.at(-1)?.jobId : undefined;
    return { items, unreadable: [...this.unreadable], next };
  }

  async remember(partnerId: PartnerId, externalId: ExternalId, jobId: JobId, fact: JobFact) {
    await this.before('remember');
    const name = `${partnerId}#${externalId}`;
    const entries = this.jobs.get(name) ?? [];
    this.jobs.set(
      name,
      entries.map((entry) => (entry.jobId === jobId ? { ...entry, ...fact, ...dateOf(entry, fact) } : entry)),
    );
  }

  readonly refusals: RefusedRecord[] = [];

  async keepRefusal(record: RefusedRecord) {
    await this.before('keepRefusal');
    this.refusals.push(record);
  }

  async findRefusals(
    partnerId: PartnerId,
    externalId: ExternalId,
    { since, limit }: Parameters<Refusals['findRefusals']>[2],
  ): Promise<Records<Refusal>> {
    await this.before('findRefusals');
    const own = this.refusals.filter((one) => one.partnerId === partnerId && one.externalId === externalId);
    const found = own.filter(({ at }) => at >= since).toSorted((a, b) => (a.at < b.at ? 1 : -1));
    const items = found
      .slice(0, limit)
      .map(({ at, why, door, requestId, jobId }) => ({ at, why, door, requestId, jobId }));
    return { items, unreadable: [] };
  }

  async readBinding(partnerId: PartnerId, requestKey: string) {
    await this.before('readBinding');
    return this.bindings.get(`${partnerId}#${requestKey}`);
  }

  async bind(partnerId: PartnerId, requestKey: string, binding: RequestBinding) {
    await this.before('bind');
    const name = `${partnerId}#${requestKey}`;
    const standing = this.bindings.get(name);
    const completes =
      standing?.jobId === undefined && standing?.fingerprint === binding.fingerprint && binding.jobId !== undefined;
    if (standing !== undefined && !completes) return standing;
    this.bindings.set(name, binding);
    return binding;
  }
}

/** Plangrep by script: what each call answers, and which calls were made. */
export class ScriptedPlangrep implements Plangrep {
  readonly calls: string[] = [];
  onCancel: (jobId: JobId, untilMs: number) => CancelAnswer | Promise<CancelAnswer> = (id) => ({
    kind: 'job',
    job: { id, status: 'cancelled' },
  });
  onRead: (jobId: JobId, untilMs: number) => ReadAnswer | Promise<ReadAnswer> = (id) => ({
    kind: 'job',
    job: { id, status: 'processing', projectId: documentedProject },
  });

  async cancel(jobId: JobId, untilMs: number): Promise<CancelAnswer> {
    this.calls.push(`cancel ${jobId}`);
    return this.onCancel(jobId, untilMs);
  }

  /** The `untilMs` of each read. */
  readonly readsEndBy: number[] = [];

  async read(jobId: JobId, untilMs: number): Promise<ReadAnswer> {
    this.calls.push(`read ${jobId}`);
    this.readsEndBy.push(untilMs);
    return this.onRead(jobId, untilMs);
  }

  onList: (projectId: ProjectId) => ListAnswer | Promise<ListAnswer> = () => listOf([], Number.MAX_SAFE_INTEGER);

  async list(projectId: ProjectId): Promise<ListAnswer> {
    this.calls.push(`list ${projectId}`);
    return this.onList(projectId);
  }
}

/** Every port, with what only the readers of cancellations ask. */
export type AllPorts = Ports & ReadPorts;

/** The wake-up queue in memory: what was sent, oldest first. Nothing arrives by itself. */
export class MemoryWakeUpQueue implements WakeUpQueue {
  readonly sent: WakeUp[] = [];
  /** Runs before each send; throw {@link DependencyUnavailable} to play a broken queue. */
  before: () => void | Promise<void> = () => undefined;

  async send(wakeUp: WakeUp): Promise<void> {
    await this.before();
    this.sent.push(wakeUp);
  }
}

export interface MemoryPorts extends Ports {
  readonly log: MemoryLog;
  readonly directory: MemoryDirectory;
  readonly plangrep: ScriptedPlangrep;
  readonly wakeUpQueue: MemoryWakeUpQueue;
  /** What the partners' records say. */
  readonly access: Map<PartnerId, PartnerAccess>;
  readonly clock: Ports['clock'] & { advance(ms: number): void };
  readonly reported: { code: Parameters<Report>[0]; fields: Parameters<Report>[1] }[];
}

/** All ports in memory, with a clock that only `advance` and `sleep` move. */
export const createMemoryPorts = (): MemoryPorts => {
  let now = Date.parse('2026-11-23T12:00:00.000Z');
  let ids = 0;
  const reported: MemoryPorts['reported'] = [];
  const access: MemoryPorts['access'] = new Map();
  return {
    log: new MemoryLog(() => now),
    directory: new MemoryDirectory(),
    partners: { accessOf: async (partnerId) => access.get(partnerId) ?? { kind: 'projects', projects: [] } },
    access,
    plangrep: new ScriptedPlangrep(),
    wakeUpQueue: new MemoryWakeUpQueue(),
    clock: {
      now: () => now,
      random: () => 0.5,
      newId: () => `id-${++ids}`,
      newSalt: () => String(++ids).padStart(32, '0'),
      sleep: async (ms) => {
        now += ms;
      },
      advance: (ms) => {
        now += ms;
      },
    },
    report: (code, fields) => reported.push({ code, fields }),
    retention,
    reported,
  };
};

/** A broken dependency, as an adapter reports it. */
export const broken = (dependency: DependencyUnavailable['dependency']): DependencyUnavailable =>
  new DependencyUnavailable(dependency, new Error('played'));
