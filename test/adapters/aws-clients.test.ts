import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { withoutIdleSteps } from '../../functions/adapters/aws-clients.ts';

type Client = DynamoDBClient | KMSClient | S3Client | SecretsManagerClient;

test.each<[string, () => Client]>([
  ['DynamoDB', () => new DynamoDBClient({ region: 'eu-central-1' })],
  ['KMS', () => new KMSClient({ region: 'eu-central-1' })],
  ['S3', () => new S3Client({ region: 'eu-central-1' })],
  ['Secrets Manager', () => new SecretsManagerClient({ region: 'eu-central-1' })],
])('the client of %s loses its idle steps and nothing else', (_, create) => {
  const stepsOf = (client: Client) => client.middlewareStack.identify().map((step) => step.split(' ')[0]);

  const kept = stepsOf(withoutIdleSteps(create()));

  const removed = stepsOf(create()).filter((step) => !kept.includes(step));
  expect(new Set(removed)).toEqual(new Set(['loggerMiddleware', 'recursionDetectionMiddleware']));
});
