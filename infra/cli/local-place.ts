import { readFileSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { localCredentials, localRegion } from '../local/aws/dynamodb.ts';
import { localQueueUrl } from '../local/aws/events/queue-endpoint.ts';
import { CannotDo } from './cannot-do.ts';
import type { Place } from './place.ts';

const loopbackUrl = z.url().check(z.regex(/^http:\/\/127\.0\.0\.1:\d{1,5}$/));
const credentialsSchema = z.object({
  endpoints: z.object({ dynamodb: loopbackUrl, secretsmanager: loopbackUrl, sqs: loopbackUrl }),
});

const requestHandler = { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true };

/** What the local run calls the secret. Its own constant lives with all that it starts, too much to load for a name. */
export const localSecretId = 'plangrep/api-key';

/** The local run whose credentials are in the file. @throws CannotDo when there is none */
export const openLocalPlace = (credentialsPath: string): Place => {
  const { dynamodb, secretsmanager, sqs } = readEndpoints(credentialsPath);
  const common = { region: localRegion, credentials: localCredentials, maxAttempts: 2, requestHandler };
  const clients = {
    dynamodb: new DynamoDBClient({ ...common, endpoint: dynamodb }),
    secretsManager: new SecretsManagerClient({ ...common, endpoint: secretsmanager }),
    sqs: new SQSClient({ ...common, endpoint: sqs }),
  };
  return {
    environment: 'local',
    where: dynamodb,
    region: localRegion,
    ...clients,
    table: (name) => Promise.resolve(name),
    secretId: () => Promise.resolve(localSecretId),
    queueUrl: (queue) => Promise.resolve(queue === 'events' ? localQueueUrl(sqs, 'deadLetters') : undefined),
    close: () => Object.values(clients).forEach((client) => client.destroy()),
  };
};

const readEndpoints = (path: string): z.infer<typeof credentialsSchema>['endpoints'] => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const why = `There is no local run here (no ${path})`;
    throw new CannotDo(2, `${why}: begin one with "npm start", or name an --environment.`, { cause });
  }
  try {
    return credentialsSchema.parse(JSON.parse(text)).endpoints;
  } catch (cause) {
    const why = `${path} names no endpoints of a local run on 127.0.0.1`;
    throw new CannotDo(2, `${why}: begin one with "npm start".`, { cause });
  }
};
