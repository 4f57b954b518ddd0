import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';

/**
 * Settings of every AWS client, given so that they need not be looked for: a client asks the environment and then the
 * profile's files for each that is not, at its first request (2 ms of a cold start; docs/performance.md).
 */
export const awsSettings = {
  authSchemePreference: [],
  defaultsMode: 'standard',
  retryMode: 'standard',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  userAgentAppId: 'plangrep-cancellation',
} satisfies DynamoDBClientConfig & SecretsManagerClientConfig;
