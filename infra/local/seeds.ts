import { createHash, randomBytes } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { usageKeyOf } from '../../functions/doors/http/usage-key.ts';
import {
  externalIdSchema,
  jobIdSchema,
  partnerIdSchema,
  projectIdSchema,
  toTimestamp,
} from '../../functions/core/identifiers.ts';
import { exampleJob, type SimulatedJobFields } from '../../functions/simulator/plangrep-jobs.ts';
import { sandboxProject } from '../../functions/simulator/sandbox-jobs.ts';
import { eventSourceOf } from '../blueprint/bus-events.ts';
import type { TableName } from '../blueprint/tables.ts';
import { defaultPlan, usageKeyName } from '../blueprint/usage-plans.ts';
import { projects, stories } from '../scenes/stories.ts';
import { createAccessKey, type LocalAccessKey, withRegion } from './aws/access-keys.ts';
import type { LocalDynamoDb } from './aws/dynamodb.ts';
import type { LocalUsagePlans } from './aws/gateway/usage-plans.ts';
import { stateFile } from './aws/store/state-file.ts';

/** Names that every local run uses. */
export const localEnvironment = 'local';
export const plangrepSecretId = 'plangrep/api-key';
/** What partners' signing secrets are made from. */
export const callbackSecretId = 'callbacks/master-secret';
export const eventsQueueName = 'cancellation-events';
export const wakeUpQueueName = 'wake-ups';
export const callbackQueueName = 'callbacks';
export const archiveBucket = `plangrep-cancellation-${localEnvironment}-archive`;
/** The alias of the key that signs the archive's digests. */
export const sealKey = `alias/plangrep-cancellation-${localEnvironment}-seal`;

export type SeededJob = SimulatedJobFields & {
  readonly id: string;
  readonly externalId: string;
  readonly projectId: string;
};

export interface SeededPartner {
  readonly partnerId: string;
  /** The same in every run, so that the new key of a run replaces the key of the run before. */
  readonly keyId: string;
  /** The same for a key that can only read. */
  readonly readerKeyId: string;
  /** The role that puts its events, in the partner's account. */
  readonly principal: string;
  readonly projectId: string;
  readonly jobs: readonly SeededJob[];
}

/** A partner and its credentials in this run. */
export interface PartnerCredential {
  readonly partnerId: string;
  /** `pcg_local_<keyId>_<secret>`, for `Authorization: Bearer`. */
  readonly token: string;
  /** The same for a key that can only read. */
  readonly readerToken: string;
  /** The source of its events. */
  readonly eventSource: string;
  /** The role in its own account that puts its events. */
  readonly principal: string;
  /** The role's key. */
  readonly aws: LocalAccessKey;
}

/** The two partners of every local run, and their jobs in the simulator: those of the stories. */
export const seededPartners: readonly SeededPartner[] = [
  seedPartner('acme', {
    keyId: 'acmelocal001',
    readerKeyId: 'acmereader01',
    principal: 'arn:aws:iam::111122223333:role/acme-events',
  }),
  seedPartner('globex', {
    keyId: 'globexlocal1',
    readerKeyId: 'globexreader',
    principal: 'arn:aws:iam::444455556666:role/globex-events',
  }),
];

/** @returns whether it is Plangrep's documented cancel example: the only job that another upstream has too */
export function isExampleJob({ id }: SeededJob): boolean {
  return id === exampleJob.id;
}

function seedPartner(
  partnerId: keyof typeof projects,
  keys: Pick<SeededPartner, 'keyId' | 'readerKeyId' | 'principal'>,
): SeededPartner {
  const projectId = projects[partnerId];
  const jobs = stories
    .filter((story) => story.partnerId === partnerId)
    .flatMap((story) => story.jobs.map((job) => ({ ...job, externalId: story.externalId, projectId })));
  return { partnerId, ...keys, projectId, jobs };
}

const scopes = ['cancellations:write', 'cancellations:read', 'jobs:write'];

/**
 * Writes the partners' records, new keys (the keys of an earlier run stop working), and their jobs' directory entries.
 * @param isSeeded whether the upstream has the job
 * @param nowMs milliseconds since 1970
 */
export function seedTables(
  dynamodb: LocalDynamoDb<TableName>,
  partners: readonly SeededPartner[],
  isSeeded: (job: SeededJob) => boolean,
  nowMs: number,
): Promise<readonly PartnerCredential[]> {
  const { Partners, JobDirectory } = dynamodb.tableNames;
  const directory = createJobDirectory(dynamodb.client, JobDirectory);
  const put = (item: Readonly<Record<string, unknown>>) =>
    dynamodb.client.send(new PutItemCommand({ TableName: Partners, Item: marshall(item) }));

  const issueKey = async (partnerId: string, keyId: string, granted: readonly string[]): Promise<string> => {
    const secret = randomBytes(32).toString('base64url');
    const secretHash = createHash('sha256').update(secret, 'ascii').digest('hex');
    const createdAt = new Date(nowMs).toISOString();
    await put({ pk: `key#${keyId}`, partnerId, secretHash, scopes: new Set(granted), createdAt });
    return `pcg_${localEnvironment}_${keyId}_${secret}`;
  };
  const register = (partnerId: string, job: SeededJob, position: number) =>
    directory.claim(partnerIdSchema.parse(partnerId), externalIdSchema.parse(job.externalId), {
      jobId: jobIdSchema.parse(job.id),
      projectId: projectIdSchema.parse(job.projectId),
      registeredAt: toTimestamp(nowMs - 60_000 + position * 1000),
      verifiedAt: toTimestamp(nowMs),
    });
  const seed = async ({ partnerId, keyId, readerKeyId, principal, projectId, jobs }: SeededPartner) => {
    const [token, readerToken] = await Promise.all([
      issueKey(partnerId, keyId, scopes),
      issueKey(partnerId, readerKeyId, ['cancellations:read']),
      put({ pk: `partner#${partnerId}`, partnerId, projects: [projectId, sandboxProject] }),
      ...jobs.filter(isSeeded).map((job, position) => register(partnerId, job, position)),
    ]);
    const aws = withRegion(createAccessKey());
    return { partnerId, token, readerToken, eventSource: eventSourceOf(partnerId), principal, aws };
  };
  return Promise.all(partners.map(seed));
}

/**
 * The value of the callbacks' secret: 64 characters, as CloudFormation makes them in AWS, made once for a data folder, so that
 * a receiver still verifies after a restart.
 * @param statePath a JSON file that keeps it. @default another value in every run
 * @throws DataFolderError when the file has other content
 */
export function keepCallbackSecret(statePath: string | undefined): string {
  const file = stateFile(statePath, z.object({ secret: z.string().check(z.minLength(64)) }));
  const { secret } = file.read() ?? { secret: randomBytes(48).toString('base64url') };
  file.write({ secret });
  return secret;
}

/** Puts the seeded partners into the usual plan, unless an earlier run of this data folder left them in another. */
export function seedUsageKeys(usagePlans: LocalUsagePlans, partners: readonly SeededPartner[]): void {
  for (const { partnerId } of partners) {
    const value = usageKeyOf(localEnvironment, partnerIdSchema.parse(partnerId));
    const added = usagePlans.addKey({ name: usageKeyName(localEnvironment, partnerId), value });
    if (added !== undefined) usagePlans.assign(added.id, defaultPlan);
  }
}
