import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { deadLetterName, localQueueUrl } from '../../local/aws/events/queue-endpoint.ts';
import { linesPathOf } from '../../local/kept-lines.ts';
import {
  archiveBucket,
  callbackQueueName,
  callbackSecretId,
  eventsQueueName,
  plangrepSecretId,
  wakeUpQueueName,
} from '../../local/seeds.ts';
import type { AwsServices } from '../../local/start-aws-services.ts';
import { CannotDo } from '../command.ts';
import type { Place, ServiceAccess } from './place.ts';

/** Where `npm start` writes the addresses and credentials of the local run, and where the commands look for them. */
export const credentialsPath = process.env['CREDENTIALS_FILE'] || join('.local', 'credentials.json');

const keySchema = z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), region: z.string() });

/** How the commands reach the local run. */
export interface LocalAccess<Service extends string> {
  readonly endpoints: Readonly<Record<Service, string>>;
  /** The operator's key. */
  readonly aws: z.infer<typeof keySchema>;
  /** The tables in use: some may be restored ones. */
  readonly tables?: Readonly<Record<string, string>> | undefined;
  readonly plangrepUrl?: string | undefined;
  /** The API's. */
  readonly baseUrl?: string | undefined;
}

/**
 * How to reach the local run whose credentials are in the file.
 * @param instead what else the operator can do when there is none: `pass --environment`
 * @throws CannotDo (2)
 */
export function readLocalAccess<Service extends keyof AwsServices['endpoints']>(
  path: string,
  services: readonly Service[],
  instead: string,
): LocalAccess<Service> {
  const loopbackUrl = z.url().check(z.regex(/^http:\/\/127\.0\.0\.1:\d{1,5}$/));
  const schema = z.object({
    endpoints: z.looseRecord(z.enum(services), loopbackUrl),
    aws: keySchema,
    tables: z.optional(z.record(z.string(), z.string())),
    plangrepUrl: z.optional(z.url()),
    baseUrl: z.optional(loopbackUrl),
  });
  let text: string;
  try {
    // To open a pipe would wait for its other end.
    if (!statSync(path).isFile()) throw new Error(`${path} is not a file`);
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CannotDo(2, `There is no local run here (no ${path}): start one with "npm start", or ${instead}.`, {
      cause,
    });
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const missing = `${path} has no endpoints.${services.join(', endpoints.')} on 127.0.0.1, or no key for them in aws`;
    throw new CannotDo(2, `${missing}: start a local run with "npm start".`, { cause });
  }
}

/** @throws CannotDo (2) when there is no local run whose credentials are in the file */
export function openLocalPlace(path = credentialsPath): Place {
  const services = ['dynamodb', 'secretsmanager', 'sqs', 'apigateway', 's3', 'kms'] as const;
  const { endpoints, aws, tables, plangrepUrl, baseUrl } = readLocalAccess(path, services, 'pass an --environment');
  const queueNames: Readonly<Record<string, string>> = {
    events: deadLetterName(eventsQueueName),
    waiting: eventsQueueName,
    wakeUps: wakeUpQueueName,
    toDeliver: callbackQueueName,
    callbacks: deadLetterName(callbackQueueName),
  };
  const requestHandler = { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true };
  const common = { region: aws.region, credentials: aws, maxAttempts: 2, requestHandler };
  const clients = {
    dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
    secretsManager: new SecretsManagerClient({ ...common, endpoint: endpoints.secretsmanager }),
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs }),
  };
  const accessTo = (endpoint: string): ServiceAccess => ({ endpoint, region: aws.region, credentials: aws });
  return {
    environment: 'local',
    where: endpoints.dynamodb,
    region: aws.region,
    ...clients,
    plangrepUrl,
    apiGateway: accessTo(endpoints.apigateway),
    s3: accessTo(endpoints.s3),
    kms: accessTo(endpoints.kms),
    archiveBucket: () => Promise.resolve(archiveBucket),
    table: (name) => Promise.resolve(tables?.[name] ?? name),
    secretId: (secret) => Promise.resolve(secret === 'PlangrepKey' ? plangrepSecretId : callbackSecretId),
    queueUrl: (queue) => {
      const name = queueNames[queue];
      return Promise.resolve(name && localQueueUrl(endpoints.sqs, name));
    },
    logGroups: () => Promise.resolve([]),
    apiUrl: baseUrl,
    apiHosts: () => Promise.resolve([]),
    lines: { kind: 'kept', path: linesPathOf(path) },
    close: () => Object.values(clients).forEach((client) => client.destroy()),
  };
}
