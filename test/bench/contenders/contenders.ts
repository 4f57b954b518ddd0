import { join } from 'node:path';
import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { exampleJob } from '../../../functions/simulator/plangrep-jobs.ts';
import { eventDoor } from '../../../infra/blueprint/bus-events.ts';
import { environments } from '../../../infra/blueprint/environments.ts';
import {
  type EnvironmentVariable,
  type FunctionName,
  retentionVariable,
  serviceFunctions,
} from '../../../infra/blueprint/functions.ts';
import { localQueueUrl } from '../../../infra/local/aws/events/queue-endpoint.ts';
import type { ContainerDefinition } from '../../../infra/local/aws/lambda/container.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { callbackQueueName } from '../../../infra/local/seeds.ts';
import { proxyEvent, streamRecord } from '../../proof/crash/invocations.ts';
import { addJob } from '../../proof/crash/scene.ts';
import { secretId, type Stage } from '../../proof/crash/stage.ts';
import type { Service } from '../../proof/crash/tap.ts';
import { documentedScene, paths, type PlayedPath } from '../calls/play-paths.ts';
import type { BuiltContenders } from './build-contenders.ts';

/** What is measured: a folder with `index.cjs`, and the invocation that it gets. */
export interface Contender {
  readonly name: string;
  readonly directory: string;
  /** Prepares the stage for one invocation. @returns its event */
  readonly prepare: (stage: Stage) => Promise<unknown>;
  /** Gets the event and the answers of the contender with this name. @default its own name */
  readonly like?: string;
  /** Besides what every contender is given. */
  readonly environment: Readonly<Record<string, string>>;
}

const dist = new URL('../../../dist/functions', import.meta.url).pathname;
const baselinePackages = new URL('../baseline/node_modules', import.meta.url).pathname;

export function isFunctionName(name: string): name is MeasuredName {
  return Object.hasOwn(usualPaths, name);
}

/** Those of the archive and of callbacks are off the path of a cancel: no one waits for their starts. */
type MeasuredName = Exclude<FunctionName, 'archive-records' | 'seal-archive' | 'deliver-callbacks'>;

const usualPaths: Readonly<Record<MeasuredName, Pick<PlayedPath, 'prepare' | 'event'>>> = {
  'request-cancellation': paths.cancelled,
  'authorize-partner': paths['credential checked'],
  'read-cancellations': paths['read by externalId'],
  'register-job': paths['register, first'],
  'consume-events': paths['event, cancelled'],
  'consume-wake-ups': paths['wake-up, one to take over'],
  'reconcile-cancellations': paths['reconciler, one to take over'],
  'announce-cancellations': {
    event: ({ partnerId, jobId }) => ({ Records: [streamRecord(closedItem(partnerId, jobId))] }),
  },
  'read-documentation': {
    event: ({ partnerId, id }) =>
      proxyEvent(partnerId, id, { method: 'GET', resource: '/openapi.json', path: '/openapi.json' }),
  },
  'answer-unknown-route': {
    event: ({ partnerId, id }) =>
      proxyEvent(partnerId, id, { method: 'PUT', resource: '/v1/cancellations', path: '/v1/cancellations' }),
  },
};

/** Of a closing event what is announced. */
function closedItem(partnerId: string, jobId: string): Readonly<Record<string, unknown>> {
  const facts = { outcome: 'cancelled', jobStatus: 'cancelled', pageCount: 204, creditsDebited: 63 };
  const at = '2026-11-26T03:04:05.123Z';
  return {
    pk: `${partnerId}#${jobId}`,
    sk: 'event#000002',
    type: 'closed',
    partnerId,
    jobId,
    at,
    eventId: 'e',
    ...facts,
  };
}

/** Takes the function's usual path, on a job as in Plangrep's documented example. */
function prepareUsualPath(name: MeasuredName): Contender['prepare'] {
  const { id: _id, externalId: _externalId, projectId: _projectId, ...exampleFields } = exampleJob;
  const { prepare, event } = usualPaths[name];
  return async (stage) => {
    const scene = documentedScene();
    await prepare?.(stage, scene);
    addJob(stage, scene, scene.jobId, exampleFields);
    return event(scene, 1);
  };
}

const answerSchema = z.partial(
  z.object({
    statusCode: z.number(),
    policyDocument: z.unknown(),
    batchItemFailures: z.array(z.unknown()),
    looked: z.number(),
    failed: z.number(),
  }),
);

/** Whether an answer shows that the usual path was taken to its end. */
export function isWholePath(payload: unknown): boolean {
  const { statusCode, policyDocument, batchItemFailures, looked, failed } = answerSchema.parse(payload);
  // 405: of the function whose only work this is.
  if (statusCode !== undefined) return (statusCode < 300 && statusCode !== 202) || statusCode === 405;
  if (batchItemFailures !== undefined) return batchItemFailures.length === 0;
  return looked === undefined ? policyDocument !== undefined : looked === 1 && failed === 0;
}

const values: Readonly<Partial<Record<EnvironmentVariable, string>>> = {
  ENVIRONMENT: 'local',
  PLANGREP_SECRET_ID: secretId,
  JOB_DIRECTORY_TABLE: 'JobDirectory',
  CANCELLATION_LOG_TABLE: 'CancellationLog',
  PARTNERS_TABLE: 'Partners',
  EVENTS_MAX_RECEIVES: String(eventDoor.maxReceives),
  RETENTION_DAYS: retentionVariable(environments.dev.retention),
  // No event of the bench is malformed.
  EVENTS_DEAD_LETTERS_URL: 'http://127.0.0.1:9/dead-letters',
  EVENT_BUS_NAME: 'default',
  // No cancellation of the bench stays open.
  WAKE_UP_QUEUE_URL: 'http://127.0.0.1:9/wake-ups',
};

/** A function as it is shipped. */
export function shipped(name: MeasuredName): Contender {
  const ownValues = serviceFunctions[name].environment.flatMap((variable) =>
    Object.entries(values).filter(([known]) => known === variable),
  );
  return {
    name,
    directory: join(dist, name),
    prepare: prepareUsualPath(name),
    environment: Object.fromEntries(ownValues),
  };
}

/** In the same surroundings as `request-cancellation`, with its event and its answers. */
function besideCancel(name: string, directory: string): Contender {
  return { ...shipped('request-cancellation'), name, like: 'request-cancellation', directory };
}

/** A handler that does nothing. */
export function empty(built: BuiltContenders): Contender {
  return besideCancel('empty handler', built.empty);
}

/** The lower limit: the same bytes, without anything around them. */
export function bareHttps(built: BuiltContenders): Contender {
  return besideCancel('bare https', built.bareHttps);
}

export function sdkAlone(built: BuiltContenders): Contender {
  return besideCancel('the SDK alone', built.sdkAlone);
}

/** `POST /v1/cancellations` as the usual tutorial does it, where its packages are installed. */
export function baseline({ baseline: directory }: BuiltContenders): Contender[] {
  if (directory === undefined) return [];
  const { prepare, environment } = shipped('request-cancellation');
  const ownEnvironment = {
    ...environment,
    ...baselineTables,
    POWERTOOLS_SERVICE_NAME: 'cancellations',
    POWERTOOLS_METRICS_NAMESPACE: 'plangrep',
    AWS_NODEJS_CONNECTION_REUSE_ENABLED: '1', // `NodejsFunction` sets it.
  };
  return [{ name: 'tutorial baseline', directory, prepare, environment: ownEnvironment }];
}

/** The tables that the baseline has beside the job directory, by the variable that names each. */
const baselineTables = { IDEMPOTENCY_TABLE: 'Idempotency', AUDIT_TABLE: 'Audit' } as const;

/** One string key, `id`, as Powertools' idempotency expects it. */
export async function createBaselineTables(client: DynamoDBClient): Promise<void> {
  for (const TableName of Object.values(baselineTables)) {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.1 }, { TableName });
  }
}

/** A contender's container. @param urls of the services that it calls @param more variables */
export function defineContainer(
  { name, directory, environment }: Contender,
  urls: Readonly<Record<Service, string>>,
  bootstrap: string,
  more: Readonly<Record<string, string>> = {},
): ContainerDefinition {
  return {
    functionName: name.replaceAll(' ', '-'),
    directory,
    bootstrap,
    memoryMb: 512,
    // The reconciler waits for wake-ups while its time lasts: with 3 s left, it handles what is due and ends.
    timeoutMs: name === 'reconcile-cancellations' ? 22_000 : 15_000,
    environment: {
      ...environment,
      PLANGREP_BASE_URL: urls.plangrep,
      EVENTBRIDGE_URL: urls.eventbridge,
      CALLBACK_QUEUE_URL: localQueueUrl(urls.sqs, callbackQueueName),
      AWS_REGION: localRegion,
      // What is replayed checks no key.
      AWS_ACCESS_KEY_ID: 'none',
      AWS_SECRET_ACCESS_KEY: 'none',
      AWS_ENDPOINT_URL_DYNAMODB: urls.dynamodb,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: urls.secretsmanager,
      // The place of Lambda's own copy of the SDK, for a contender that does not bundle one.
      NODE_PATH: baselinePackages,
      ...more,
    },
  };
}
