import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  compressFromBytes,
  documentationRoutes,
  partnerAuthorizer,
  renderGatewayResponse,
  routes,
  unknownRoutes,
} from '../blueprint/api.ts';
import { closedEvent, eventDoor, inputTransformer, outgoingEvents } from '../blueprint/bus-events.ts';
import { busStatements } from '../blueprint/bus-policy.ts';
import { reconcilerSchedule } from '../blueprint/functions.ts';
import { roleNameOf } from '../blueprint/roles.ts';
import { accountOf } from '../blueprint/senders.ts';
import type { TableName } from '../blueprint/tables.ts';
import { wakeUpQueue as definition } from '../blueprint/wake-up-queue.ts';
import { type AccessKey, createAccessKey } from './aws/access-keys.ts';
import type { LocalDynamoDb } from './aws/dynamodb.ts';
import { bus, type LocalEventBridge, startEventBridge } from './aws/events/event-bridge.ts';
import { type BusEvent, startSchedule } from './aws/events/event-rules.ts';
import { startPipe } from './aws/events/pipes.ts';
import type { QueueEndpoint } from './aws/events/queue-endpoint.ts';
import { type LocalQueue, startQueue } from './aws/events/queue.ts';
import type { GatewayFault } from './aws/gateway/answer-request.ts';
import { type OnAnswer, startGateway } from './aws/gateway/gateway.ts';
import type { LocalUsagePlans, UsagePlan } from './aws/gateway/usage-plans.ts';
import type { LambdaRuntime } from './aws/lambda/lambda-runtime.ts';
import type { Listening } from './aws/loopback.ts';
import { eventsQueueName, localEnvironment, type PartnerCredential, wakeUpQueueName } from './seeds.ts';

export interface DoorOptions {
  /** @default a free one */
  readonly port?: number | undefined;
  /** How long the authorizer's answer is cached. @default 60_000 */
  readonly authorizerTtlMs?: number | undefined;
  /** What partners may send, by plan; the seeded ones are in `standard`. @default `localPlans` */
  readonly plans?: Readonly<Record<string, UsagePlan>> | undefined;
  /** Receives every answer of the gateway. */
  readonly onAnswer?: OnAnswer | undefined;
  /** Until a message that failed returns. @default 60_000 */
  readonly queueVisibilityMs?: number | undefined;
  /** Between two runs of the reconciler; 0: it does not run by itself. @default 60_000 */
  readonly reconcileEveryMs?: number | undefined;
  /**
   * `lost`: the wake-up queue takes messages and delivers none, so only the reconciler's schedule finds wake-ups.
   * @default 'delivered', or 'lost' when the reconciler does not run by itself
   */
  readonly wakeUps?: 'delivered' | 'lost' | undefined;
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
  readonly eventBridge: LocalEventBridge;
  /** Between the partners' rules and the function, with its DLQ. */
  readonly queue: LocalQueue;
}

/** Called with each event that goes out. */
export type OnAnnounced = (event: BusEvent) => void;

interface EventsDoorParts {
  readonly lambda: LambdaRuntime;
  readonly dynamodb: LocalDynamoDb<TableName>;
  readonly onAnnounced: OnAnnounced;
  /** The operator's. */
  readonly aws: AccessKey;
  readonly partners: readonly PartnerCredential[];
  /** Through which operators and functions reach the queue. */
  readonly queues: QueueEndpoint;
  /** A JSON file that keeps the queue over restarts. @default in memory */
  readonly statePath: string | undefined;
  readonly adopt: Adopt;
}

/**
 * EventBridge with the bus's policy and a rule for each partner, the queue from there to the function, and the pipes that
 * announce what is in the log.
 */
export async function startEventsDoor(
  { queueVisibilityMs = eventDoor.visibilityTimeoutSeconds * 1000 }: DoorOptions,
  { lambda, dynamodb, onAnnounced, aws, partners, queues, statePath, adopt }: EventsDoorParts,
): Promise<EventsDoor> {
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
  const rules = partners.map(({ partnerId, eventSource, principal }) => ({
    account: accountOf({ principal }, bus.account),
    source: eventSource,
    detailTypes: eventDoor.detailTypes,
    messageGroupId: partnerId,
    inputTransformer: inputTransformer(partnerId),
  }));
  const role = (name: string): string => `arn:aws:iam::${bus.account}:role/${name}`;
  const pipeKey = createAccessKey();
  const pipeRoleArn = role(roleNameOf(localEnvironment, 'outgoing-events'));
  const publishers = [
    { ...aws, principalArn: role('operator') },
    { ...pipeKey, principalArn: pipeRoleArn },
    ...partners.map(({ principal, aws: key }) => ({ ...key, principalArn: principal })),
  ];
  const policy = busStatements(partners, {
    busArn: bus.busArn,
    accountId: bus.account,
    partition: 'aws',
    pipeRoleArn,
  });
  const deliver = (input: string, group: string) => queue.send(input, group);
  const detailTypes = Object.values(outgoingEvents).map(({ detailType }) => detailType);
  const listeners = [{ source: closedEvent.source, detailTypes, take: onAnnounced }];
  const eventBridge = adopt(await startEventBridge({ publishers, policy, rules, listeners, deliver }));
  const table = dynamodb.tableNames.CancellationLog;
  for (const [name, event] of Object.entries(outgoingEvents)) {
    const place = { streams: dynamodb.streams, table, bus: { url: eventBridge.url, accessKey: pipeKey } };
    adopt(startPipe({ name: `${name}Pipe`, ...event }, place));
  }
  return { eventBridge, queue };
}

export interface TimeDoor {
  /** Messages that wait for their wake-ups to be due. */
  readonly wakeUpQueue: LocalQueue;
}

/** What looks at unfinished cancellations: the wake-up queue, and the reconciler's schedule. */
export function startTimeDoor(
  options: DoorOptions,
  { lambda, queues, statePath, adopt }: Pick<EventsDoorParts, 'lambda' | 'queues' | 'statePath' | 'adopt'>,
): TimeDoor {
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
