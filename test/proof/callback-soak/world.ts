import type { Context, EventBridgeEvent, SQSEvent } from 'aws-lambda';
import type { Subject } from '../../../functions/core/callbacks/callback-message.ts';
import { deriveSecret } from '../../../functions/core/callbacks/callback-secret.ts';
import type {
  CallbackAnswer,
  CallbackEndpoint,
  CallbackPorts,
  CallbackRequest,
} from '../../../functions/core/callbacks/ports.ts';
import { createSlowEndpoints, type SlowEndpoints } from '../../../functions/core/callbacks/slow-endpoints.ts';
import { type PartnerId, partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { handleCallbacks } from '../../../functions/doors/callbacks/handle-callbacks.ts';
import { presentCallback } from '../../../functions/doors/callbacks/present-callback.ts';
import { DependencyUnavailable } from '../../../functions/core/report.ts';
import type { Random } from '../simulation/random.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import { meet, type Mood } from './endpoints.ts';
import { Judge } from './judge.ts';
import { type CallFaults, SoakProcess } from './process.ts';
import { QueueModel } from './queue.ts';
import { SoakStore } from './store.ts';

const START_MS = Date.parse('2026-11-02T09:00:00.000Z');
/** Of the calls of endpoints that are up, and of those of the table, the queue and the secret. */
const SHARE = 0.05;
const callFaults: CallFaults = { crash: 0.001, failure: SHARE / 2, lostAnswer: SHARE / 2 };
const queueFaults = { repeated: 0.015, late: 0.02 };
const MASTER = 'the soak’s own master, from which the signing secrets are made';
/** Each has its own memory of slow endpoints. */
const CONTAINERS = 8;

/** Everything around deliver-callbacks, in virtual time. */
export class SoakWorld {
  readonly scheduler: Scheduler;
  readonly store = new SoakStore();
  readonly judge: Judge;
  readonly queue: QueueModel;
  readonly endpoints = new Map<PartnerId, CallbackEndpoint>();
  /** Of its secret: the one that a partner verifies by. @default 1 */
  readonly knownVersions = new Map<PartnerId, number>();
  readonly figures = { processes: 0, crashes: 0 };
  moodOf: (partnerId: PartnerId) => Mood = () => 'up';
  private readonly random: Random;
  private readonly containers: readonly SlowEndpoints[];

  /** @param onDone hears when every callback about a subject is delivered */
  constructor(random: Random, onDone: (subject: Subject) => void) {
    this.random = random;
    this.scheduler = new Scheduler(random, START_MS);
    this.judge = new Judge(onDone);
    this.store.onAppended = (subject, record) => this.judge.recorded(subject, record);
    this.queue = new QueueModel(this.scheduler, random, queueFaults, (bodies) => this.deliver(bodies));
    const clock = { now: () => this.scheduler.now };
    this.containers = Array.from({ length: CONTAINERS }, () => createSlowEndpoints(clock));
  }

  /** Milliseconds since the first callback. */
  get elapsedMs(): number {
    return this.scheduler.now - START_MS;
  }

  urlOf(partnerId: PartnerId): string {
    return `https://${partnerId}.example/callbacks`;
  }

  /** What a minute's schedule starts. */
  async sendDue(): Promise<void> {
    try {
      await this.invoke({} as EventBridgeEvent<'Scheduled Event', unknown>);
    } catch (error) {
      // The next minute's run finds what this one did not.
      if (!(error instanceof DependencyUnavailable)) throw error;
    }
  }

  /** @returns the places of the messages that failed */
  private async deliver(bodies: readonly string[]): Promise<readonly number[]> {
    const Records = bodies.map((body, n) => ({ messageId: String(n), body }));
    const { batchItemFailures } = await this.invoke({ Records } as SQSEvent);
    return batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier));
  }

  private invoke(event: SQSEvent | EventBridgeEvent<'Scheduled Event', unknown>) {
    const by = new SoakProcess(this.scheduler, this.random, callFaults, () => (this.figures.crashes += 1));
    this.figures.processes += 1;
    const context = { getRemainingTimeInMillis: () => by.remainingMs() } as Context;
    return handleCallbacks(this.portsFor(by))(event, context);
  }

  private portsFor(by: SoakProcess): CallbackPorts {
    const { store, endpoints, queue, scheduler, random } = this;
    const [slowEndpoints = createSlowEndpoints({ now: () => scheduler.now })] = [
      this.containers[random.between(0, CONTAINERS - 1)],
    ];
    return {
      log: {
        shards: store.shards,
        readJob: (name) => by.ask('cancellation-log', () => store.readJob(name)),
        readRefusal: (subject) => by.ask('cancellation-log', () => store.readRefusal(subject)),
        append: (record, place) => by.ask('cancellation-log', () => store.append(record, place)),
        unindex: (record) => by.ask('cancellation-log', () => store.unindex(record)),
        due: (shard, now, limit) => by.ask('cancellation-log', () => store.due(shard, now, limit)),
        postpone: (due, to) => by.ask('cancellation-log', () => store.postpone(due, to)),
      },
      endpoints: {
        read: (partnerId) => by.ask('partners', async () => endpoints.get(partnerId)),
        pause: (partnerId, url) =>
          by.ask('partners', async () => {
            const endpoint = endpoints.get(partnerId);
            if (endpoint?.url !== url || endpoint.pausedWhy !== undefined) return;
            endpoints.set(partnerId, { ...endpoint, pausedWhy: 'gone' });
          }),
        keepTest: () => Promise.reject(new Error('no endpoint is tested in the soak')),
      },
      queue: { send: (message) => by.ask('callbacks', async () => queue.accept(message)) },
      post: (request) => this.post(by, request),
      secretOf: async (partnerId, version) => deriveSecret(MASTER, partnerId, version),
      slowEndpoints,
      present: presentCallback,
      clock: {
        now: () => scheduler.now,
        random: () => random.next(),
        sleep: (ms) => new Promise((resolve) => by.later(ms, () => resolve())),
      },
      report: () => undefined,
    };
  }

  private post(by: SoakProcess, request: CallbackRequest): Promise<CallbackAnswer> {
    const partnerId = partnerIdSchema.parse(new URL(request.url).hostname.replace(/\.example$/, ''));
    const secret = deriveSecret(MASTER, partnerId, this.knownVersions.get(partnerId) ?? 1);
    const expected = this.judge.posted(request, secret, this.scheduler.now);
    const { isReceived, tookMs, answer } = meet(this.moodOf(partnerId), SHARE, this.random);
    const { promise, resolve } = Promise.withResolvers<CallbackAnswer>();
    const arrivesMs = this.random.between(1, tookMs);
    if (isReceived && expected !== undefined) this.scheduler.after(arrivesMs - 1, () => this.judge.received(expected));
    if (!by.mayCrash()) by.later(tookMs, () => resolve(answer));
    return promise;
  }
}
