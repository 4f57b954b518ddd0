import { join } from 'node:path';
import type { FunctionDefinition } from '../blueprint/functions.ts';
import { type LocalDynamoDb, localCredentials, localRegion } from './aws/dynamodb.ts';
import type { ContainerDefinition } from './aws/lambda/container.ts';
import type { LocalSecretsManager } from './aws/secrets-manager.ts';

/** Where `npm run build` leaves the bundles. */
export const defaultBundles = new URL('../../dist/functions', import.meta.url).pathname;

export interface Surroundings {
  /** The folder of the bundles. */
  readonly bundles: string;
  readonly dynamodb: Pick<LocalDynamoDb, 'url'>;
  readonly secretsManager: Pick<LocalSecretsManager, 'url'>;
  /** Of the functions' processes, besides the heap's sizes. @default as Lambda's start script has them */
  readonly nodeArguments?: readonly string[] | undefined;
}

/**
 * How functions run on this machine.
 * @param values of the variables; a function is given its own alone
 */
export const defineContainers = <Variable extends string>(
  functions: Readonly<Record<string, FunctionDefinition<Variable>>>,
  values: Readonly<Record<Variable, string>>,
  { bundles, dynamodb, secretsManager, nodeArguments }: Surroundings,
): ContainerDefinition[] =>
  Object.entries(functions).map(([functionName, { environment, timeoutSeconds, memoryMb }]) => ({
    functionName,
    directory: join(bundles, functionName),
    timeoutMs: timeoutSeconds * 1000,
    memoryMb,
    nodeArguments,
    environment: {
      ...Object.fromEntries(environment.map((variable) => [variable, values[variable]])),
      AWS_REGION: localRegion,
      AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
    },
  }));
