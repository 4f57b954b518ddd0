import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { Sha256 } from './sha256.ts';

/**
 * Settings of every AWS client, given so that they need not be looked for: a client asks the environment and then the
 * profile's files for each that is not, at its first request (2 ms of a cold start; docs/performance.md). What it has to
 * do for a request of one kind is worked out once, and how it hashes is ours.
 */
export const awsSettings = {
  authSchemePreference: [],
  cacheMiddleware: true,
  defaultsMode: 'standard',
  retryMode: 'standard',
  sha256: Sha256,
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  userAgentAppId: 'plangrep-cancellation',
} satisfies DynamoDBClientConfig & SecretsManagerClientConfig;

/** Steps that an AWS client takes for each request and that nobody here has anything of. */
const idleSteps = ['loggerMiddleware', 'recursionDetectionMiddleware'];

/**
 * Takes out of a client what it would do in vain: words for a logger that it has not got, and a trace header that guards
 * functions which call themselves. 2 to 3 % of a warm cancel's CPU (docs/performance.md).
 */
export const withoutIdleSteps = <Client extends { readonly middlewareStack: { remove(name: string): boolean } }>(
  client: Client,
): Client => {
  for (const step of idleSteps) client.middlewareStack.remove(step);
  return client;
};
