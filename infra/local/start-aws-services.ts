import { join } from 'node:path';
import { type TableName, tables } from '../blueprint/tables.ts';
import { localPlans, usagePlanName } from '../blueprint/usage-plans.ts';
import type { LocalAccessKey } from './aws/access-keys.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from './aws/dynamodb.ts';
import { type QueueEndpoint, startQueueEndpoint } from './aws/events/queue-endpoint.ts';
import { startUsagePlanEndpoint } from './aws/gateway/usage-plan-endpoint.ts';
import { createUsagePlans, type LocalUsagePlans, type UsagePlan } from './aws/gateway/usage-plans.ts';
import { type LocalKms, startLocalKms } from './aws/kms/local-kms.ts';
import { type LocalS3, startLocalS3 } from './aws/s3/local-s3.ts';
import { type LocalSecretsManager, startSecretsManager } from './aws/secrets-manager.ts';
import { createTableFeatures } from './aws/tables/table-features.ts';
import { CannotStart } from './cannot-start.ts';
import { objectsFolder, openDataFolder, storeFolder } from './data-folder.ts';
import type { Adopt } from './doors.ts';
import { findMissing, type RestoredTables } from './restored-tables.ts';
import {
  archiveBucket,
  callbackQueueName,
  callbackSecretId,
  eventsQueueName,
  keepCallbackSecret,
  localEnvironment,
  sealKey,
  wakeUpQueueName,
} from './seeds.ts';
import type { FunctionCaller } from './start-functions.ts';

/** The AWS services that stand by themselves: what functions and operators call. */
export interface AwsServices {
  readonly dynamodb: LocalDynamoDb<TableName>;
  readonly secretsManager: LocalSecretsManager;
  /** The addresses of queues, which their doors serve. */
  readonly queues: QueueEndpoint;
  /** What each partner may send. */
  readonly usagePlans: LocalUsagePlans;
  /** With the archive's bucket. */
  readonly s3: LocalS3;
  /** With the key that signs the archive's digests. */
  readonly kms: LocalKms;
  /** What partners' signing secrets are made from. */
  readonly callbackSecret: string;
  /** For the AWS SDK and CLI. */
  readonly endpoints: Readonly<Record<'dynamodb' | 'secretsmanager' | 'sqs' | 'apigateway' | 's3' | 'kms', string>>;
}

interface AwsServicesOptions {
  /** The operator's key, which may call everything. */
  readonly aws: LocalAccessKey;
  readonly callers: readonly FunctionCaller[];
  /** Beside the callbacks' secret. */
  readonly secrets: Readonly<Record<string, string>>;
  /** @default `localPlans` */
  readonly plans?: Readonly<Record<string, UsagePlan>> | undefined;
  readonly dataDir: string | undefined;
  readonly restoredTables: RestoredTables | undefined;
  /** Whether the tables are down at the moment. */
  readonly isDown: () => boolean;
  readonly latencyMs: number | undefined;
  readonly adopt: Adopt;
}

const queueDefinitions = [
  { name: eventsQueueName, sentTo: 'by rules', hasDeadLetters: true },
  { name: wakeUpQueueName, sentTo: 'by callers', hasDeadLetters: false },
  { name: callbackQueueName, sentTo: 'by callers', hasDeadLetters: true },
] as const;

/**
 * Of the archive's objects. One day is the shortest that S3 has: enough to see that a delete is refused, and a day later the bucket
 * can be emptied. In governance mode, as outside prod: the operator's key can pass over it, a function's cannot.
 */
const localRetention = { mode: 'GOVERNANCE', unit: 'Days', count: 1 } as const;

/** @throws DataFolderError or CannotStart when something in the data folder cannot be used */
export async function startAwsServices(options: AwsServicesOptions): Promise<AwsServices> {
  const { aws, callers, secrets, plans = localPlans, dataDir, restoredTables, isDown, latencyMs, adopt } = options;
  const inDataDir = (name: string) => (dataDir === undefined ? undefined : join(dataDir, name));
  if (dataDir !== undefined) await openDataFolder(dataDir);
  const dynamodb = adopt(
    await startLocalDynamoDb({
      tables,
      restoredTables,
      path: inDataDir(storeFolder),
      isDown,
      latencyMs,
      accessKey: aws,
      callers: callers.map(({ accessKey, role }) => ({ accessKey, mayCall: role.mayCallTables })),
      front: createTableFeatures,
    }),
  );
  const gone = await findMissing(dynamodb.client, restoredTables);
  if (gone !== undefined) throw new CannotStart(`There is no table ${gone} in the data folder.`);
  const s3 = adopt(
    await startLocalS3({
      accessKey: aws,
      callers: callers.map(({ accessKey, role }) => ({ accessKey, mayCall: role.mayCallS3 })),
      buckets: { [archiveBucket]: localRetention },
      path: inDataDir(objectsFolder),
    }),
  );
  const kms = adopt(
    await startLocalKms({
      accessKey: aws,
      callers: callers.map(({ accessKey, role }) => ({ accessKey, mayCall: role.mayCallKms })),
      aliases: [sealKey],
      statePath: inDataDir('kms.json'),
    }),
  );
  const callbackSecret = keepCallbackSecret(inDataDir('callback-secret.json'));
  const secretsManager = adopt(
    await startSecretsManager({
      secrets: { ...secrets, [callbackSecretId]: callbackSecret },
      accessKey: aws,
      callers: callers.map(({ accessKey, role }) => ({ accessKey, mayCall: role.mayCallSecrets })),
    }),
  );
  const queueCallers = callers.map(({ accessKey, role }) => ({ accessKey, mayCall: role.mayCallQueues }));
  const queues = adopt(await startQueueEndpoint(queueDefinitions, [aws], queueCallers));
  const usagePlans = createUsagePlans(plans, Date.now, inDataDir('api-keys.json'));
  const nameOf = (plan: string) => usagePlanName(localEnvironment, plan);
  const usagePlanEndpoint = adopt(await startUsagePlanEndpoint({ usagePlans, keys: [aws], nameOf }));
  const endpoints = {
    dynamodb: dynamodb.url,
    secretsmanager: secretsManager.url,
    sqs: queues.url,
    apigateway: usagePlanEndpoint.url,
    s3: s3.url,
    kms: kms.url,
  };
  return { dynamodb, secretsManager, queues, usagePlans, s3, kms, callbackSecret, endpoints };
}
