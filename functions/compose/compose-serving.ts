import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { createDynamoDbClient, createSecretsManagerClient } from '../adapters/aws-clients.ts';
import { createCancellationLog, createReadableLog } from '../adapters/dynamodb/cancellation-log.ts';
import { createJobDirectory, createPagedDirectory } from '../adapters/dynamodb/job-directory.ts';
import { createPartners, createReadPartnerKey } from '../adapters/dynamodb/partners.ts';
import { createSandboxRecords } from '../adapters/dynamodb/sandbox-records.ts';
import { createDeadLetters } from '../adapters/sqs/dead-letters.ts';
import { createSendMessage } from '../adapters/sqs/send-message.ts';
import { createWakeUpQueue } from '../adapters/sqs/wake-up-queue.ts';
import { createPlangrep } from '../adapters/plangrep/plangrep-client.ts';
import { rememberListings } from '../adapters/plangrep/remember-listings.ts';
import { type CachedPlangrepKey, createPlangrepKey } from '../adapters/plangrep/plangrep-key.ts';
import { plangrepConnections } from '../connect-first.ts';
import type { AttemptPorts, Ports } from '../core/ports.ts';
import { externalIdSchema, partnerIdSchema } from '../core/identifiers.ts';
import type { EventsQueue } from '../doors/eventbridge/handle-events.ts';
import type { ReadPorts } from '../core/use-cases/read-cancellations.ts';
import type { CredentialPorts } from '../doors/http/check-credential.ts';
import { createApiKeyCheck, type SimulatedCallPorts } from '../simulator/handle-simulated-call.ts';
import { readConfiguration, report, systemClock, variables } from './surroundings.ts';

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
