import { eventDoor } from '../blueprint/bus-events.ts';
import { environments } from '../blueprint/environments.ts';
import {
  type EnvironmentVariable,
  type FunctionName,
  functionNames,
  retentionVariable,
  serviceFunctions,
} from '../blueprint/functions.ts';
import { permissionsOf } from '../blueprint/access/roles.ts';
import { tables } from '../blueprint/tables.ts';
import { type AccessKey, createAccessKey } from './aws/access-keys.ts';
import { deadLetterName, localQueueUrl } from './aws/events/queue-endpoint.ts';
import {
  defineContainers,
  type LambdaRuntime,
  type LambdaRuntimeOptions,
  startLambdaRuntime,
} from './aws/lambda/lambda-runtime.ts';
import { type PlayedRole, playRole } from './play-role.ts';
import type { RestoredTables } from './restored-tables.ts';
import {
  archiveBucket,
  callbackQueueName,
  callbackSecretId,
  eventsQueueName,
  localEnvironment,
  plangrepSecretId,
  sealKey,
  wakeUpQueueName,
} from './seeds.ts';
import type { AwsServices } from './start-aws-services.ts';

/** A function with its access key, and what its role allows. */
export interface FunctionCaller {
  readonly functionName: FunctionName;
  readonly accessKey: AccessKey;
  readonly role: PlayedRole;
}

/** A new key for each function, which may do with the local services what the function's role may do in AWS. */
export function createFunctionCallers(restored: RestoredTables = {}): readonly FunctionCaller[] {
  return functionNames.map((functionName) => ({
    functionName,
    accessKey: createAccessKey(),
    role: playRole(permissionsOf(functionName), restored),
  }));
}

export interface FunctionsAround {
  readonly callers: readonly FunctionCaller[];
  readonly services: AwsServices;
  readonly eventBridge: { readonly url: string };
  readonly plangrepUrl: string;
}

/** Lambda with the service's functions, each under its own key. */
export function startFunctions(
  {
    bundles,
    containersPerFunction,
    onLog,
  }: Pick<LambdaRuntimeOptions, 'containersPerFunction' | 'onLog'> & { readonly bundles: string },
  { callers, services: { dynamodb, queues, endpoints }, eventBridge, plangrepUrl }: FunctionsAround,
): LambdaRuntime {
  const values: Record<EnvironmentVariable, string> = {
    ENVIRONMENT: localEnvironment,
    PLANGREP_BASE_URL: plangrepUrl,
    PLANGREP_SECRET_ID: plangrepSecretId,
    [tables.JobDirectory.variable]: dynamodb.tableNames.JobDirectory,
    [tables.CancellationLog.variable]: dynamodb.tableNames.CancellationLog,
    [tables.Partners.variable]: dynamodb.tableNames.Partners,
    EVENTS_MAX_RECEIVES: String(eventDoor.maxReceives),
    RETENTION_DAYS: retentionVariable(environments.dev.retention),
    EVENTS_DEAD_LETTERS_URL: localQueueUrl(queues.url, deadLetterName(eventsQueueName)),
    WAKE_UP_QUEUE_URL: localQueueUrl(queues.url, wakeUpQueueName),
    CALLBACK_QUEUE_URL: localQueueUrl(queues.url, callbackQueueName),
    CALLBACK_SECRET_ID: callbackSecretId,
    EVENTBRIDGE_URL: eventBridge.url,
    EVENT_BUS_NAME: 'default',
    ARCHIVE_BUCKET: archiveBucket,
    SEAL_KEY: sealKey,
    // A put here takes no second; S3 shows whole ones.
    SEAL_MARGIN_SECONDS: '1',
  };
  const accessKeyOf = (functionName: string): AccessKey => keyOf(callers, functionName);
  const surroundings = {
    bundles,
    accessKeyOf,
    endpoints: {
      DYNAMODB: endpoints.dynamodb,
      KMS: endpoints.kms,
      S3: endpoints.s3,
      SECRETS_MANAGER: endpoints.secretsmanager,
    },
  };
  const functions = defineContainers<EnvironmentVariable>(serviceFunctions, values, surroundings);
  return startLambdaRuntime({ functions, containersPerFunction, onLog });
}

/** @throws Error for a function without a key */
export function keyOf(callers: readonly FunctionCaller[], functionName: string): AccessKey {
  const caller = callers.find((one) => one.functionName === functionName);
  if (caller === undefined) throw new Error(`There is no function ${functionName}`);
  return caller.accessKey;
}
