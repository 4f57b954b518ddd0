import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { KMSClient, type KMSClientConfig } from '@aws-sdk/client-kms';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';

/**
 * Given explicitly, because a client otherwise looks for each of them in the environment and in the profile's files at
 * its first request: 2 ms of a cold start (docs/performance.md). `cacheMiddleware` keeps what a request of one kind needs.
 */
const settings = {
  authSchemePreference: [],
  cacheMiddleware: true,
  defaultsMode: 'standard',
  retryMode: 'standard',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  userAgentAppId: 'plangrep-cancellation',
} satisfies DynamoDBClientConfig & KMSClientConfig & S3ClientConfig & SecretsManagerClientConfig;

/**
 * The client of every table. A table answers in single milliseconds, so a longer wait means a broken connection. The SDK
 * tries three times in all: a repeat is safe, because every write of this service is conditional.
 */
export function createDynamoDbClient(): DynamoDBClient {
  return withoutIdleSteps(
    new DynamoDBClient({
      ...settings,
      accountIdEndpointMode: 'disabled',
      endpointDiscoveryEnabled: false,
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 1_500, throwOnRequestTimeout: true },
    }),
  );
}

/**
 * Secrets Manager's client with short timeouts: 1 s to connect, 2 s for an answer, two attempts. Everything else is the
 * SDK's standard configuration (`AWS_REGION`, `AWS_ENDPOINT_URL_SECRETS_MANAGER`, credentials from the environment).
 */
export function createSecretsManagerClient(overrides: SecretsManagerClientConfig = {}): SecretsManagerClient {
  return withoutIdleSteps(
    new SecretsManagerClient({
      ...settings,
      maxAttempts: 2,
      requestHandler: {
        connectionTimeout: 1_000,
        requestTimeout: 2_000,
        socketTimeout: 2_000,
        throwOnRequestTimeout: true,
      },
      ...overrides,
    }),
  );
}

/**
 * The client of the sealed archive, for functions off the path of a cancel. An object has at most a few megabytes: 1 s to
 * connect, 5 s for an answer, three attempts. A put that is repeated with `IfNoneMatch` may be answered 412 for the object that
 * its first attempt has written: compare it before you call it another's. Where the endpoint is an IP address, as in the local
 * run, the SDK puts the bucket into the path.
 */
export function createS3Client(): S3Client {
  return withoutIdleSteps(
    new S3Client({
      ...settings,
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
    }),
  );
}

/**
 * The client of the key that signs the archive's digests: 1 s to connect, 2 s for an answer, three attempts. A repeated signing
 * makes another signature of the same digest, and both are valid.
 */
export function createKmsClient(): KMSClient {
  return withoutIdleSteps(
    new KMSClient({
      ...settings,
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
    }),
  );
}

/**
 * Removes the steps of each request that have no effect here: log lines for a logger that is not set, and a trace header
 * against functions that call themselves. 2 to 3 % of a warm cancel's CPU (docs/performance.md).
 */
export function withoutIdleSteps<Client extends { readonly middlewareStack: { remove(name: string): boolean } }>(
  client: Client,
): Client {
  for (const step of ['loggerMiddleware', 'recursionDetectionMiddleware']) client.middlewareStack.remove(step);
  return client;
}
