import type { IncomingMessage, ServerResponse } from 'node:http';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import {
  compressFromBytes,
  documentationRoutes,
  partnerAuthorizer,
  renderGatewayResponse,
  routes,
  unknownRoutes,
} from '../blueprint/api.ts';
import { eventDoor } from '../blueprint/bus-events.ts';
import { callbackQueue as callbackDefinition, callbackSchedule } from '../blueprint/callbacks.ts';
import { reconcilerSchedule, sealSchedule } from '../blueprint/functions.ts';
import { logReaders, type StreamReader } from '../blueprint/streams/log-readers.ts';
import type { TableName } from '../blueprint/tables.ts';
import { wakeUpQueue as definition } from '../blueprint/wake-up-queue.ts';
import type { LocalDynamoDb } from './aws/dynamodb.ts';
import { startSchedule } from './aws/events/event-rules.ts';
import type { QueueEndpoint } from './aws/events/queue-endpoint.ts';
import { type LocalQueue, startQueue } from './aws/events/queue.ts';
import { startStreamSource } from './aws/events/stream-source.ts';
import type { GatewayFault } from './aws/gateway/answer-request.ts';
import { type OnAnswer, startGateway } from './aws/gateway/gateway.ts';
import type { LocalUsagePlans, UsagePlan } from './aws/gateway/usage-plans.ts';
import type { LambdaRuntime } from './aws/lambda/lambda-runtime.ts';
import type { Listening } from './aws/loopback.ts';
import { callbackQueueName, eventsQueueName, wakeUpQueueName } from './seeds.ts';

export interface DoorOptions {
  /** @default a free one */
  readonly port?: number | undefined;
  /** How long the authorizer's answer is cached. @default 60_000 */
  readonly authorizerTtlMs?: number | undefined;
  /** What partners may send, by plan; the seeded ones are in `standard`. @default `localPlans` */
  readonly plans?: Readonly<Record<string, UsagePlan>> | undefined;
  /** Receives every answer of the gateway. */
  readonly onAnswer?: OnAnswer | undefined;
  /** Until an event, or a message about a callback, that failed returns. @default 60_000, and 180_000 */
  readonly queueVisibilityMs?: number | undefined;
  /** Between two runs of the reconciler, and of what finds callbacks that are due; 0: neither runs by itself. @default 60_000 */
  readonly reconcileEveryMs?: number | undefined;
  /** Between two digests of the archive; 0: nothing is archived. The first follows the first records at once. @default 60_000 */
  readonly sealEveryMs?: number | undefined;
  /**
   * `lost`: the wake-up queue takes messages and delivers none, so only the reconciler's schedule finds wake-ups.
   * @default 'delivered', or 'lost' when the reconciler does not run by itself
   */
  readonly wakeUps?: 'delivered' | 'lost' | undefined;
  /**
   * `lost`: the callbacks' queue takes messages and delivers none.
   * @default 'delivered', or 'lost' when the reconciler does not run by itself
   */
  readonly callbacks?: 'delivered' | 'lost' | undefined;
  /** @default 2 */
  readonly containersPerFunction?: number | undefined;
}

/** A listener that returns whether it took the request. */
export type Beside = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Takes over a part that was started, to close it with the run. */
export type Adopt = <Part extends { close(): Promise<void> | void }>(part: Part) => Part;

/** The REST API with the partners' routes and the documentation. */
export function startHttpDoor(
  { port, authorizerTtlMs, onAnswer }: DoorOptions,
  lambda: LambdaRuntime,
  around: {
    readonly fault: () => GatewayFault | undefined;
    readonly beside: Beside | undefined;
    readonly usagePlans: LocalUsagePlans;
  },
): Promise<Listening> {
  const cacheSeconds = authorizerTtlMs === undefined ? partnerAuthorizer.cacheSeconds : authorizerTtlMs / 1000;
  return startGateway({
    port,
    routes,
    publicRoutes: [...documentationRoutes, ...unknownRoutes([...routes, ...documentationRoutes])],
    authorizer: { ...partnerAuthorizer, cacheSeconds },
    gatewayResponse: renderGatewayResponse,
    minimumCompressionBytes: compressFromBytes,
    invoke: (functionName, event, how) => lambda.invoke(functionName, event, how),
    onAnswer,
    ...around,
  });
}

export interface EventsDoor {
  /** Between the partners' rules and the function, with its DLQ. */
  readonly queue: LocalQueue;
}

interface DoorParts {
  readonly lambda: LambdaRuntime;
  /** Through which operators and functions reach the queue. */
  readonly queues: QueueEndpoint;
  /** A JSON file that keeps the queue over restarts. @default in memory */
  readonly statePath: string | undefined;
  readonly adopt: Adopt;
}

/** The queue from the partners' rules to the function. */
export function startEventsDoor(
  { queueVisibilityMs = eventDoor.visibilityTimeoutSeconds * 1000 }: DoorOptions,
  { lambda, queues, statePath, adopt }: DoorParts,
): EventsDoor {
  const queue = adopt(
    startQueue({
      name: eventsQueueName,
      invoke: (event) => lambda.invoke(eventDoor.function, event),
      batchSize: eventDoor.batchSize,
      visibilityTimeoutMs: queueVisibilityMs,
      maxReceives: eventDoor.maxReceives,
      statePath,
    }),
  );
  queues.serve(queue);
  return { queue };
}

/** The functions that read the cancellation log's stream, and the sealer of what one of them archives. */
export async function startLogReaders(
  { sealEveryMs = 60_000 }: DoorOptions,
  lambda: LambdaRuntime,
  { client, streams, tableNames }: LocalDynamoDb<TableName>,
  adopt: Adopt,
): Promise<void> {
  const TableName = tableNames.CancellationLog;
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  const place = { streams, table: TableName, streamArn: Table?.LatestStreamArn ?? '' };
  const sealing = adopt(startSealing(sealEveryMs, () => lambda.invoke(sealSchedule.function, {})));
  const readers = Object.values<StreamReader>(logReaders).filter(
    (reader) => sealEveryMs > 0 || reader !== logReaders.archive,
  );
  await streams.forgetOthers(
    TableName,
    readers.map((reader) => reader.function),
  );
  for (const reader of readers) {
    const { function: name, patterns, batchSize, windowSeconds = 0, reportsFailures } = reader;
    const invoke = async (event: unknown) => {
      const result = await lambda.invoke(name, event);
      if (reader === logReaders.archive) sealing.begin();
      return result;
    };
    const windowMs = Math.min(windowSeconds * 1000, LONGEST_WINDOW_MS);
    adopt(startStreamSource({ name, invoke, patterns, batchSize, windowMs, reportsFailures }, place));
  }
}

/** No one waits half a minute for a record on this machine. */
const LONGEST_WINDOW_MS = 250;

/** A digest ends at a whole second, at least one before now: after two it has what was put. */
const FIRST_SEAL_MS = 2_100;

/** Seals by schedule, and once soon after something was archived first. @param everyMs 0: never */
function startSealing(everyMs: number, seal: () => Promise<unknown>): { begin(): void; close(): void } {
  // The function logs its own failure, and the next run comes anyway.
  const run = (): void => void seal().catch(() => undefined);
  const timer = everyMs === 0 ? undefined : setInterval(run, everyMs);
  let first: NodeJS.Timeout | undefined;
  return {
    begin() {
      first ??= setTimeout(run, FIRST_SEAL_MS);
    },
    close() {
      clearInterval(timer);
      clearTimeout(first);
    },
  };
}

export interface TimeDoor {
  /** Messages that wait for their wake-ups to be due. */
  readonly wakeUpQueue: LocalQueue;
}

/** What looks at unfinished cancellations: the wake-up queue, and the reconciler's schedule. */
export function startTimeDoor(options: DoorOptions, { lambda, queues, statePath, adopt }: DoorParts): TimeDoor {
  const { reconcileEveryMs: everyMs = reconcilerSchedule.everyMinutes * 60_000, containersPerFunction = 2 } = options;
  const { wakeUps = everyMs === 0 ? 'lost' : 'delivered' } = options;
  const wakeUpQueue = adopt(
    startQueue({
      name: wakeUpQueueName,
      invoke: async (event) =>
        wakeUps === 'lost' ? { kind: 'answered', payload: null } : lambda.invoke(definition.function, event),
      batchSize: definition.batchSize,
      visibilityTimeoutMs: definition.visibilityTimeoutSeconds * 1000,
      statePath,
    }),
  );
  queues.serve(wakeUpQueue);
  const { function: name } = reconcilerSchedule;
  const invoke = (event: unknown) => lambda.invoke(name, event);
  if (everyMs > 0) adopt(startSchedule({ everyMs, atOnce: containersPerFunction, name, invoke }));
  return { wakeUpQueue };
}

export interface CallbackDoor {
  /** Messages about what partners are to be told, and its DLQ. */
  readonly callbackQueue: LocalQueue;
}

/** What brings callbacks to partners: the queue, and the schedule that finds what is due. */
export function startCallbackDoor(options: DoorOptions, { lambda, queues, statePath, adopt }: DoorParts): CallbackDoor {
  const { reconcileEveryMs: everyMs = callbackSchedule.everyMinutes * 60_000, containersPerFunction = 2 } = options;
  const { callbacks = everyMs === 0 ? 'lost' : 'delivered' } = options;
  const { function: name, batchSize, visibilityTimeoutSeconds, maxReceives } = callbackDefinition;
  const { queueVisibilityMs = visibilityTimeoutSeconds * 1000 } = options;
  const callbackQueue = adopt(
    startQueue({
      name: callbackQueueName,
      invoke: async (event) =>
        callbacks === 'lost' ? { kind: 'answered', payload: null } : lambda.invoke(name, event),
      batchSize,
      isFifo: true,
      batchesAtOnce: containersPerFunction,
      visibilityTimeoutMs: queueVisibilityMs,
      maxReceives,
      statePath,
    }),
  );
  queues.serve(callbackQueue);
  const invoke = (event: unknown) => lambda.invoke(name, event);
  if (everyMs > 0) adopt(startSchedule({ everyMs, atOnce: containersPerFunction, name, invoke }));
  return { callbackQueue };
}
