import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { EnvironmentName } from '../blueprint/environments.ts';
import type { TableName } from '../blueprint/tables.ts';

/** Queues in which something waits for a person. */
export const deadLetterQueues = {
  events: 'events that consume-events gave up on',
  undelivered: 'events that EventBridge could not put into the queue',
  closings: 'closed cancellations that the bus did not take',
  runs: 'runs of the reconciler that did not come about',
  alarms: 'alarms that reached nobody',
} as const;
export type DeadLetterQueue = keyof typeof deadLetterQueues;

/** What the commands work on: the local run, or a deployed environment. Names are looked up when they are needed. */
export interface Place {
  readonly environment: 'local' | EnvironmentName;
  /** For a person: `http://127.0.0.1:8000`, `eu-central-1`. */
  readonly where: string;
  readonly region: string;
  readonly dynamodb: DynamoDBClient;
  readonly secretsManager: SecretsManagerClient;
  readonly sqs: SQSClient;
  table(name: TableName): Promise<string>;
  /** Of Plangrep's key. */
  secretId(): Promise<string>;
  /** A queue's URL; nothing where the place has no such queue. */
  queueUrl(queue: DeadLetterQueue): Promise<string | undefined>;
  close(): void;
}
