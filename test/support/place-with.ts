import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Place } from '../../infra/cli/places/place.ts';
import { localRegion } from '../../infra/local/aws/loopback.ts';

/** A place for a command that needs only `fields` of it. */
export function placeWith(fields: Partial<Place>): Place {
  const unused = {
    endpoint: 'https://unused',
    region: localRegion,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  };
  return {
    environment: 'local',
    where: 'here',
    region: localRegion,
    dynamodb: new DynamoDBClient(),
    secretsManager: new SecretsManagerClient(),
    sqs: new SQSClient(),
    plangrepUrl: undefined,
    apiGateway: unused,
    s3: unused,
    kms: unused,
    apiUrl: undefined,
    apiHosts: () => Promise.resolve([]),
    archiveBucket: () => Promise.resolve('none'),
    table: (name) => Promise.resolve(name),
    secretId: () => Promise.resolve('none'),
    queueUrl: () => Promise.resolve(undefined),
    logGroups: () => Promise.resolve([]),
    lines: { kind: 'kept', path: 'none' },
    close: () => undefined,
    ...fields,
  };
}
