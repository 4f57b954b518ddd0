import {
  type CallbackMessage,
  readCallbackMessage,
  type Subject,
} from '../../../functions/core/callbacks/callback-message.ts';
import type { CallbackRecord } from '../../../functions/core/callbacks/callback-record.ts';
import { deriveSecret } from '../../../functions/core/callbacks/callback-secret.ts';
import { dueShard, dueShardOf } from '../../../functions/core/callbacks/callback-shards.ts';
import type {
  CallbackAnswer,
  CallbackEndpoint,
  CallbackLog,
  CallbackPlace,
  CallbackPorts,
  CallbackRequest,
  DueCallback,
  StoredCallback,
  TestResult,
} from '../../../functions/core/callbacks/ports.ts';
import { createSlowEndpoints } from '../../../functions/core/callbacks/slow-endpoints.ts';
import type { CancellationEvent, RefusedRecord } from '../../../functions/core/cancellation/events.ts';
import { WAKE_SHARDS } from '../../../functions/core/cancellation/pace.ts';
import {
  callbackKey,
  partitionBeside,
  refusedKey,
  type StreamName,
  streamKey,
} from '../../../functions/core/cancellation/stream-key.ts';
import type { PartnerId, Timestamp } from '../../../functions/core/identifiers.ts';
import { presentCallback } from '../../../functions/doors/callbacks/present-callback.ts';

interface StoredAttempt {
  readonly record: CallbackRecord;
  readonly subject: Subject;
  place?: CallbackPlace | undefined;
}

/** The log in memory, as the delivery of callbacks sees it. */
export class MemoryCallbackLog implements CallbackLog {
  readonly shards = WAKE_SHARDS;
  readonly streams = new Map<string, readonly CancellationEvent[]>();
  readonly refusals = new Map<string, RefusedRecord>();
  readonly attempts = new Map<string, StoredAttempt>();
  /** Runs before each write; throw to play a broken table or a process that dies. */
  beforeWrite: (what: 'append' | 'unindex' | 'postpone') => void = () => undefined;

  async readJob(name: StreamName) {
    const events = this.streams.get(streamKey(name)) ?? [];
    return { events, callbacks: this.besides(streamKey(name)) };
  }

  async readRefusal(subject: Extract<Subject, { kind: 'refusal' }>) {
    const refusal = this.refusals.get(refusedKey(subject));
    const partition = partitionBeside({ partnerId: subject.partnerId, day: subject.at.slice(0, 10) });
    return { refusal, callbacks: this.besides(partition, refusedKey(subject)) };
  }

  async append(record: CallbackRecord, place?: CallbackPlace) {
    this.beforeWrite('append');
    const key = keyOf(record);
    if (this.attempts.has(key)) return false;
    const { partnerId, jobId, about } = record;
    const [at = '', requestId = ''] = about.split('#');
    const subject: Subject =
      jobId === undefined ? { kind: 'refusal', partnerId, at, requestId } : { kind: 'job', partnerId, jobId };
    this.attempts.set(key, { record, subject, place });
    return true;
  }

  async unindex(record: CallbackRecord) {
    this.beforeWrite('unindex');
    const stored = this.attempts.get(keyOf(record));
    if (stored !== undefined) stored.place = undefined;
  }

  async due(shard: number, now: Timestamp, limit: number) {
    const due = [...this.attempts].flatMap(([key, { record, subject, place }]): DueCallback[] => {
      const partition = partitionBeside(record);
      const isDue = place?.kind === 'due' && place.at <= now && dueShardOf(partition) === dueShard(shard);
      return isDue ? [{ subject, partition, key, wakeAt: place.at }] : [];
    });
    return due.slice(0, limit);
  }

  async postpone({ key, wakeAt }: DueCallback, to: Timestamp) {
    this.beforeWrite('postpone');
    const stored = this.attempts.get(key);
    if (stored?.place?.kind !== 'due' || stored.place.at !== wakeAt) return false;
    stored.place = { kind: 'due', at: to };
    return true;
  }

  /** @returns the attempts on record, in the order in which they were made */
  records(): CallbackRecord[] {
    return [...this.attempts.values()].map(({ record }) => record);
  }

  /** What an operator's replay finds. */
  kept(): Subject[] {
    return [...this.attempts.values()].filter(({ place }) => place?.kind === 'kept').map(({ subject }) => subject);
  }

  private besides(partition: string, about?: string): StoredCallback[] {
    return [...this.attempts.values()]
      .filter(({ record }) => partitionBeside(record) === partition && (about ?? record.about) === record.about)
      .map(({ record, place }) => ({ ...record, isIndexed: place !== undefined }))
      .toSorted((a, b) => (callbackKey(a) < callbackKey(b) ? -1 : 1));
  }
}

function keyOf(record: CallbackRecord): string {
  return `${partitionBeside(record)} ${callbackKey(record)}`;
}

/** Everything that the delivery of callbacks needs, in memory. Time stands still until a test sets `nowMs`. */
export class CallbackWorld {
  nowMs: number;
  readonly log = new MemoryCallbackLog();
  readonly endpoints = new Map<PartnerId, CallbackEndpoint>();
  readonly tests = new Map<PartnerId, TestResult>();
  readonly sent: CallbackMessage[] = [];
  readonly slept: number[] = [];
  readonly posted: CallbackRequest[] = [];
  readonly lines: (readonly [string, Readonly<Record<string, unknown>> | undefined])[] = [];
  /** What endpoints answer. */
  answer: (request: CallbackRequest) => CallbackAnswer | Promise<CallbackAnswer> = () => ok;
  /** Runs before each message is sent; throw to play a queue that does not answer. */
  beforeSend: () => void = () => undefined;
  readonly ports: CallbackPorts;

  constructor(startMs: number) {
    this.nowMs = startMs;
    const now = () => this.nowMs;
    this.ports = {
      log: this.log,
      endpoints: {
        read: async (partnerId) => this.endpoints.get(partnerId),
        pause: async (partnerId, url) => {
          const endpoint = this.endpoints.get(partnerId);
          if (endpoint?.url === url && endpoint.pausedWhy === undefined) {
            this.endpoints.set(partnerId, { ...endpoint, pausedWhy: 'gone' });
          }
        },
        keepTest: async (partnerId, result) => void this.tests.set(partnerId, result),
      },
      queue: {
        send: async (message) => {
          this.beforeSend();
          // As it would arrive.
          const arrived = readCallbackMessage(JSON.stringify(message));
          if (arrived === undefined) throw new TypeError('not a message of this queue');
          this.sent.push(arrived);
        },
      },
      post: async (request) => {
        this.posted.push(request);
        return this.answer(request);
      },
      secretOf: async (partnerId, version) => deriveSecret(master, partnerId, version),
      slowEndpoints: createSlowEndpoints({ now }),
      present: presentCallback,
      clock: {
        now,
        random: () => 0,
        sleep: async (ms) => {
          this.slept.push(ms);
          this.nowMs += ms;
        },
      },
      report: (code, fields) => void this.lines.push([code, fields]),
    };
  }
}

const master = 'a master that only the tests know of, 64 characters are enough';
export const ok: CallbackAnswer = { kind: 'answered', httpStatus: 204 };
export const answered = (httpStatus: number, retryAfterMs?: number): CallbackAnswer => ({
  kind: 'answered',
  httpStatus,
  retryAfterMs,
});
