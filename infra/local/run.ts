import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceFunctions } from '../blueprint/functions.ts';
import type { TableName } from '../blueprint/tables.ts';
import { createAccessKey, type LocalAccessKey, withRegion } from './aws/access-keys.ts';
import type { LocalDynamoDb, TablesFault } from './aws/dynamodb.ts';
import type { GatewayFault } from './aws/gateway/answer-request.ts';
import type { OnLog } from './aws/lambda/container.ts';
import type { LambdaRuntime } from './aws/lambda/lambda-runtime.ts';
import { type LocalBus, type OnAnnounced, startBus } from './bus.ts';
import { CannotStart, explainStart } from './cannot-start.ts';
import { createConsoleKey, keepConsoleKey } from './credentials/console-key.ts';
import { type CredentialsFile, removeCredentials, writeCredentials } from './credentials/credentials-file.ts';
import { keepAccess, keepAnnounced, keepLines, type KeptLines, linesPathOf } from './kept-lines.ts';
import {
  type Adopt,
  type Beside,
  type DoorOptions,
  type EventsDoor,
  type CallbackDoor,
  startCallbackDoor,
  startEventsDoor,
  startHttpDoor,
  startLogReaders,
  startTimeDoor,
  type TimeDoor,
} from './doors.ts';
import type { RestoredTables } from './restored-tables.ts';
import { type AwsServices, startAwsServices } from './start-aws-services.ts';
import { createFunctionCallers, keyOf, startFunctions } from './start-functions.ts';
import { type PlangrepSimulator, startPlangrepSimulator } from './plangrep/plangrep-simulator.ts';
import {
  isExampleJob,
  type PartnerCredential,
  plangrepSecretId,
  seededPartners,
  seedTables,
  seedUsageKeys,
} from './seeds.ts';

export interface LocalRunOptions extends DoorOptions {
  /** The folder that keeps the data between runs, created if missing. @default in memory */
  readonly dataDir?: string | undefined;
  /** Restored tables to use in place of some, by name: they must be in the data folder. @default none */
  readonly restoredTables?: RestoredTables | undefined;
  /** How long the tables take to answer, beside their own work, in milliseconds. @default 0 */
  readonly tablesLatencyMs?: number | undefined;
  /** Another Plangrep instead of the simulator. */
  readonly upstream?: { readonly baseUrl: string; readonly apiKey: string } | undefined;
  /** Receives every line that a function prints. */
  readonly onLog?: OnLog | undefined;
  /** Receives every event that goes out on the bus. */
  readonly onAnnounced?: OnAnnounced | undefined;
  /** What answers beside the API on its port, for example the console. @default nothing */
  readonly beside?: ((parts: RunParts) => Beside) | undefined;
  /**
   * The file that holds the credentials while the run is up, readable only for its owner. The functions' lines are kept
   * beside it. @default none
   */
  readonly credentialsPath?: string | undefined;
  /** The folder of the bundles. @default `dist/functions` */
  readonly bundles?: string | undefined;
}

/** The parts of a run that scenes and the console work on. */
export interface RunParts {
  readonly dynamodb: LocalDynamoDb<TableName>;
  /** Absent with another upstream. */
  readonly simulator?: PlangrepSimulator | undefined;
  readonly partners: readonly PartnerCredential[];
  /** The operator's key: every local AWS service takes it. */
  readonly aws: LocalAccessKey;
  /** Opens the console's API. */
  readonly consoleKey: string;
  /** What partners' signing secrets are made from. */
  readonly callbackSecret: string;
  readonly faults: ServiceFaults;
}

/**
 * How a part of this service itself misbehaves. (The simulator has Plangrep's faults.) Set or clear the current fault by
 * assignment: the gateway and the tables look it up for each request.
 */
export interface ServiceFaults {
  current?: GatewayFault | TablesFault | undefined;
}

/** The whole service on this machine: the bundles that are deployed, with real parts around them. */
export interface LocalRun
  extends RunParts,
    Omit<AwsServices, 'endpoints' | 'queues'>,
    Pick<LocalBus, 'eventBridge'>,
    EventsDoor,
    TimeDoor,
    CallbackDoor {
  readonly baseUrl: string;
  /** With the key: its holder can act as every partner. */
  readonly consoleUrl: string;
  readonly plangrepUrl: string;
  /** For the AWS SDK and CLI. */
  readonly endpoints: AwsServices['endpoints'] & { readonly eventbridge: string };
  readonly lambda: LambdaRuntime;
  /** The newest 10,000 lines that the functions printed, oldest first. */
  readonly logs: readonly string[];
  readonly credentials: CredentialsFile;
  /** Ends every part and every process, and removes the file with the credentials. */
  close(): Promise<void>;
}

/** Where `npm run build` writes the bundles. */
export const defaultBundles = new URL('../../dist/functions', import.meta.url).pathname;
const KEPT_LINES = 10_000;

/**
 * Starts the service on 127.0.0.1: the AWS services, Plangrep's simulator (or another upstream), the
 * functions behind their doors, and two partners with new credentials.
 * @throws CannotStart when a port, a folder or a bundle cannot be used; nothing is left running then
 */
export async function startLocalRun(options: LocalRunOptions = {}): Promise<LocalRun> {
  await checkBundles(options.bundles ?? defaultBundles);
  const closers: (() => Promise<void> | void)[] = [];
  const adopt: Adopt = (part) => {
    closers.push(() => part.close());
    return part;
  };
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).toReversed()) await end();
  };
  try {
    const lines = adopt(keepLines());
    const parts = await startParts(options, adopt, lines);
    const { baseUrl, consoleUrl, plangrepUrl, endpoints, aws, partners, dynamodb } = parts;
    const { tableNames } = dynamodb;
    const content = { baseUrl, consoleUrl, plangrepUrl, endpoints, aws, partners, tables: tableNames };
    const path = options.credentialsPath;
    const credentials: CredentialsFile = path === undefined ? { kind: 'none' } : await writeCredentials(path, content);
    closers.push(() => removeCredentials(credentials, content));
    const isWritten = credentials.kind === 'written' || credentials.kind === 'beside';
    lines.begin(isWritten ? linesPathOf(credentials.path) : undefined);
    return { ...parts, credentials, close };
  } catch (error) {
    await close();
    throw explainStart(error, options.port);
  }
}

async function startParts(
  options: LocalRunOptions,
  adopt: Adopt,
  lines: KeptLines,
): Promise<Omit<LocalRun, 'close' | 'credentials'>> {
  const { upstream, dataDir, restoredTables, tablesLatencyMs: latencyMs } = options;
  const inDataDir = (name: string) => (dataDir === undefined ? undefined : join(dataDir, name));
  const faults: ServiceFaults = {};
  const isDown = (): boolean => faults.current?.kind === 'tables_down';
  const aws = withRegion(createAccessKey());
  const callers = createFunctionCallers(restoredTables);
  const apiKey = upstream?.apiKey ?? `pgk_local_${randomBytes(16).toString('hex')}`;
  const secrets = { [plangrepSecretId]: apiKey };
  const place = { plans: options.plans, dataDir, restoredTables, latencyMs };
  const services = await startAwsServices({ aws, callers, secrets, isDown, adopt, ...place });
  const { queues, ...shown } = services;
  const { dynamodb, usagePlans, callbackSecret } = shown;
  const jobs = seededPartners.flatMap((partner) => partner.jobs);
  const simulator =
    upstream === undefined
      ? adopt(
          await startPlangrepSimulator({ apiKey, accessKey: aws, jobs, statePath: inDataDir('plangrep-jobs.json') }),
        )
      : undefined;
  const isSeeded = simulator === undefined ? isExampleJob : () => true;
  const partners = await seedTables(dynamodb, seededPartners, isSeeded, Date.now());
  dynamodb.resetCounts();
  seedUsageKeys(usagePlans, seededPartners);

  const path = options.credentialsPath;
  const consoleKey = path === undefined ? createConsoleKey() : await keepConsoleKey(path);
  const parts: RunParts = { dynamodb, simulator, partners, aws, consoleKey, callbackSecret, faults };
  const plangrepUrl = upstream?.baseUrl ?? simulator?.url ?? '';
  const logs: string[] = [];
  const onLog: OnLog = (line, from) => {
    logs.push(line);
    if (logs.length > KEPT_LINES) logs.shift();
    lines.add(line, from.functionName);
    options.onLog?.(line, from);
  };
  const accessKeyOf = (functionName: string) => keyOf(callers, functionName);
  const onAnnounced = keepAnnounced(lines, options.onAnnounced);
  const bus = adopt(await startBus({ aws, partners, accessKeyOf, onAnnounced }));
  const { eventBridge } = bus;
  const lambda = adopt(
    startFunctions(
      { ...options, bundles: options.bundles ?? defaultBundles, onLog },
      { callers, services, eventBridge, plangrepUrl },
    ),
  );
  const { queue } = startEventsDoor(options, { lambda, queues, statePath: inDataDir('queue.json'), adopt });
  bus.deliverTo(queue);
  await startLogReaders(options, lambda, dynamodb, adopt);
  const time = startTimeDoor(options, { lambda, queues, statePath: inDataDir('wake-ups.json'), adopt });
  const callbacks = startCallbackDoor(options, { lambda, queues, statePath: inDataDir('callbacks.json'), adopt });
  const gateway = adopt(
    await startHttpDoor({ ...options, onAnswer: keepAccess(lines, options.onAnswer) }, lambda, {
      fault: () => (faults.current?.kind === 'tables_down' ? undefined : faults.current),
      beside: options.beside?.(parts),
      usagePlans,
    }),
  );
  const endpoints = { ...services.endpoints, eventbridge: eventBridge.url };
  const consoleUrl = `${gateway.url}/console#${consoleKey}`;
  const addresses = { baseUrl: gateway.url, consoleUrl, plangrepUrl, endpoints };
  return { ...parts, ...shown, ...addresses, eventBridge, queue, ...time, ...callbacks, lambda, logs };
}

async function checkBundles(bundles: string): Promise<void> {
  for (const name of Object.keys(serviceFunctions)) {
    await access(join(bundles, name, 'index.mjs')).catch((cause: unknown) => {
      throw new CannotStart(`The function ${name} is not built: run "npm run build" first.`, { cause });
    });
  }
}
