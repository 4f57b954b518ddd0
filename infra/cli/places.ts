import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { RecordUnreadable } from '../../functions/core/report.ts';
import type { Environment } from '../blueprint/environment-schema.ts';
import { type EnvironmentName, environmentNames, environments } from '../blueprint/environments.ts';
import type { TableName } from '../blueprint/tables.ts';
import type { Credentials } from '../local/aws/access-keys.ts';
import { deadLetterName, localQueueUrl } from '../local/aws/events/queue-endpoint.ts';
import { linesPathOf } from '../local/kept-lines.ts';
import { eventsQueueName, plangrepSecretId, wakeUpQueueName } from '../local/seeds.ts';
import { CannotDo } from './command.ts';

/**
 * Queues in which something waits for an operator. `path` begins the queue's logical id in the service stack: CDK makes
 * it of the constructs' path and eight characters of a hash.
 */
export const deadLetterQueues = {
  events: { what: 'events that consume-events gave up on', path: 'EventsDoorDeadLetters' },
  undelivered: { what: 'events that EventBridge could not put into the queue', path: 'EventsDoorUndelivered' },
  outgoing: {
    what: 'closed and refused cancellations that the event bus did not take',
    path: 'OutgoingEventsUndelivered',
  },
  runs: { what: 'runs of the reconciler that were never started', path: 'ScheduleMissed' },
  alarms: { what: 'alarms that could not be sent', path: 'WatchingAlarmsUnsent' },
} as const;
export type DeadLetterQueue = keyof typeof deadLetterQueues;

/** Every queue: beside those, the ones that functions work on. */
export const queues = {
  ...deadLetterQueues,
  waiting: { what: 'events that wait for consume-events', path: 'EventsDoorQueue' },
  wakeUps: { what: 'wake-ups that wait for consume-wake-ups', path: 'WakeUpsQueue' },
} as const;
export type QueueName = keyof typeof queues;

/** What it takes to call a service without its client. */
export interface ServiceAccess {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
}

/** What the commands work on: the local run, or a deployed environment. Names are looked up when they are needed. */
export interface Place {
  readonly environment: 'local' | EnvironmentName;
  /** In messages: `http://127.0.0.1:8000`, `eu-central-1`. */
  readonly where: string;
  readonly region: string;
  readonly dynamodb: DynamoDBClient;
  readonly secretsManager: SecretsManagerClient;
  readonly sqs: SQSClient;
  /** Plangrep's origin, as the service calls it. undefined in a sandbox, whose simulator accepts any key. */
  readonly plangrepUrl: string | undefined;
  /** Where API Gateway's own API is: for keys and usage plans. */
  readonly apiGateway: ServiceAccess;
  /** The table in use: a restored one where the environment, or the local run, names it. */
  table(name: TableName): Promise<string>;
  /** Of Plangrep's key. */
  secretId(): Promise<string>;
  /** @returns undefined where the place has no such queue */
  queueUrl(queue: QueueName): Promise<string | undefined>;
  /** Of the functions, of the API's access log and of the trail; none in the local run. */
  logGroups(): Promise<readonly string[]>;
  /** The names under which the API answers: none of the local run's, whose port changes. */
  apiHosts(): Promise<readonly string[]>;
  /** Where the log lines are. */
  readonly lines:
    | { readonly kind: 'cloudwatch'; readonly access: ServiceAccess }
    | { readonly kind: 'kept'; readonly path: string };
  close(): void;
}

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
}

/**
 * How to reach the local run whose credentials are in the file.
 * @param instead what else the operator can do when there is none: `pass --environment`
 * @throws CannotDo (2)
 */
export function readLocalAccess<Service extends 'dynamodb' | 'secretsmanager' | 'sqs' | 'apigateway'>(
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
  });
  let text: string;
  try {
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
  const services = ['dynamodb', 'secretsmanager', 'sqs', 'apigateway'] as const;
  const { endpoints, aws, tables, plangrepUrl } = readLocalAccess(path, services, 'pass an --environment');
  const queueNames: Readonly<Record<string, string>> = {
    events: deadLetterName(eventsQueueName),
    waiting: eventsQueueName,
    wakeUps: wakeUpQueueName,
  };
  const requestHandler = { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true };
  const common = { region: aws.region, credentials: aws, maxAttempts: 2, requestHandler };
  const clients = {
    dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
    secretsManager: new SecretsManagerClient({ ...common, endpoint: endpoints.secretsmanager }),
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs }),
  };
  return {
    environment: 'local',
    where: endpoints.dynamodb,
    region: aws.region,
    ...clients,
    plangrepUrl,
    apiGateway: { endpoint: endpoints.apigateway, region: aws.region, credentials: aws },
    table: (name) => Promise.resolve(tables?.[name] ?? name),
    secretId: () => Promise.resolve(plangrepSecretId),
    queueUrl: (queue) => {
      const name = queueNames[queue];
      return Promise.resolve(name && localQueueUrl(endpoints.sqs, name));
    },
    logGroups: () => Promise.resolve([]),
    apiHosts: () => Promise.resolve([]),
    lines: { kind: 'kept', path: linesPathOf(path) },
    close: () => Object.values(clients).forEach((client) => client.destroy()),
  };
}

/** @throws CannotDo (2) when there is no such environment */
export function readEnvironmentName(value: string): EnvironmentName {
  const name = environmentNames.find((known) => known === value);
  if (name !== undefined) return name;
  throw new CannotDo(2, `--environment must be one of ${environmentNames.join(', ')}, not ${JSON.stringify(value)}.`);
}

/** @throws CannotDo (2) unless it looks like a region */
export function readRegion(value: string): string {
  if (/^[a-z0-9-]{1,30}$/.test(value)) return value;
  throw new CannotDo(2, `--region must be a region like eu-central-1, not ${JSON.stringify(value)}.`);
}

/**
 * A deployed environment, by the resources that CloudFormation has in its two stacks. Credentials come from the SDK's
 * own chain; they need `cloudformation:ListStackResources`, and for a partner's share `apigateway:GET`, `POST` and `DELETE`
 * on `/apikeys` and `/usageplans`.
 * @param region instead of the environment's own
 * @param restored the tables that take the place of the stack's
 */
export function openDeployedPlace(
  environment: EnvironmentName,
  region = environments[environment].region,
  { restoredTables }: Pick<Environment, 'restoredTables'> = environments[environment],
): Place {
  const { sandbox, plangrepBaseUrl } = environments[environment];
  const requestHandler = { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true };
  const common = { region, maxAttempts: 4, requestHandler };
  const cloudFormation = new CloudFormationClient(common);
  const clients = {
    dynamodb: new DynamoDBClient(common),
    secretsManager: new SecretsManagerClient(common),
    sqs: new SQSClient(common),
  };
  const listed = new Map<string, Promise<readonly Resource[]>>();
  const resourcesOf = (stack: string): Promise<readonly Resource[]> => {
    const resources = listed.get(stack) ?? listResources(cloudFormation, stack, region);
    listed.set(stack, resources);
    return resources;
  };
  const stateful = async (type: string, logicalId: string): Promise<string> => {
    const stack = `plangrep-cancellation-${environment}-stateful`;
    const found = (await resourcesOf(stack)).find((one) => one.type === type && one.logicalId === logicalId);
    if (found !== undefined) return found.physicalId;
    throw new CannotDo(2, `The stack ${stack} (${region}) has no ${logicalId}.`);
  };
  const { credentials } = clients.dynamodb.config;
  // The SDK reads these variables for its own clients.
  const accessTo = (service: string, variable: string): ServiceAccess => ({
    endpoint: process.env[`AWS_ENDPOINT_URL_${variable}`] ?? `https://${service}.${region}.amazonaws.com`,
    region,
    credentials,
  });
  return {
    environment,
    where: region,
    region,
    ...clients,
    plangrepUrl: sandbox === true ? undefined : plangrepBaseUrl,
    apiGateway: accessTo('apigateway', 'API_GATEWAY'),
    lines: { kind: 'cloudwatch', access: accessTo('logs', 'CLOUDWATCH_LOGS') },
    table: async (name) => restoredTables?.[name]?.name ?? stateful('AWS::DynamoDB::GlobalTable', name),
    secretId: () => stateful('AWS::SecretsManager::Secret', 'PlangrepKey'),
    async queueUrl(queue) {
      const logicalId = new RegExp(`^${queues[queue].path}[0-9A-F]{8}$`);
      const resources = await resourcesOf(`plangrep-cancellation-${environment}-service`);
      return resources.find((one) => one.type === 'AWS::SQS::Queue' && logicalId.test(one.logicalId))?.physicalId;
    },
    async logGroups() {
      const resources = await resourcesOf(`plangrep-cancellation-${environment}-service`);
      return resources.filter(({ type }) => type === 'AWS::Logs::LogGroup').map(({ physicalId }) => physicalId);
    },
    async apiHosts() {
      const { domain } = environments[environment];
      if (domain !== undefined) return [domain.name];
      const resources = await resourcesOf(`plangrep-cancellation-${environment}-service`);
      const apis = resources.filter(({ type }) => type === 'AWS::ApiGateway::RestApi');
      return apis.map(({ physicalId }) => `${physicalId}.execute-api.${region}.amazonaws.com`);
    },
    close: () => [cloudFormation, ...Object.values(clients)].forEach((client) => client.destroy()),
  };
}

interface Resource {
  readonly type: string;
  readonly logicalId: string;
  readonly physicalId: string;
}

async function listResources(
  client: CloudFormationClient,
  stack: string,
  region: string,
): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  try {
    for await (const page of paginateListStackResources({ client }, { StackName: stack })) {
      for (const { ResourceType: type, LogicalResourceId, PhysicalResourceId } of page.StackResourceSummaries ?? []) {
        if (type === undefined || LogicalResourceId === undefined || PhysicalResourceId === undefined) continue;
        resources.push({ type, logicalId: LogicalResourceId, physicalId: PhysicalResourceId });
      }
    }
  } catch (cause) {
    // CloudFormation's words for a stack that is not there.
    if (!(cause instanceof Error) || !/does not exist/.test(cause.message)) throw cause;
    throw new CannotDo(2, `There is no stack ${stack} (${region}): is this the right account and region?`, { cause });
  }
  return resources;
}

/**
 * What the error of a dependency means for the operator, in one line.
 * @param place where the dependency is: `eu-central-1`, `http://127.0.0.1:8000`
 * @returns undefined for a bug, whose stack trace is wanted
 */
export function explainFailure(error: unknown, place: string): CannotDo | undefined {
  if (error instanceof RecordUnreadable) return new CannotDo(1, `${place}: ${error.message}`, { cause: error });
  const root = error instanceof Error && error.name === 'DependencyUnavailable' ? error.cause : error;
  if (root instanceof CannotDo) return root;
  if (!(root instanceof Error)) return undefined;
  const code = 'code' in root ? String(root.code) : root.name;
  const [line = ''] = root.message.split('\n', 1);
  if (root.name === 'TimeoutError' || /^(E[A-Z_]+|UND_ERR_\w+)$/.test(code)) {
    const hint = place.startsWith('http') ? ' Is the local run up? Start it with "npm start".' : '';
    return new CannotDo(2, `No answer from ${place}: ${code}.${hint}`, { cause: error });
  }
  if (
    /^(Credentials|Token)ProviderError$|^ExpiredToken|^UnrecognizedClient|^InvalidClientTokenId|^InvalidSignature/.test(
      root.name,
    )
  ) {
    return new CannotDo(2, `No valid AWS credentials (${place}): ${line}`, { cause: error });
  }
  // The SDK marks the errors of a service, and of a connection: anything else is a bug.
  return '$fault' in root || '$metadata' in root
    ? new CannotDo(1, `${place}: ${root.name}: ${line}`, { cause: error })
    : undefined;
}
