import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { EnvironmentName } from '../../blueprint/environments.ts';
import type { TableName } from '../../blueprint/tables.ts';
import type { Credentials } from '../../local/aws/access-keys.ts';

/**
 * Queues in which something waits for an operator. `path` begins the queue's logical id in the service stack: CDK makes
 * it of the constructs' path and eight characters of a hash.
 */
export const deadLetterQueues = {
  events: { what: 'events that consume-events gave up on', path: 'EventsDoorDeadLetters' },
  undelivered: { what: 'events that EventBridge could not put into the queue', path: 'EventsDoorUndelivered' },
  outgoing: {
    what: "closed, escalated and refused cancellations that the event bus or the callbacks' queue did not take",
    path: 'OutgoingEventsUndelivered',
  },
  callbacks: { what: 'messages about callbacks that deliver-callbacks gave up on', path: 'CallbacksDeadLetters' },
  records: { what: "records of the log's stream that archive-records gave up", path: 'ArchivingUndelivered' },
  runs: { what: 'runs by schedule that were never started', path: 'ScheduleMissed' },
  alarms: { what: 'alarms that could not be sent', path: 'WatchingAlarmsUnsent' },
} as const;
export type DeadLetterQueue = keyof typeof deadLetterQueues;

/** Every queue: beside those, the ones that functions work on. */
export const queues = {
  ...deadLetterQueues,
  waiting: { what: 'events that wait for consume-events', path: 'EventsDoorQueue' },
  toDeliver: { what: 'messages about callbacks that wait for deliver-callbacks', path: 'CallbacksQueue' },
  wakeUps: { what: 'wake-ups that wait for consume-wake-ups', path: 'WakeUpsQueue' },
} as const;
export type QueueName = keyof typeof queues;

/** By their logical ids in the stateful stack: Plangrep's key, and what partners' signing secrets are made from. */
export type SecretName = 'PlangrepKey' | 'CallbackSecret';

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
  /** Where the archive's bucket is, and the key that signs its digests. */
  readonly s3: ServiceAccess;
  readonly kms: ServiceAccess;
  /** The archive's bucket. */
  archiveBucket(): Promise<string>;
  /** The table in use: a restored one where the environment, or the local run, names it. */
  table(name: TableName): Promise<string>;
  secretId(secret: SecretName): Promise<string>;
  /** @returns undefined where the place has no such queue */
  queueUrl(queue: QueueName): Promise<string | undefined>;
  /** Of the functions, of the API's access log and of the trail; none in the local run. */
  logGroups(): Promise<readonly string[]>;
  /** The local run's API. A deployed one's is given with a command, and checked by {@link apiHosts}. */
  readonly apiUrl: string | undefined;
  /** The names under which the API answers: none of the local run's, whose port changes. */
  apiHosts(): Promise<readonly string[]>;
  /** Where the log lines are. */
  readonly lines:
    | { readonly kind: 'cloudwatch'; readonly access: ServiceAccess }
    | { readonly kind: 'kept'; readonly path: string };
  close(): void;
}
