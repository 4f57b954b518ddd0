import { createHash, randomBytes } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import {
  externalIdSchema,
  jobIdSchema,
  partnerIdSchema,
  projectIdSchema,
  toTimestamp,
} from '../../functions/core/identifiers.ts';
import { eventSourceOf } from '../blueprint/bus-events.ts';
import type { LocalDynamoDb } from './aws/dynamodb.ts';
import type { SeededJob, SeededPartner } from './seeds.ts';

/** A partner and the credential that opens its door in this run. */
export interface PartnerCredential {
  readonly partnerId: string;
  /** `pcg_local_<keyId>_<secret>`, for `Authorization: Bearer`. */
  readonly token: string;
  /** The same for a key that may only read. */
  readonly readerToken: string;
  /** The event source that is bound to it. */
  readonly eventSource: string;
}

const scopes = ['cancellations:write', 'cancellations:read', 'jobs:write'];

const put = ({ client }: LocalDynamoDb, TableName: string, item: Readonly<Record<string, unknown>>) =>
  client.send(new PutItemCommand({ TableName, Item: marshall(item) }));

/**
 * Writes the partners' records, a fresh key for each (the key of an earlier run dies), and their jobs' directory.
 * @param isSeeded which of their jobs the upstream has
 * @param now milliseconds since 1970
 */
export const seedTables = async (
  dynamodb: LocalDynamoDb,
  partners: readonly SeededPartner[],
  isSeeded: (job: SeededJob) => boolean,
  now: number,
): Promise<readonly PartnerCredential[]> => {
  const credentials: PartnerCredential[] = [];
  const { Partners, JobDirectory } = dynamodb.tableNames;
  const directory = createJobDirectory(dynamodb.client, JobDirectory);
  const createdAt = new Date(now).toISOString();
  for (const { partnerId, keyId, readerKeyId, projectId, jobs } of partners) {
    const issue = async (id: string, granted: readonly string[]): Promise<string> => {
      const secret = randomBytes(32).toString('base64url');
      const secretHash = createHash('sha256').update(secret, 'ascii').digest('hex');
      await put(dynamodb, Partners, { pk: `key#${id}`, partnerId, secretHash, scopes: new Set(granted), createdAt });
      return `pcg_local_${id}_${secret}`;
    };
    const [token, readerToken] = [await issue(keyId, scopes), await issue(readerKeyId, ['cancellations:read'])];
    await put(dynamodb, Partners, { pk: `partner#${partnerId}`, partnerId, projects: [projectId] });
    for (const [position, job] of jobs.filter(isSeeded).entries()) {
      // One after the other, as jobs are in life: the newest comes first.
      await directory.register(partnerIdSchema.parse(partnerId), externalIdSchema.parse(job.externalId), {
        jobId: jobIdSchema.parse(job.id),
        projectId: projectIdSchema.parse(job.projectId),
        registeredAt: toTimestamp(now - 60_000 + position * 1000),
      });
    }
    credentials.push({ partnerId, token, readerToken, eventSource: eventSourceOf(partnerId) });
  }
  return credentials;
};
