import type { Permission, Resource } from '../blueprint/access/permissions.ts';
import { archiveFolders } from '../blueprint/archive/archive-folders.ts';
import { deadLetterName, type QueueCaller } from './aws/events/queue-endpoint.ts';
import type { KmsCaller } from './aws/kms/local-kms.ts';
import type { S3Call, S3Caller } from './aws/s3/local-s3.ts';
import type { SecretCaller } from './aws/secrets-manager.ts';
import type { TableCaller } from './aws/table-calls.ts';
import { type RestoredTables, tableInUse } from './restored-tables.ts';
import {
  archiveBucket,
  callbackQueueName,
  callbackSecretId,
  eventsQueueName,
  plangrepSecretId,
  sealKey,
  wakeUpQueueName,
} from './seeds.ts';

/** What a role allows, service by service. */
export interface PlayedRole {
  readonly mayCallTables: TableCaller['mayCall'];
  readonly mayCallS3: S3Caller['mayCall'];
  readonly mayCallKms: KmsCaller['mayCall'];
  readonly mayCallSecrets: SecretCaller['mayCall'];
  readonly mayCallQueues: QueueCaller['mayCall'];
}

/**
 * Plays a role of the blueprint at the local services: its actions on its resources. Conditions are not played.
 * @param restored the tables that take the place of others
 */
export function playRole(permissions: readonly Permission[], restored: RestoredTables = {}): PlayedRole {
  const allows = (on: string | undefined, action: string): boolean =>
    permissions.some(({ actions, resource }) => resource === on && actions.includes(action));
  return {
    mayCallTables: ({ operation, table, index }) =>
      allows(index === undefined ? tableInUse(restored, table) : 'WakeUps', `dynamodb:${operation}`),
    mayCallS3: (call) => allows(archivePartOf(call), call.action),
    mayCallKms: ({ action, aliases }) => aliases.includes(sealKey) && allows('SealKey', action),
    mayCallSecrets: ({ action, secretName }) => allows(secretResources.get(secretName), action),
    mayCallQueues: ({ action, queueName }) => allows(queueResources.get(queueName), action),
  };
}

const secretResources: ReadonlyMap<string, Resource> = new Map([
  [plangrepSecretId, 'PlangrepKey'],
  [callbackSecretId, 'CallbackSecret'],
]);
const queueResources: ReadonlyMap<string, Resource> = new Map([
  [deadLetterName(eventsQueueName), 'EventsGivenUp'],
  [wakeUpQueueName, 'WakeUpQueue'],
  [callbackQueueName, 'CallbackQueue'],
  [deadLetterName(callbackQueueName), 'CallbacksGivenUp'],
]);

/** @returns undefined for what is not the archive's */
function archivePartOf({ bucket, key }: S3Call): string | undefined {
  if (bucket !== archiveBucket) return undefined;
  if (key === '') return 'ArchiveBucket';
  return Object.entries(archiveFolders).find(([, folder]) => key.startsWith(folder))?.[0];
}
