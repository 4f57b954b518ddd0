import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { documentationRoutes, routes } from '../blueprint/api.ts';
import { eventDoor } from '../blueprint/bus-events.ts';
import { type EnvironmentVariable, reconcilerSchedule, serviceFunctions } from '../blueprint/functions.ts';
import { tables } from '../blueprint/tables.ts';
import { CannotStart, explainPort } from './cannot-start.ts';
import type { OnLog } from './aws/lambda/container.ts';
import { defaultBundles, defineContainers } from './define-containers.ts';
import { type LocalDynamoDb, localRegion, startLocalDynamoDb } from './aws/dynamodb.ts';
import { type LocalEventBridge, startEventBridge } from './aws/events/event-bridge.ts';
import { type LocalQueue, startQueue } from './aws/events/queue.ts';
import { startQueueEndpoint } from './aws/events/queue-endpoint.ts';
import { startSchedule } from './aws/events/schedule.ts';
import { type Gateway, type OnAnswer, startGateway } from './aws/gateway/gateway.ts';
import { type LambdaRuntime, startLambdaRuntime } from './aws/lambda/lambda-runtime.ts';
import { type PlangrepSimulator, startPlangrepSimulator } from './plangrep/plangrep-simulator.ts';
import { type LocalSecretsManager, startSecretsManager } from './aws/secrets-manager.ts';
import { type PartnerCredential, seedTables } from './seed-tables.ts';
import { createServiceFaults, type ServiceFaults } from './aws/service-faults.ts';
import { writeCredentials } from './write-credentials.ts';
import { createConsole } from './console/create-console.ts';
import { isExampleJob, seededPartners } from './seeds.ts';

export interface LocalRunOptions {
  /** @default a free one */
  readonly port?: number | undefined;
  /** Where data stays between runs, made if missing. @default in memory */
  readonly dataDir?: string | undefined;
  /** In the simulator's place. */
  readonly upstream?: { readonly baseUrl: string; readonly apiKey: string } | undefined;
  /** @default 2 */
  readonly containersPerFunction?: number | undefined;
  /** Milliseconds between two runs of the reconciler; 0: none by itself. @default 60_000 */
  readonly reconcileEveryMs?: number | undefined;
  /** Milliseconds until a message that failed comes back. @default 60_000 */
  readonly queueVisibilityMs?: number | undefined;
  /** Milliseconds that the authorizer's answer is kept. @default 60_000 */
  readonly authorizerTtlMs?: number | undefined;
  /** Every line that a function prints. */
  readonly onLog?: OnLog | undefined;
  /** Every answer of the gateway. */
  readonly onAnswer?: OnAnswer | undefined;
  /** Where to write the credentials, for the owner's eyes only. @default nowhere */
  readonly credentialsPath?: string | undefined;
  /** The folder of the bundles. @default `dist/functions` */
  readonly bundles?: string | undefined;
  /** Of the functions' processes, besides the heap's sizes. @default as Lambda's start script has them */
  readonly nodeArguments?: readonly string[] | undefined;
}

/** The whole service on this machine: the bundles that are deployed, on real parts. */
export interface LocalRun {
  readonly baseUrl: string;
  readonly plangrepUrl: string;
  readonly partners: readonly PartnerCredential[];
  readonly credentialsPath?: string | undefined;
  /** For the AWS SDK and CLI. */
  readonly endpoints: Readonly<Record<'dynamodb' | 'secretsmanager' | 'eventbridge' | 'sqs', string>>;
  readonly eventBridge: LocalEventBridge;
  /** Between the partners' rules and `consume-events`, with its DLQ. */
  readonly queue: LocalQueue;
  /** Absent with another upstream. */
  readonly simulator?: PlangrepSimulator | undefined;
  readonly secretsManager: LocalSecretsManager;
  readonly dynamodb: LocalDynamoDb;
  readonly lambda: LambdaRuntime;
  readonly gateway: Gateway;
  /** What goes wrong with its own parts, to see what a caller gets then. */
  readonly faults: ServiceFaults;
  /** The newest 10,000 lines that the functions printed, oldest first. */
  readonly logs: readonly string[];
  /** Ends every part and every process. */
  close(): Promise<void>;
}

export const plangrepSecretId = 'plangrep/api-key';
const KEPT_LINES = 10_000;

const checkBundles = async (bundles: string): Promise<void> => {
  for (const name of Object.keys(serviceFunctions)) {
    await access(join(bundles, name, 'index.cjs')).catch((cause: unknown) => {
      throw new CannotStart(`The function ${name} is not built: run "npm run build" first.`, { cause });
    });
  }
};

/**
 * Brings the service up on 127.0.0.1: embedded DynamoDB, Secrets Manager, Plangrep's simulator (or another upstream),
 * the functions behind a gateway, two partners with a fresh credential each.
 * @throws CannotStart when a port, a folder or a bundle is not to be had; nothing is left running then
 */
export const startLocalRun = async (options: LocalRunOptions = {}): Promise<LocalRun> => {
  const { dataDir, upstream, bundles = defaultBundles, port = 0 } = options;
  await checkBundles(bundles);
  const logs: string[] = [];
  const onLog: OnLog = (line, from) => {
    logs.push(line);
    if (logs.length > KEPT_LINES) logs.shift();
    options.onLog?.(line, from);
  };

  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).toReversed()) await end();
  };
  const opened = <Part extends { close(): Promise<void> | void }>(part: Part): Part => {
    closers.push(async () => part.close());
    return part;
  };

  const faults = createServiceFaults();
  try {
    const path = dataDir === undefined ? undefined : join(dataDir, 'dynamodb');
    const dynamodb = opened(await startLocalDynamoDb({ path, isDown: () => faults.current()?.kind === 'tables_down' }));
    const apiKey = upstream?.apiKey ?? `pgk_local_${randomBytes(16).toString('hex')}`;
    const secretsManager = opened(await startSecretsManager({ secrets: { [plangrepSecretId]: apiKey } }));
    const simulator =
      upstream === undefined
        ? opened(
            await startPlangrepSimulator({
              apiKey,
              jobs: seededPartners.flatMap(({ jobs }) => jobs),
              ...(dataDir === undefined ? {} : { statePath: join(dataDir, 'plangrep-jobs.json') }),
            }),
          )
        : undefined;
    const isSeeded = simulator === undefined ? isExampleJob : () => true;
    const partners = await seedTables(dynamodb, seededPartners, isSeeded, Date.now());
    dynamodb.resetCounts();

    const plangrepUrl = upstream?.baseUrl ?? simulator?.url ?? '';
    const { tableNames } = dynamodb;
    const values: Record<EnvironmentVariable, string> = {
      ENVIRONMENT: 'local',
      PLANGREP_BASE_URL: plangrepUrl,
      PLANGREP_SECRET_ID: plangrepSecretId,
      [tables.JobDirectory.variable]: tableNames.JobDirectory,
      [tables.CancellationLog.variable]: tableNames.CancellationLog,
      [tables.Partners.variable]: tableNames.Partners,
      EVENTS_MAX_RECEIVES: String(eventDoor.maxReceives),
    };
    const { containersPerFunction = 2 } = options;
    const { nodeArguments } = options;
    const surroundings = { bundles, dynamodb, secretsManager, nodeArguments };
    const definitions = defineContainers<EnvironmentVariable>(serviceFunctions, values, surroundings);
    const lambda = opened(startLambdaRuntime({ functions: definitions, containersPerFunction, onLog }));
    const queue = opened(
      startQueue({
        invoke: (event) => lambda.invoke('consume-events', event),
        region: localRegion,
        batchSize: eventDoor.batchSize,
        visibilityTimeoutMs: options.queueVisibilityMs ?? eventDoor.visibilityTimeoutSeconds * 1000,
        maxReceives: eventDoor.maxReceives,
        statePath: dataDir === undefined ? undefined : join(dataDir, 'queue.json'),
      }),
    );
    const sqs = opened(await startQueueEndpoint({ queue, region: localRegion }));
    const rules = partners.map(({ partnerId, eventSource }) => ({ partnerId, eventSource }));
    const eventBridge = opened(
      await startEventBridge({ region: localRegion, rules, deliver: (input) => queue.send(input) }),
    );
    const everyMs = options.reconcileEveryMs ?? reconcilerSchedule.everyMinutes * 60_000;
    if (everyMs > 0) {
      const invoke = (event: unknown) => lambda.invoke('reconcile-cancellations', event);
      opened(startSchedule({ everyMs, atOnce: containersPerFunction, region: localRegion, invoke }));
    }
    const gateway = opened(
      await startGateway({
        port,
        region: localRegion,
        routes,
        publicRoutes: documentationRoutes,
        authorizer: 'authorize-partner',
        invoke: (functionName, event, fault) => lambda.invoke(functionName, event, fault),
        faults,
        beside: createConsole({ dynamodb, simulator, partners, faults }),
        authorizerTtlMs: options.authorizerTtlMs,
        onAnswer: options.onAnswer,
      }).catch((error: unknown) => {
        throw explainPort(error, port);
      }),
    );
    const { credentialsPath } = options;
    const baseUrl = gateway.url;
    const endpoints = {
      dynamodb: dynamodb.url,
      secretsmanager: secretsManager.url,
      eventbridge: eventBridge.url,
      sqs: sqs.url,
    };
    if (credentialsPath !== undefined) {
      await writeCredentials(credentialsPath, { baseUrl, plangrepUrl, endpoints, partners });
    }
    return {
      baseUrl,
      plangrepUrl,
      endpoints,
      partners,
      credentialsPath,
      simulator,
      eventBridge,
      queue,
      secretsManager,
      dynamodb,
      lambda,
      gateway,
      faults,
      logs,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
