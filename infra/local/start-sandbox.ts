import { sandboxFunctions, type SandboxVariable } from '../blueprint/functions.ts';
import { sandboxTable } from '../blueprint/tables.ts';
import { defineContainers, type Surroundings } from './define-containers.ts';
import { createTable, type LocalDynamoDb } from './aws/dynamodb.ts';
import type { OnLog } from './aws/lambda/container.ts';
import { startFunctionUrl } from './aws/lambda/function-url.ts';
import { startLambdaRuntime } from './aws/lambda/lambda-runtime.ts';

export interface SandboxOptions extends Surroundings {
  readonly dynamodb: LocalDynamoDb;
  /** Of the key that opens it. */
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
 * The simulator as a sandbox has it in AWS, on this machine: the bundle in processes of its own, behind a function URL,
 * with its table. The local run has no need of it: its simulator is a server.
 */
export const startSandbox = async ({ secretId, onLog, ...surroundings }: SandboxOptions): Promise<LocalSandbox> => {
  const tableName = 'Sandbox';
  await createTable(surroundings.dynamodb.client, tableName, sandboxTable);
  const values = { SANDBOX_TABLE: tableName, PLANGREP_SECRET_ID: secretId };
  const functions = defineContainers<SandboxVariable>(sandboxFunctions, values, surroundings);
  const lambda = startLambdaRuntime({ functions, ...(onLog && { onLog }) });
  const front = await startFunctionUrl({ invoke: (event) => lambda.invoke('simulate-plangrep', event) });
  return {
    url: front.url,
    tableName,
    close: async () => {
      await front.close();
      await lambda.close();
    },
  };
};
