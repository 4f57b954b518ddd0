import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import type { JobDirectory } from '../../../functions/core/job-directory.ts';
import type { CancellationLog } from '../../../functions/core/ports.ts';
import { callbackQueue } from '../../../infra/blueprint/callbacks.ts';
import { eventDoor } from '../../../infra/blueprint/bus-events.ts';
import {
  type EnvironmentVariable,
  type FunctionName,
  functions,
  retentionVariable,
} from '../../../infra/blueprint/functions.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../../infra/local/aws/dynamodb.ts';
import { createAccessKey, keyVariables } from '../../../infra/local/aws/access-keys.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { bus, startEventBridge } from '../../../infra/local/aws/events/event-bridge.ts';
import { deadLetterName, localQueueUrl, startQueueEndpoint } from '../../../infra/local/aws/events/queue-endpoint.ts';
import { startQueue } from '../../../infra/local/aws/events/queue.ts';
import { type Container, startContainer } from '../../../infra/local/aws/lambda/container.ts';
import { type PlangrepSimulator, startPlangrepSimulator } from '../../../infra/local/plangrep/plangrep-simulator.ts';
import { type LocalSecretsManager, startSecretsManager } from '../../../infra/local/aws/secrets-manager.ts';
import { retention } from '../../support/names.ts';
import { startTap, type Tap } from './tap.ts';
import { type TableName, tables } from '../../../infra/blueprint/tables.ts';
import { wakeUpQueue } from '../../../infra/blueprint/wake-up-queue.ts';

export const secretId = 'plangrep/api-key';
export const callbackSecretId = 'callbacks/master-secret';
/** What partners' signing secrets are made from. */
export const callbackMaster = 'the-master-secret-of-the-proofs-from-which-all-others-are-made-0';
export const apiKey = 'pgk_live_proof0key';
const bundles = new URL('../../../dist/functions', import.meta.url).pathname;
/** A reconciler naps for wake-ups within its time: with 3 s of it, it looks at what is due and leaves. */
const BRIEF_RUN_MS = 22_000;

/** A separate world: an engine on disk, a secret, Plangrep, and real processes that reach them through one tap. */
export interface Stage {
  readonly tap: Tap;
  readonly simulator: PlangrepSimulator;
  readonly secretsManager: LocalSecretsManager;
  readonly dynamodb: LocalDynamoDb<TableName>;
  readonly log: CancellationLog;
  readonly directory: JobDirectory;
  /** The events that were set aside, oldest first. */
  deadLetters(): readonly string[];
  /** The messages of the wake-up queue, which delivers none. */
  wakeUps(): readonly string[];
  /** What every function printed. */
  readonly printed: string[];
  /** Lets Plangrep's time pass. */
  advance(ms: number): void;
  /**
   * A fresh process of the real bundle, ready. A function fetches Plangrep's key while it starts: unless told otherwise,
   * it is waited for, so that every effect that follows is an invocation's.
   */
  start(name: FunctionName, key?: 'key waited for' | 'key under way'): Promise<Container>;
  /** The engine ends and comes back from its files. */
  restartEngine(): Promise<void>;
  close(): Promise<void>;
}

/** @param path where the engine's data is; it goes with the stage. @default a new, empty folder */
export const openStage = async (path?: string): Promise<Stage> => {
  const folder = path ?? (await mkdtemp(join(tmpdir(), 'proof-')));
  const accessKey = createAccessKey();
  let ahead = 0;
  let dynamodb = await startLocalDynamoDb({ tables, path: folder, accessKey });
  const secretsManager = await startSecretsManager({
    secrets: { [secretId]: apiKey, [callbackSecretId]: callbackMaster },
    accessKey,
  });
  const simulator = await startPlangrepSimulator({ apiKey, now: () => Date.now() + ahead });
  // Only its DLQ is used: tests invoke the functions themselves.
  const queue = startQueue({
    name: 'events',
    invoke: () => Promise.reject(new Error('the stage sends no message')),
    batchSize: eventDoor.batchSize,
    visibilityTimeoutMs: eventDoor.visibilityTimeoutSeconds * 1000,
    maxReceives: eventDoor.maxReceives,
  });
  // What functions send to it stays in it.
  const wakeUps = startQueue({
    name: 'wake-ups',
    invoke: () => new Promise(() => undefined),
    batchSize: wakeUpQueue.batchSize,
    visibilityTimeoutMs: wakeUpQueue.visibilityTimeoutSeconds * 1000,
  });
  const callbacks = startQueue({
    name: 'callbacks',
    invoke: () => new Promise(() => undefined),
    batchSize: callbackQueue.batchSize,
    visibilityTimeoutMs: callbackQueue.visibilityTimeoutSeconds * 1000,
  });
  const definitions = [
    { name: queue.name, sentTo: 'by rules', hasDeadLetters: true },
    { name: wakeUps.name, sentTo: 'by callers', hasDeadLetters: false },
    { name: callbacks.name, sentTo: 'by callers', hasDeadLetters: false },
  ] as const;
  const queues = await startQueueEndpoint(definitions, [accessKey]);
  for (const each of [queue, wakeUps, callbacks]) queues.serve(each);
  const eventBridge = await startEventBridge({
    publishers: [{ ...accessKey, principalArn: `arn:aws:iam::${bus.account}:role/function` }],
    policy: [],
    rules: [],
    deliver: () => undefined,
  });
  const targets = {
    dynamodb: dynamodb.url,
    secretsmanager: secretsManager.url,
    sqs: queues.url,
    eventbridge: eventBridge.url,
    plangrep: simulator.url,
  };
  const tap = await startTap(targets);
  const containers = new Set<Container>();
  const printed: string[] = [];
  const { tableNames } = dynamodb;
  const portsOn = ({ client }: LocalDynamoDb<TableName>) => ({
    log: createCancellationLog(client, tableNames.CancellationLog),
    directory: createJobDirectory(client, tableNames.JobDirectory),
  });
  let ports = portsOn(dynamodb);
  const values: Record<EnvironmentVariable, string> = {
    ENVIRONMENT: 'local',
    PLANGREP_BASE_URL: tap.urls.plangrep,
    PLANGREP_SECRET_ID: secretId,
    JOB_DIRECTORY_TABLE: tableNames.JobDirectory,
    CANCELLATION_LOG_TABLE: tableNames.CancellationLog,
    PARTNERS_TABLE: tableNames.Partners,
    EVENTS_MAX_RECEIVES: String(eventDoor.maxReceives),
    RETENTION_DAYS: retentionVariable(retention),
    EVENTS_DEAD_LETTERS_URL: localQueueUrl(tap.urls.sqs, deadLetterName(queue.name)),
    WAKE_UP_QUEUE_URL: localQueueUrl(tap.urls.sqs, wakeUps.name),
    CALLBACK_QUEUE_URL: localQueueUrl(tap.urls.sqs, callbacks.name),
    CALLBACK_SECRET_ID: callbackSecretId,
    EVENTBRIDGE_URL: tap.urls.eventbridge,
    EVENT_BUS_NAME: 'default',
    ARCHIVE_BUCKET: 'none',
    SEAL_KEY: 'none',
    SEAL_MARGIN_SECONDS: '1',
  };

  const start: Stage['start'] = async (name, key = 'key waited for') => {
    const { environment, timeoutSeconds, memoryMb } = functions[name];
    const definition = {
      functionName: name,
      directory: join(bundles, name),
      timeoutMs: name === 'reconcile-cancellations' ? BRIEF_RUN_MS : timeoutSeconds * 1000,
      memoryMb,
      environment: {
        ...Object.fromEntries(environment.map((variable) => [variable, values[variable]])),
        AWS_REGION: localRegion,
        ...keyVariables(accessKey),
        AWS_ENDPOINT_URL_DYNAMODB: tap.urls.dynamodb,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: tap.urls.secretsmanager,
      },
    };
    const fetched = Promise.withResolvers<void>();
    const container = await startContainer(definition, (line) => {
      printed.push(line);
      if (line.includes('PLANGREP_KEY_FETCHED')) fetched.resolve();
    });
    containers.add(container);
    void container.ended.then(() => containers.delete(container));
    await container.ready;
    const fetches = environment.some((variable) => variable === 'PLANGREP_SECRET_ID');
    if (fetches && key === 'key waited for') await fetched.promise;
    return container;
  };

  return {
    tap,
    simulator,
    secretsManager,
    get dynamodb() {
      return dynamodb;
    },
    get log() {
      return ports.log;
    },
    get directory() {
      return ports.directory;
    },
    deadLetters: () => queue.deadLetters(),
    wakeUps: () => wakeUps.waiting(),
    printed,
    advance(ms) {
      ahead += ms;
    },
    start,
    async restartEngine() {
      await dynamodb.close();
      dynamodb = await startLocalDynamoDb({ tables, path: folder, accessKey });
      ports = portsOn(dynamodb);
      tap.direct('dynamodb', dynamodb.url);
    },
    async close() {
      const ending = [...containers].map(({ ended }) => ended);
      for (const container of containers) container.kill();
      await Promise.all(ending);
      await tap.close();
      await simulator.close();
      await queues.close();
      await eventBridge.close();
      for (const each of [queue, wakeUps, callbacks]) each.close();
      await secretsManager.close();
      await dynamodb.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
