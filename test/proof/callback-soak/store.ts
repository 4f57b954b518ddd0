import type { Subject } from '../../../functions/core/callbacks/callback-message.ts';
import type { CallbackRecord } from '../../../functions/core/callbacks/callback-record.ts';
import { dueShard, dueShardOf } from '../../../functions/core/callbacks/callback-shards.ts';
import type {
  CallbackLog,
  CallbackPlace,
  DueCallback,
  StoredCallback,
} from '../../../functions/core/callbacks/ports.ts';
import type { CancellationEvent, RefusedRecord } from '../../../functions/core/cancellation/events.ts';
import { WAKE_SHARDS } from '../../../functions/core/cancellation/pace.ts';
import { callbackKey, partitionBeside } from '../../../functions/core/cancellation/stream-key.ts';
import type { PartnerId } from '../../../functions/core/identifiers.ts';

interface Attempt {
  readonly record: CallbackRecord;
  readonly subject: Subject;
  place: CallbackPlace | undefined;
}

/** What the log has about one subject. */
class Told {
  readonly events: CancellationEvent[] = [];
  refusal: RefusedRecord | undefined;
  readonly attempts: Attempt[] = [];

  callbacks(): StoredCallback[] {
    return this.attempts
      .map(({ record, place }) => ({ ...record, isIndexed: place !== undefined }))
      .toSorted((a, b) => (callbackKey(a) < callbackKey(b) ? -1 : 1));
  }
}

/**
 * The log in memory, by subject, with its index: fast also when many thousands of callbacks wait. Every method takes effect
 * at once; what may go wrong on the way is played around it.
 */
export class SoakStore implements CallbackLog {
  readonly shards = WAKE_SHARDS;
  private readonly subjects = new Map<string, Told>();
  /** What the index has, beside what it is kept for. */
  private readonly indexed = new Set<Attempt>();
  /** Hears of every attempt that is put on record. */
  onAppended: (subject: Subject, record: CallbackRecord) => void = () => undefined;

  of(subject: Subject): Told {
    const key = keyOf(subject);
    const told = this.subjects.get(key) ?? new Told();
    this.subjects.set(key, told);
    return told;
  }

  forget(subject: Subject): void {
    for (const attempt of this.of(subject).attempts) this.indexed.delete(attempt);
    this.subjects.delete(keyOf(subject));
  }

  async readJob(name: Parameters<CallbackLog['readJob']>[0]) {
    const told = this.subjects.get(keyOf({ kind: 'job', ...name }));
    return { events: [...(told?.events ?? [])], callbacks: told?.callbacks() ?? [] };
  }

  async readRefusal(subject: Parameters<CallbackLog['readRefusal']>[0]) {
    const told = this.subjects.get(keyOf(subject));
    return { refusal: told?.refusal, callbacks: told?.callbacks() ?? [] };
  }

  async append(record: CallbackRecord, place?: CallbackPlace) {
    const subject = subjectOf(record);
    const { attempts } = this.of(subject);
    if (attempts.some((one) => callbackKey(one.record) === callbackKey(record))) return false;
    const attempt = { record, subject, place };
    attempts.push(attempt);
    if (place !== undefined) this.indexed.add(attempt);
    this.onAppended(subject, record);
    return true;
  }

  async unindex(record: CallbackRecord) {
    const attempt = this.find(subjectOf(record), callbackKey(record));
    if (attempt === undefined) return;
    attempt.place = undefined;
    this.indexed.delete(attempt);
  }

  async due(shard: number, now: string, limit: number) {
    const due: DueCallback[] = [];
    for (const { place, record, subject } of this.indexed) {
      if (place?.kind !== 'due' || place.at > now) continue;
      const partition = partitionBeside(record);
      if (dueShardOf(partition) === dueShard(shard))
        due.push({ subject, partition, key: callbackKey(record), wakeAt: place.at });
    }
    return due.toSorted((a, b) => (a.wakeAt < b.wakeAt ? -1 : 1)).slice(0, limit);
  }

  async postpone({ subject, key, wakeAt }: DueCallback, to: string) {
    const attempt = this.find(subject, key);
    if (attempt?.place?.kind !== 'due' || attempt.place.at !== wakeAt) return false;
    attempt.place = { kind: 'due', at: to };
    return true;
  }

  /** What an operator's replay finds: each subject once. */
  keptOf(partnerId: PartnerId): Subject[] {
    const kept = new Map<string, Subject>();
    for (const { place, subject } of this.indexed) {
      if (place?.kind === 'kept' && subject.partnerId === partnerId) kept.set(keyOf(subject), subject);
    }
    return [...kept.values()];
  }

  private find(subject: Subject, key: string): Attempt | undefined {
    return this.subjects.get(keyOf(subject))?.attempts.find(({ record }) => callbackKey(record) === key);
  }
}

export function keyOf(subject: Subject): string {
  const { partnerId } = subject;
  return subject.kind === 'job' ? `${partnerId}#${subject.jobId}` : `${partnerId}#${subject.at}#${subject.requestId}`;
}

function subjectOf({ partnerId, jobId, about }: CallbackRecord): Subject {
  if (jobId !== undefined) return { kind: 'job', partnerId, jobId };
  const [at = '', ...requestId] = about.split('#');
  return { kind: 'refusal', partnerId, at, requestId: requestId.join('#') };
}
