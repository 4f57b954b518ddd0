import { createHash } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import {
  type ExternalId,
  recordedExternalIdSchema,
  type JobId,
  jobIdSchema,
  type PartnerId,
  partnerIdSchema,
  projectIdSchema,
  timestampSchema,
  toTimestamp,
} from '../../core/identifiers.ts';
import {
  type DirectoryEntry,
  type JobDirectory,
  type JobOwner,
  type JobPages,
  newestFirst,
  type RequestBinding,
  type VerifiedEntry,
} from '../../core/job-directory.ts';
import type { Records } from '../../core/records.ts';
import type { Refusals } from '../../core/refusals.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import { findRefusals, keepRefusal } from './refusals.ts';
import {
  type Fields,
  getRecord,
  insertItem,
  type Item,
  putItem,
  queryItems,
  queryPage,
  readItems,
  type Table,
  updateItem,
} from './table-client.ts';

/** How long a request key stays bound: longer than any redelivery. */
export const BINDING_DAYS = 30;

/** In the table a number of seconds, as DynamoDB's time to live wants it: up to the end of the year 9999. */
const expirySchema = z.pipe(
  z.number().check(z.minimum(0), z.maximum(253_402_300_799)),
  z.transform((seconds) => toTimestamp(seconds * 1_000)),
);

const entrySchema = z.pipe(
  z.object({
    sk: jobIdSchema,
    registeredAt: timestampSchema,
    projectId: z.optional(projectIdSchema),
    verifiedAt: z.optional(timestampSchema),
    expiresAt: z.optional(expirySchema),
    listed: z.optional(z.boolean()),
    terminalStatus: z.optional(z.string()),
    jobExpiresAt: z.optional(timestampSchema),
    absentAt: z.optional(timestampSchema),
    absentSince: z.optional(timestampSchema),
    releasedAt: z.optional(timestampSchema),
  }),
  z.transform(({ sk, ...entry }): DirectoryEntry => ({ jobId: sk, ...entry })),
);

/** An owner without `verifiedAt` is from the time before registrations were verified: it owns nothing. */
const ownerSchema = z.object({
  partnerId: partnerIdSchema,
  externalId: recordedExternalIdSchema,
  registeredAt: timestampSchema,
  projectId: z.optional(projectIdSchema),
  verifiedAt: z.optional(timestampSchema),
  listed: z.optional(z.boolean()),
  terminalStatus: z.optional(z.string()),
  jobExpiresAt: z.optional(timestampSchema),
});

type StoredOwner = JobOwner & Omit<VerifiedEntry, 'jobId'>;

const bindingSchema = z.object({
  fingerprint: z.string(),
  firstSeenAt: timestampSchema,
  jobId: z.optional(jobIdSchema),
});

/**
 * The job directory on DynamoDB. Every key except a job's owner begins with the partner, so another partner's data cannot
 * be addressed.
 */
export function createJobDirectory(client: DynamoDBClient, tableName: string): JobDirectory {
  const table: Table = { client, name: tableName, dependency: 'job-directory' };

  function readBinding(partnerId: PartnerId, requestKey: string): Promise<RequestBinding | undefined> {
    return getRecord(table, bindingKey(partnerId, requestKey), bindingSchema, { ConsistentRead: true });
  }

  async function readOwner(jobId: JobId): Promise<StoredOwner | undefined> {
    const owner = await getRecord(table, ownerKey(jobId), ownerSchema, { ConsistentRead: true });
    return owner?.verifiedAt === undefined ? undefined : { ...owner, verifiedAt: owner.verifiedAt };
  }

  return {
    readBinding,
    readOwner,

    async find(partnerId, externalId) {
      const items = await queryItems(table, {
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        values: { ':pk': jobsKey(partnerId, externalId) },
      });
      const read = readEntries(partnerId, externalId, items);
      return { ...read, items: read.items.toSorted(newestFirst) };
    },

    async keepUnverified(partnerId, externalId, { jobId, expiresAt, ...fields }) {
      const seconds = expiresAt && Math.ceil(Date.parse(expiresAt) / 1_000);
      const item = { pk: jobsKey(partnerId, externalId), sk: jobId, ...fields, expiresAt: seconds };
      await putItem(table, item, unlessVerified);
    },

    async claim(partnerId, externalId, { jobId, ...fields }) {
      // Two writes, the owner first: after a crash between them, a repeat completes the claim as it was first made.
      const own = { partnerId, externalId, ...fields };
      const isOurs = await putItem(table, { ...ownerKey(jobId), ...own }, unlessVerified);
      const standing = isOurs ? own : await readOwner(jobId);
      const { partnerId: owner, externalId: name, ...stored } = standing ?? disappeared(table);
      if (owner !== partnerId || name !== externalId) {
        return { kind: 'taken', owner: { partnerId: owner, externalId: name } };
      }
      await putItem(table, { pk: jobsKey(partnerId, externalId), sk: jobId, ...stored }, unlessVerified);
      return { kind: 'claimed', entry: { jobId, ...stored } };
    },

    async remember(partnerId, externalId, jobId, fact) {
      const fields = Object.entries(fact);
      const set = fields.filter(([, value]) => value !== undefined);
      const removed = fields.filter(([, value]) => value === undefined).map(([name]) => name);
      await updateItem(
        table,
        { pk: jobsKey(partnerId, externalId), sk: jobId },
        {
          UpdateExpression: [
            ...(set.length > 0 ? [`SET ${set.map(([name]) => `${name} = :${name}`).join(', ')}`] : []),
            ...(removed.length > 0 ? [`REMOVE ${removed.join(', ')}`] : []),
          ].join(' '),
          ConditionExpression: 'attribute_exists(pk)',
          values: set.length > 0 ? Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])) : undefined,
        },
      );
    },

    keepRefusal: (record) => keepRefusal(table, record),

    async bind(partnerId, requestKey, binding) {
      const expiresAt = Math.ceil(Date.parse(binding.firstSeenAt) / 1000) + BINDING_DAYS * 86_400;
      const item = { ...bindingKey(partnerId, requestKey), ...binding, expiresAt };
      // Only a repeat of the same request may change a binding: it adds the job that it reached.
      const isBound = await (binding.jobId === undefined
        ? insertItem(table, item)
        : putItem(table, item, {
            ConditionExpression:
              'attribute_not_exists(pk) OR (fingerprint = :fingerprint AND attribute_not_exists(jobId))',
            values: { ':fingerprint': binding.fingerprint },
          }));
      if (isBound) return binding;
      return (await readBinding(partnerId, requestKey)) ?? disappeared(table);
    },
  };
}

/** The directory with what only its readers ask: so no other bundle holds it. */
export function createPagedDirectory(client: DynamoDBClient, tableName: string): JobDirectory & JobPages & Refusals {
  const table: Table = { client, name: tableName, dependency: 'job-directory' };
  return {
    ...createJobDirectory(client, tableName),

    findRefusals: (...which) => findRefusals(table, ...which),

    async findPage(partnerId, externalId, { limit, after }) {
      // One more than is asked for shows whether there is a next page.
      const { items } = await queryPage(table, {
        ConsistentRead: true,
        KeyConditionExpression: after === undefined ? 'pk = :pk' : 'pk = :pk AND sk < :after',
        values: { ':pk': jobsKey(partnerId, externalId), ':after': after },
        ScanIndexForward: false,
        Limit: limit + 1,
      });
      const shown = items.slice(0, limit);
      const next = items.length > limit ? shown.at(-1)?.['sk']?.S : undefined;
      return { ...readEntries(partnerId, externalId, shown), next };
    },
  };
}

function readEntries(partnerId: PartnerId, externalId: ExternalId, items: readonly Item[]): Records<DirectoryEntry> {
  return readItems(
    items,
    (fields) => entrySchema.safeParse(fields).data,
    (fields) => nameOfEntry(partnerId, externalId, fields),
  );
}

function disappeared({ dependency }: Table): never {
  throw new DependencyUnavailable(dependency, new Error('a record disappeared right after it was found'));
}

/** An entry's partition key contains what the partner wrote, so only a hash of that names it. */
function nameOfEntry(partnerId: PartnerId, externalId: ExternalId, { sk }: Fields): string {
  const jobId = jobIdSchema.safeParse(sk).data ?? `sha256:${sha256(String(sk))}`;
  return `${partnerId}#job#sha256:${sha256(externalId)} ${jobId}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A verified entry, or owner, stays as it was first made; what is not verified gives way. */
const unlessVerified = { ConditionExpression: 'attribute_not_exists(verifiedAt)' };

export function jobsKey(partnerId: PartnerId, externalId: ExternalId): string {
  return `${partnerId}#job#${externalId}`;
}

/** A job's one owner. The only key without a partner in front: it is claimed by a conditional put, never searched. */
export function ownerKey(jobId: JobId) {
  return { pk: `job#${jobId}`, sk: 'owner' };
}

/** Hashed, because a caller's key may be long or confidential. */
function bindingKey(partnerId: PartnerId, requestKey: string) {
  return { pk: `${partnerId}#request#${sha256(requestKey)}`, sk: 'binding' };
}
