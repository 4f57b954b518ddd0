import { createHash } from 'node:crypto';
import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import {
  type ExternalId,
  externalIdSchema,
  type JobId,
  jobIdSchema,
  type PartnerId,
  partnerIdSchema,
  projectIdSchema,
  timestampSchema,
} from '../../core/identifiers.ts';
import { type DirectoryEntry, type JobDirectory, newestFirst, type RequestBinding } from '../../core/ports.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import { ask, fromItem, toItem, write } from './dynamodb.ts';

/** How long a request key stays bound: longer than any redelivery. */
export const BINDING_DAYS = 30;

const DEPENDENCY = 'job-directory';
const jobKey = (partnerId: PartnerId, externalId: ExternalId): string => `${partnerId}#job#${externalId}`;
/** A job's one owner. The only key without a partner in front: it is claimed by a conditional put, never searched. */
const ownerKey = (jobId: JobId): { pk: string; sk: string } => ({ pk: `job#${jobId}`, sk: 'owner' });
/** Hashed: a caller's key may be long, or something that should not lie around. */
const bindingKey = (partnerId: PartnerId, requestKey: string): { pk: string; sk: string } => ({
  pk: `${partnerId}#request#${createHash('sha256').update(requestKey).digest('hex')}`,
  sk: 'binding',
});

const entrySchema = z.pipe(
  z.object({
    sk: jobIdSchema,
    registeredAt: timestampSchema,
    projectId: z.optional(projectIdSchema),
    listed: z.optional(z.boolean()),
    terminalStatus: z.optional(z.string()),
  }),
  z.transform(({ sk, ...entry }): DirectoryEntry => ({ jobId: sk, ...entry })),
);

const ownerSchema = z.object({
  partnerId: partnerIdSchema,
  externalId: externalIdSchema,
  registeredAt: timestampSchema,
  projectId: z.optional(projectIdSchema),
  listed: z.optional(z.boolean()),
});

const bindingSchema = z.object({
  fingerprint: z.string(),
  firstSeenAt: timestampSchema,
  jobId: z.optional(jobIdSchema),
});

/** The job directory on DynamoDB. Every key but a job's owner begins with the partner:
 * another partner's data cannot be addressed. */
export const createJobDirectory = (client: DynamoDBClient, table: string): JobDirectory => {
  const readBinding = async (partnerId: PartnerId, requestKey: string): Promise<RequestBinding | undefined> => {
    const { Item } = await ask(DEPENDENCY, () =>
      client.send(
        new GetItemCommand({ TableName: table, Key: toItem(bindingKey(partnerId, requestKey)), ConsistentRead: true }),
      ),
    );
    return Item === undefined ? undefined : bindingSchema.parse(fromItem(Item));
  };

  /** @returns whether the place was free */
  const insert = (item: Readonly<Record<string, unknown>>): Promise<boolean> =>
    write(DEPENDENCY, () =>
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: toItem(item),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );

  const readOwner = async (jobId: JobId): Promise<z.infer<typeof ownerSchema>> => {
    const { Item = {} } = await ask(DEPENDENCY, () =>
      client.send(new GetItemCommand({ TableName: table, Key: toItem(ownerKey(jobId)), ConsistentRead: true })),
    );
    return ownerSchema.parse(fromItem(Item));
  };

  return {
    readBinding,

    async find(partnerId, externalId) {
      const entries = await ask(DEPENDENCY, async () => {
        const found: Record<string, unknown>[] = [];
        const pages = paginateQuery(
          { client },
          {
            TableName: table,
            ConsistentRead: true,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: toItem({ ':pk': jobKey(partnerId, externalId) }),
          },
        );
        for await (const page of pages) found.push(...(page.Items ?? []).map(fromItem));
        return found;
      });
      return entries.map((entry) => entrySchema.parse(entry)).toSorted(newestFirst);
    },

    async register(partnerId, externalId, { jobId, registeredAt, projectId, listed }) {
      // Two writes, the claim first: repeating a registration that died in between completes it, as it was first said.
      const claim = { partnerId, externalId, registeredAt, projectId, listed };
      const standing = (await insert({ ...ownerKey(jobId), ...claim })) ? claim : await readOwner(jobId);
      const { partnerId: owner, externalId: name, ...fields } = standing;
      if (owner !== partnerId || name !== externalId) return { kind: 'taken' };
      await insert({ pk: jobKey(partnerId, externalId), sk: jobId, ...fields });
      return { kind: 'registered', entry: { jobId, ...fields } };
    },

    async rememberTerminal(partnerId, externalId, jobId, status) {
      await write(DEPENDENCY, () =>
        client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: toItem({ pk: jobKey(partnerId, externalId), sk: jobId }),
            UpdateExpression: 'SET terminalStatus = :status',
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeValues: toItem({ ':status': status }),
          }),
        ),
      );
    },

    async bind(partnerId, requestKey, binding) {
      const expiresAt = Math.ceil(Date.parse(binding.firstSeenAt) / 1000) + BINDING_DAYS * 86_400;
      const bound = await write(DEPENDENCY, () =>
        client.send(
          new PutItemCommand({
            TableName: table,
            Item: toItem({ ...bindingKey(partnerId, requestKey), ...binding, expiresAt }),
            // The same request may come to its job later; nothing else may change a binding.
            ...(binding.jobId === undefined
              ? { ConditionExpression: 'attribute_not_exists(pk)' }
              : {
                  ConditionExpression:
                    'attribute_not_exists(pk) OR (fingerprint = :fingerprint AND attribute_not_exists(jobId))',
                  ExpressionAttributeValues: toItem({ ':fingerprint': binding.fingerprint }),
                }),
          }),
        ),
      );
      if (bound) return binding;
      const standing = await readBinding(partnerId, requestKey);
      if (standing === undefined) throw new DependencyUnavailable(DEPENDENCY, new Error('a binding came and went'));
      return standing;
    },
  };
};
