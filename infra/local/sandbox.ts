import { sandboxFunctions, type SandboxVariable } from '../blueprint/functions.ts';
import { sandboxTable } from '../blueprint/tables.ts';
import type { LocalDynamoDb } from './aws/dynamodb.ts';
import type { OnLog } from './aws/lambda/container.ts';
import { startFunctionUrl } from './aws/lambda/function-url.ts';
import { defineContainers, startLambdaRuntime, type Surroundings } from './aws/lambda/lambda-runtime.ts';
import { createTable } from './aws/create-table.ts';

export interface SandboxOptions extends Omit<Surroundings, 'endpoints'> {
  readonly dynamodb: LocalDynamoDb<string>;
  readonly secretsManager: { readonly url: string };
  /** The secret with the key that the sandbox accepts. */
  readonly secretId: string;
  readonly onLog?: OnLog;
}

/** What a sandbox has in Plangrep's place. */
export interface LocalSandbox {
  /** For `PLANGREP_BASE_URL`. */
  readonly url: string;
  readonly tableName: string;
  close(): Promise<void>;
}

/**
 * The simulator as a sandbox in AWS runs it: the bundle in its own processes, behind a function URL, with its table. The
 * local run does not use it: there the simulator is a server.
 */
export async function startSandbox({
  dynamodb,
  secretsManager,
  secretId,
  onLog,
  ...options
}: SandboxOptions): Promise<LocalSandbox> {
  const tableName = 'Sandbox';
  await createTable(dynamodb.client, tableName, sandboxTable);
  const values = { SANDBOX_TABLE: tableName, PLANGREP_SECRET_ID: secretId };
  const endpoints = { DYNAMODB: dynamodb.url, SECRETS_MANAGER: secretsManager.url };
  const functions = defineContainers<SandboxVariable>(sandboxFunctions, values, { ...options, endpoints });
  const lambda = startLambdaRuntime({ functions, onLog });
  const front = await startFunctionUrl((event) => lambda.invoke('simulate-plangrep', event));
  const close = async (): Promise<void> => {
    await front.close();
    await lambda.close();
  };
  return { url: front.url, tableName, close };
}
