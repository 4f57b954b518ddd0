import { eventDoor } from '../blueprint/bus-events.ts';
import {
  type EnvironmentVariable,
  type FunctionName,
  functionNames,
  serviceFunctions,
} from '../blueprint/functions.ts';
import { permissionsOf } from '../blueprint/roles.ts';
import { type TableName, tables } from '../blueprint/tables.ts';
import { type AccessKey, createAccessKey } from './aws/access-keys.ts';
import type { LocalDynamoDb } from './aws/dynamodb.ts';
import { deadLetterName, localQueueUrl, type QueueEndpoint } from './aws/events/queue-endpoint.ts';
import {
  defineContainers,
  type LambdaRuntime,
  type LambdaRuntimeOptions,
  startLambdaRuntime,
} from './aws/lambda/lambda-runtime.ts';
import type { LocalSecretsManager } from './aws/secrets-manager.ts';
import type { TableCall, TableCaller } from './aws/table-calls.ts';
import { type RestoredTables, tableInUse } from './restored-tables.ts';
import { eventsQueueName, localEnvironment, plangrepSecretId, wakeUpQueueName } from './seeds.ts';

/** A function with its access key. */
export interface FunctionCaller extends TableCaller {
  readonly functionName: FunctionName;
}

/** A new key for each function, which may do with the tables in use what the function's role may do in AWS. */
export function createFunctionCallers(restored: RestoredTables = {}): readonly FunctionCaller[] {
  return functionNames.map((functionName) => ({
    functionName,
    accessKey: createAccessKey(),
    mayCall: (call) => mayCall(functionName, call, restored),
  }));
}

function mayCall(
  functionName: FunctionName,
  { operation, table, index }: TableCall,
  restored: RestoredTables,
): boolean {
  const named = index === undefined ? tableInUse(restored, table) : 'WakeUps';
  return permissionsOf(functionName).some(
    ({ actions, resource }) => resource === named && actions.includes(`dynamodb:${operation}`),
  );
}

export interface FunctionsAround {
  readonly callers: readonly FunctionCaller[];
  readonly dynamodb: LocalDynamoDb<TableName>;
  readonly secretsManager: LocalSecretsManager;
  readonly queues: QueueEndpoint;
  readonly plangrepUrl: string;
}

/** Lambda with the service's functions, each under its own key. */
export function startFunctions(
  {
    bundles,
    containersPerFunction,
    onLog,
  }: Pick<LambdaRuntimeOptions, 'containersPerFunction' | 'onLog'> & { readonly bundles: string },
  { callers, dynamodb, secretsManager, queues, plangrepUrl }: FunctionsAround,
): LambdaRuntime {
  const values: Record<EnvironmentVariable, string> = {
    ENVIRONMENT: localEnvironment,
    PLANGREP_BASE_URL: plangrepUrl,
    PLANGREP_SECRET_ID: plangrepSecretId,
    [tables.JobDirectory.variable]: dynamodb.tableNames.JobDirectory,
    [tables.CancellationLog.variable]: dynamodb.tableNames.CancellationLog,
    [tables.Partners.variable]: dynamodb.tableNames.Partners,
    EVENTS_MAX_RECEIVES: String(eventDoor.maxReceives),
    EVENTS_DEAD_LETTERS_URL: localQueueUrl(queues.url, deadLetterName(eventsQueueName)),
    WAKE_UP_QUEUE_URL: localQueueUrl(queues.url, wakeUpQueueName),
  };
  const accessKeyOf = (functionName: string): AccessKey => keyOf(callers, functionName);
  const surroundings = { bundles, accessKeyOf, dynamodb, secretsManager };
  const functions = defineContainers<EnvironmentVariable>(serviceFunctions, values, surroundings);
  return startLambdaRuntime({ functions, containersPerFunction, onLog });
}

/** @throws Error for a function without a key */
function keyOf(callers: readonly FunctionCaller[], functionName: string): AccessKey {
  const caller = callers.find((one) => one.functionName === functionName);
  if (caller === undefined) throw new Error(`There is no function ${functionName}`);
  return caller.accessKey;
}
