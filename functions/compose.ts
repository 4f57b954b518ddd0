import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import {
  createDynamoDbClient,
  createKmsClient,
  createS3Client,
  createSecretsManagerClient,
} from './adapters/aws-clients.ts';
import { createPostCallback } from './adapters/callbacks/post-callback.ts';
import { createSigningSecrets } from './adapters/callbacks/signing-secrets.ts';
import { createCallbackEndpoints } from './adapters/dynamodb/callback-endpoints.ts';
import { createCallbackLog } from './adapters/dynamodb/callback-log.ts';
import { createCancellationLog, createReadableLog } from './adapters/dynamodb/cancellation-log.ts';
import { createJobDirectory, createPagedDirectory } from './adapters/dynamodb/job-directory.ts';
import { createPartners, createReadPartnerKey } from './adapters/dynamodb/partners.ts';
import { createSandboxRecords } from './adapters/dynamodb/sandbox-records.ts';
import { createEventBus } from './adapters/eventbridge/event-bus.ts';
import { createSigner } from './adapters/kms/signer.ts';
import { createArchiveStore } from './adapters/s3/archive-store.ts';
import { createCallbackQueue } from './adapters/sqs/callback-queue.ts';
import { createDeadLetters } from './adapters/sqs/dead-letters.ts';
import { createSendMessage } from './adapters/sqs/send-message.ts';
import { createWakeUpQueue } from './adapters/sqs/wake-up-queue.ts';
import { createPlangrep } from './adapters/plangrep/plangrep-client.ts';
import { rememberListings } from './adapters/plangrep/remember-listings.ts';
import { type CachedPlangrepKey, createPlangrepKey } from './adapters/plangrep/plangrep-key.ts';
import { plangrepConnections } from './connect-first.ts';
import type { ArchivingPorts } from './core/archive/archive-changes.ts';
import type { SealingPorts } from './core/archive/seal-archive.ts';
import type { CallbackPorts } from './core/callbacks/ports.ts';
import { createSlowEndpoints } from './core/callbacks/slow-endpoints.ts';
import type { AttemptPorts, Clock, Ports } from './core/ports.ts';
import { externalIdSchema, partnerIdSchema } from './core/identifiers.ts';
import { type Report, reportLevels } from './core/report.ts';
import { presentCallback } from './doors/callbacks/present-callback.ts';
import type { EventsQueue } from './doors/eventbridge/handle-events.ts';
import type { AnnouncePorts } from './doors/stream/announce-records.ts';
import type { ReadPorts } from './core/use-cases/read-cancellations.ts';
import type { CredentialPorts } from './doors/http/check-credential.ts';
import { createApiKeyCheck, type SimulatedCallPorts } from './simulator/handle-simulated-call.ts';

// The composition root: binds the ports of each kind of function to the real world, once per cold start. A bundle holds
// only what its own `compose…` function reaches.

const text = z.string().check(z.minLength(1));
const whole = z.pipe(z.string().check(z.regex(/^[1-9]\d{0,3}$/)), z.transform(Number));

/** Every environment variable that a function may need. */
const variables = z.object({
  ENVIRONMENT: z.string().check(z.regex(/^[a-z]{1,16}$/)),
  PLANGREP_BASE_URL: z.url(),
  PLANGREP_SECRET_ID: text,
  JOB_DIRECTORY_TABLE: text,
  CANCELLATION_LOG_TABLE: text,
  PARTNERS_TABLE: text,
  WAKE_UP_QUEUE_URL: z.url(),
  /** Only in a sandbox. */
  SANDBOX_TABLE: text,
  EVENTS_DEAD_LETTERS_URL: z.url(),
  /** How often the queue delivers a message before it moves it to the DLQ. */
  EVENTS_MAX_RECEIVES: whole,
  /** `events=400&requests=90&jobs=90` */
  RETENTION_DAYS: z.pipe(
    z.pipe(
      text,
      z.transform((days) => Object.fromEntries(new URLSearchParams(days))),
    ),
    z.object({ events: whole, requests: whole, jobs: whole }),
  ),
});

/** @throws when a variable is missing or malformed: the message names each of them, and shows no value */
function readConfiguration<Schema extends z.ZodMiniType>(schema: Schema): z.infer<Schema> {
  const parsed = schema.safeParse(process.env);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map(({ path }) => path.join('.'));
  throw new Error(`missing or malformed in the environment: ${names.join(', ')}`);
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  newId: () => randomUUID(),
  newSalt: () => randomBytes(16).toString('hex'),
  sleep,
};

/**
 * One object a line: Lambda's JSON log format adds time, level and requestId (AWS Lambda Developer Guide, Log and
 * monitor Node.js functions), so no logging library is needed.
 */
const report: Report = (code, fields = {}) => {
  const level = reportLevels[code];
  // A release is rolled back by what its own version reports: infra/blueprint/rollout/version-alarms.ts.
  const version = level === 'error' ? process.env['AWS_LAMBDA_FUNCTION_VERSION'] : undefined;
  console[level]({ code, ...fields, version });
};

/** For the authorizer, which knows credentials and nothing else. */
export function composeCredentialCheck(): CredentialPorts & Pick<Ports, 'report'> {
  const configuration = readConfiguration(z.pick(variables, { ENVIRONMENT: true, PARTNERS_TABLE: true }));
  return {
    readPartnerKey: createReadPartnerKey(createDynamoDbClient(), configuration.PARTNERS_TABLE),
    clock: systemClock,
    environment: configuration.ENVIRONMENT,
    report,
  };
}

const plangrepVariables = { PLANGREP_BASE_URL: true, PLANGREP_SECRET_ID: true } as const;
const findingVariables = { JOB_DIRECTORY_TABLE: true, PARTNERS_TABLE: true } as const;

/** For a function that registers jobs. */
export function composeRegistration(): Omit<Ports, 'log' | 'wakeUpQueue'> {
  const names = { ...plangrepVariables, ...findingVariables, RETENTION_DAYS: true } as const;
  const configuration = readConfiguration(z.pick(variables, names));
  const plangrep = composePlangrep(configuration);
  const finding = bindFindingPorts(createDynamoDbClient(), configuration);
  return { ...finding, plangrep, clock: systemClock, report, retention: configuration.RETENTION_DAYS };
}

/** For a function that reads cancellations. */
export function composeReading(): ReadPorts & Pick<Ports, 'clock'> {
  const names = { CANCELLATION_LOG_TABLE: true, JOB_DIRECTORY_TABLE: true } as const;
  const configuration = readConfiguration(z.pick(variables, names));
  const client = createDynamoDbClient();
  return {
    log: createReadableLog(client, configuration.CANCELLATION_LOG_TABLE),
    directory: createPagedDirectory(client, configuration.JOB_DIRECTORY_TABLE),
    clock: systemClock,
    report,
  };
}

const attemptVariables = {
  ...plangrepVariables,
  CANCELLATION_LOG_TABLE: true,
  WAKE_UP_QUEUE_URL: true,
  RETENTION_DAYS: true,
} as const;
type Configuration = z.infer<typeof variables>;

/** For a function that continues cancellations whose job is known. */
export function composeAttempts(): AttemptPorts {
  return bindAttemptPorts(createDynamoDbClient(), readConfiguration(z.pick(variables, attemptVariables)));
}

/** For a function that finds jobs and cancels them. */
export function composeCancelling(): Ports {
  return bindCancellingPorts(createDynamoDbClient());
}

function bindCancellingPorts(client: DynamoDBClient): Ports {
  const configuration = readConfiguration(z.pick(variables, { ...attemptVariables, ...findingVariables }));
  const attempt = bindAttemptPorts(client, configuration);
  return {
    ...attempt,
    ...bindFindingPorts(client, configuration),
    plangrep: rememberListings(attempt.plangrep, systemClock),
  };
}

function bindAttemptPorts(
  client: DynamoDBClient,
  configuration: Pick<Configuration, keyof typeof attemptVariables>,
): AttemptPorts {
  return {
    log: createCancellationLog(client, configuration.CANCELLATION_LOG_TABLE),
    plangrep: composePlangrep(configuration),
    wakeUpQueue: createWakeUpQueue(createSendMessage(client), configuration.WAKE_UP_QUEUE_URL, systemClock),
    clock: systemClock,
    report,
    retention: configuration.RETENTION_DAYS,
  };
}

function bindFindingPorts(
  client: DynamoDBClient,
  configuration: Pick<Configuration, keyof typeof findingVariables>,
): Pick<Ports, 'directory' | 'partners'> {
  return {
    directory: createJobDirectory(client, configuration.JOB_DIRECTORY_TABLE),
    partners: createPartners(client, configuration.PARTNERS_TABLE, systemClock),
  };
}

function composePlangrep(configuration: Pick<Configuration, keyof typeof plangrepVariables>): Ports['plangrep'] {
  const key = composePlangrepKey(configuration.PLANGREP_SECRET_ID);
  return createPlangrep({ connections: plangrepConnections(), key, clock: systemClock });
}

/** Begins to fetch the key at once: it is there when the first call needs it. */
function composePlangrepKey(secretId: string): CachedPlangrepKey {
  const key = createPlangrepKey({ client: createSecretsManagerClient(), secretId, clock: systemClock, report });
  key.prefetch();
  return key;
}

/**
 * One read that finds nothing, during the init phase: it opens the connection to DynamoDB, and V8 has run what the first
 * request runs next. That takes most of the difference between a first request and a later one (docs/performance.md). An
 * invocation that waits for the init loses one round trip by it, or 200 ms at most. If it fails, the first request finds out.
 */
export async function prepareReading({ directory }: Pick<Ports, 'directory'>): Promise<void> {
  const nothing = [partnerIdSchema.parse('warm-up'), externalIdSchema.parse('warm-up')] as const;
  await Promise.race([directory.find(...nothing).catch(() => undefined), systemClock.sleep(200)]);
}

/** For the function behind the queue of events. */
export function composeEventsDoor(): readonly [Ports, EventsQueue] {
  const names = { EVENTS_MAX_RECEIVES: true, EVENTS_DEAD_LETTERS_URL: true } as const;
  const configuration = readConfiguration(z.pick(variables, names));
  const client = createDynamoDbClient();
  const setAside = createDeadLetters(createSendMessage(client), configuration.EVENTS_DEAD_LETTERS_URL);
  return [bindCancellingPorts(client), { maxReceives: configuration.EVENTS_MAX_RECEIVES, setAside }];
}

/** For the function that announces what is in the log. */
export function composeAnnouncing(): AnnouncePorts {
  // Not among the others, so that no other bundle has them.
  const { EVENTBRIDGE_URL: url, EVENT_BUS_NAME: bus } = readConfiguration(
    z.object({ EVENTBRIDGE_URL: z.url(), EVENT_BUS_NAME: text }),
  );
  return { bus: createEventBus(createDynamoDbClient(), { url, bus }), report };
}

/** For the function that delivers callbacks. */
export function composeDelivering(): CallbackPorts {
  const configuration = readConfiguration(
    z.object({
      ...z.pick(variables, { ENVIRONMENT: true, CANCELLATION_LOG_TABLE: true, PARTNERS_TABLE: true }).shape,
      CALLBACK_QUEUE_URL: z.url(),
      CALLBACK_SECRET_ID: text,
    }),
  );
  const client = createDynamoDbClient();
  return {
    log: createCallbackLog(client, configuration.CANCELLATION_LOG_TABLE),
    endpoints: createCallbackEndpoints(client, configuration.PARTNERS_TABLE),
    queue: createCallbackQueue(createSendMessage(client), configuration.CALLBACK_QUEUE_URL),
    post: createPostCallback({ allowsLoopback: configuration.ENVIRONMENT === 'local' }),
    secretOf: createSigningSecrets(createSecretsManagerClient(), configuration.CALLBACK_SECRET_ID),
    slowEndpoints: createSlowEndpoints(systemClock),
    present: presentCallback,
    clock: systemClock,
    report,
  };
}

/** For the function that puts what is in the log into the archive. */
export function composeArchiving(): ArchivingPorts {
  const { ARCHIVE_BUCKET } = readConfiguration(z.object({ ARCHIVE_BUCKET: text }));
  return { archive: createArchiveStore(createS3Client(), ARCHIVE_BUCKET), report };
}

/** For the function that seals the archive. */
export function composeSealing(): SealingPorts {
  const configuration = readConfiguration(
    z.object({
      ENVIRONMENT: variables.shape.ENVIRONMENT,
      ARCHIVE_BUCKET: text,
      SEAL_KEY: text,
      SEAL_MARGIN_SECONDS: z.pipe(z.string().check(z.regex(/^\d{1,4}$/)), z.transform(Number)),
    }),
  );
  return {
    archive: createArchiveStore(createS3Client(), configuration.ARCHIVE_BUCKET),
    signer: createSigner(createKmsClient(), configuration.SEAL_KEY),
    environment: configuration.ENVIRONMENT,
    marginMs: configuration.SEAL_MARGIN_SECONDS * 1_000,
    clock: systemClock,
    report,
  };
}

/** For the simulator that takes Plangrep's place in a sandbox. */
export function composeSimulator(): SimulatedCallPorts {
  const names = { SANDBOX_TABLE: true, PLANGREP_SECRET_ID: true } as const;
  const configuration = readConfiguration(z.pick(variables, names));
  const key = composePlangrepKey(configuration.PLANGREP_SECRET_ID);
  return {
    records: createSandboxRecords(createDynamoDbClient(), configuration.SANDBOX_TABLE, () => Date.now()),
    isAuthorized: createApiKeyCheck(key, systemClock),
    clock: systemClock,
  };
}
