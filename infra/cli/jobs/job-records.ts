import { userInfo } from 'node:os';
import { DeleteItemCommand, paginateScan, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { jobsKey, ownerKey } from '../../../functions/adapters/dynamodb/directory-keys.ts';
import { readItems, toItem, write } from '../../../functions/adapters/dynamodb/table-client.ts';
import {
  type JobId,
  type PartnerId,
  partnerIdSchema,
  type ProjectId,
  projectIdSchema,
  recordedExternalIdSchema,
  type Timestamp,
  timestampSchema,
} from '../../../functions/core/identifiers.ts';
import { RecordUnreadable } from '../../../functions/core/report.ts';
import { readJobId } from '../ops-command.ts';
import type { Place } from '../places/place.ts';

const ownership = {
  partnerId: partnerIdSchema,
  /** Absent once it was erased. */
  externalId: z.optional(recordedExternalIdSchema),
  registeredAt: timestampSchema,
  projectId: z.optional(projectIdSchema),
  verifiedAt: z.optional(timestampSchema),
};
const ownerSchema = z.object({ ...ownership, pk: z.templateLiteral(['job#', z.string()]), sk: z.literal('owner') });
const releasedSchema = z.object({
  ...ownership,
  sk: z.templateLiteral(['released#', z.string()]),
  releasedAt: timestampSchema,
  releasedBy: z.string(),
  why: z.string(),
});
const recordSchema = z.union([ownerSchema, releasedSchema]);
export type Owner = z.infer<typeof ownerSchema>;
export type Released = z.infer<typeof releasedSchema>;

/** What the directory knows of a job of any partner: its owner, and its former ones, the oldest first. */
export async function readJobRecord(
  place: Place,
  jobId: JobId,
): Promise<{ owner?: Owner; released: readonly Released[] }> {
  const query = new QueryCommand({
    TableName: await place.table('JobDirectory'),
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: toItem({ ':pk': ownerKey(jobId).pk }),
  });
  const { Items = [] } = await place.dynamodb.send(query);
  const { items, unreadable } = readItems(Items, (row) => recordSchema.safeParse(row).data);
  // Without one of them it is not known whose the job is.
  const [key] = unreadable;
  if (key !== undefined) throw new RecordUnreadable('job-directory', key);
  const owner = items.find((row) => row.sk === 'owner');
  return { ...(owner && { owner }), released: items.filter((row) => row.sk !== 'owner') };
}

/** Every owner that a partner is of a project's jobs. It reads the whole directory, which only an operator does. */
export async function listOwned(place: Place, partnerId: PartnerId, projectId: ProjectId): Promise<readonly Owner[]> {
  const scan = {
    TableName: await place.table('JobDirectory'),
    ConsistentRead: true,
    FilterExpression: 'sk = :owner AND partnerId = :partnerId AND projectId = :projectId',
    ExpressionAttributeValues: toItem({ ':owner': 'owner', ':partnerId': partnerId, ':projectId': projectId }),
  };
  const owned: Owner[] = [];
  for await (const { Items = [] } of paginateScan({ client: place.dynamodb }, scan)) {
    owned.push(...readItems(Items, (row) => ownerSchema.safeParse(row).data).items);
  }
  return owned;
}

export interface Release {
  readonly releasedAt: Timestamp;
  readonly why: string;
}

/** Longer than any event can still be on its way. */
const RELEASED_DAYS = 30;

/**
 * Takes a job from its owner. The record of it comes first, the owner after its entry: after a crash in between, a repeat
 * completes it. In place of the entry stays only that the job bore the externalId: an event from before reaches no other
 * job that was registered since.
 */
export async function releaseOwner(
  place: Place,
  owner: Owner,
  { releasedAt, why }: Release,
): Promise<'released' | 'owned_by_another'> {
  const TableName = await place.table('JobDirectory');
  const { partnerId, externalId, pk } = owner;
  const jobId = readJobId('the jobId in the directory', pk.slice('job#'.length));
  const record = { ...owner, releasedAt, releasedBy: userInfo().username, why, sk: `released#${releasedAt}` };
  await place.dynamodb.send(new PutItemCommand({ TableName, Item: toItem(record) }));
  const { registeredAt } = owner;
  const expiresAt = Math.ceil(Date.parse(releasedAt) / 1_000) + RELEASED_DAYS * 86_400;
  const replaceEntry = async (): Promise<void> => {
    // Of one whose externalId was erased, nothing bears it any more.
    if (externalId === undefined) return;
    const entry = { pk: jobsKey(partnerId, externalId), sk: jobId, registeredAt, releasedAt, expiresAt };
    await place.dynamodb.send(new PutItemCommand({ TableName, Item: toItem(entry) }));
  };
  await replaceEntry();
  const isSameName = externalId === undefined ? 'attribute_not_exists(externalId)' : 'externalId = :externalId';
  const removeOwner = new DeleteItemCommand({
    TableName,
    Key: toItem(ownerKey(jobId)),
    ConditionExpression: `attribute_not_exists(pk) OR (partnerId = :partnerId AND ${isSameName})`,
    ExpressionAttributeValues: toItem({ ':partnerId': partnerId, ':externalId': externalId }),
  });
  if (!(await write('job-directory', () => place.dynamodb.send(removeOwner)))) return 'owned_by_another';
  // A registration that came in between has put the entry back, and it must not outlive its owner.
  await replaceEntry();
  return 'released';
}
