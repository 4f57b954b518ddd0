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
  type Timestamp,
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
import { daysAfter } from '../../core/retention.ts';
import { sha256 } from '../../core/sha256.ts';
import { bindingKey, jobsKey, ownerKey } from './directory-keys.ts';
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

/**
 * How much longer than its entry a job's owner stays. Plangrep shows no job past its expiry, and by then its entry has
 * been gone for weeks: no one can claim the job any more. Where that expiry is not known, the owner stays for good, because
 * another partner could claim a job that Plangrep still shows.
 */
const OWNER_OUTLIVES_DAYS = 30;

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
  externalId: z.optional(recordedExternalIdSchema),
  registeredAt: timestampSchema,
  projectId: z.optional(projectIdSchema),
  verifiedAt: z.optional(timestampSchema),
  listed: z.optional(z.boolean()),
  terminalStatus: z.optional(z.string()),
  jobExpiresAt: z.optional(timestampSchema),
  /** Seconds. Nothing goes by it but DynamoDB: an owner that is not deleted yet is the owner. */
  expiresAt: z.optional(z.number()),
});

type StoredOwner = JobOwner & Omit<VerifiedEntry, 'jobId' | 'expiresAt'> & { readonly expiresAt?: number | undefined };

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
      const item = { pk: jobsKey(partnerId, externalId), sk: jobId, ...fields, expiresAt: secondsOf(expiresAt) };
      await putItem(table, item, unlessStanding(fields.registeredAt));
    },

    async claim(partnerId, externalId, { jobId, expiresAt, ...fields }) {
      const { verifiedAt, jobExpiresAt } = fields;
      // Two writes, the owner first: after a crash between them, a repeat completes the claim as it was first made.
      const ownerEnd = jobExpiresAt && expiresAt ? daysAfter(expiresAt, OWNER_OUTLIVES_DAYS) : undefined;
      const own = { partnerId, externalId, ...fields, expiresAt: ownerEnd };
      const isOurs = await putItem(table, { ...ownerKey(jobId), ...own }, unlessStanding(verifiedAt, own));
      const standing: StoredOwner = (isOurs ? own : await readOwner(jobId)) ?? disappeared(table);
      const { partnerId: owner, externalId: name, expiresAt: standingEnd, ...stored } = standing;
      if (owner !== partnerId || name !== externalId) {
        return { kind: 'taken', owner: { partnerId: owner, externalId: name } };
      }
      // No entry outlives its owner.
      const end = expiresAt && Math.min(daysAfter(expiresAt, 0), standingEnd ?? Number.POSITIVE_INFINITY);
      const entry = { ...stored, expiresAt: end || undefined };
      await putItem(table, { pk: jobsKey(partnerId, externalId), sk: jobId, ...entry }, unlessStanding(verifiedAt));
      return { kind: 'claimed', entry: { jobId, ...stored, expiresAt: end ? toTimestamp(end * 1_000) : undefined } };
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
            ...(set.length > 0 ? [`SET ${set.map(setOf).join(', ')}`] : []),
            ...(removed.length > 0 ? [`REMOVE ${removed.join(', ')}`] : []),
          ].join(' '),
          ConditionExpression: 'attribute_exists(pk)',
          values: set.length > 0 ? Object.fromEntries(set.map(valueOf)) : undefined,
        },
      );
    },

    keepRefusal: (record) => keepRefusal(table, record),

    async bind(partnerId, requestKey, binding) {
      const expiresAt = daysAfter(binding.firstSeenAt, BINDING_DAYS);
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

/**
 * A verified entry stays as it was first made; what is not verified, or has expired, gives way. So does an owner, but when
 * it has expired only to itself: until DynamoDB deletes it, no other partner gets its job.
 * @param now when it is written, as far as that is known
 */
function unlessStanding(now: Timestamp, owner?: Pick<JobOwner, 'partnerId' | 'externalId'>) {
  const ours = owner === undefined ? '' : ' AND partnerId = :partnerId AND externalId = :externalId';
  return {
    ConditionExpression: `attribute_not_exists(verifiedAt) OR (expiresAt < :now${ours})`,
    values: {
      ':now': secondsOf(now),
      ...(owner && { ':partnerId': owner.partnerId, ':externalId': owner.externalId }),
    },
  };
}

function secondsOf(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : daysAfter(time, 0);
}

/** An entry keeps the date that it has: its owner's goes by it. */
function setOf([name]: readonly [string, unknown]): string {
  return name === 'expiresAt' ? 'expiresAt = if_not_exists(expiresAt, :expiresAt)' : `${name} = :${name}`;
}

function valueOf([name, value]: readonly [string, Timestamp | undefined]): readonly [string, unknown] {
  return [`:${name}`, name === 'expiresAt' ? secondsOf(value) : value];
}
