import { userInfo } from 'node:os';
import { DeleteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { createJobDirectory, jobsKey, ownerKey } from '../../functions/adapters/dynamodb/job-directory.ts';
import { readItems, toItem, write } from '../../functions/adapters/dynamodb/table-client.ts';
import {
  externalIdSchema,
  type JobId,
  partnerIdSchema,
  projectIdSchema,
  recordedExternalIdSchema,
  timestampSchema,
  toTimestamp,
} from '../../functions/core/identifiers.ts';
import { RecordUnreadable } from '../../functions/core/report.ts';
import { UNVERIFIED_DAYS, unverifiedUntil } from '../../functions/core/use-cases/register-job.ts';
import { CannotDo, readAs } from './command.ts';
import { opsCommand, partnerOption, readJobId, readPartner } from './ops-command.ts';
import type { Place } from './places.ts';
import { labelled, printable, table } from './terminal.ts';

export const registerJob = opsCommand({
  name: 'job register',
  summary: "Registers a Plangrep job under a partner's externalId.",
  notes: `It asks Plangrep nothing: the registration is unverified, claims nothing and counts for ${UNVERIFIED_DAYS} days. The partner's first cancel verifies it.`,
  options: {
    partner: partnerOption,
    job: { hint: 'JOBID', what: "Plangrep's id of the job", required: true },
    'external-id': { hint: 'X', what: "the partner's own id of the job", required: true },
    project: { hint: 'P', what: "the job's project in Plangrep" },
  },
  async run({ place, terminal, values, now }) {
    const partnerId = readPartner(values.partner);
    const jobId = readJobId('--job', values.job);
    const externalId = readAs(externalIdSchema, '--external-id', values['external-id']);
    const { project } = values;
    const given = project === undefined ? undefined : readAs(projectIdSchema, '--project', project);
    const directory = createJobDirectory(place.dynamodb, await place.table('JobDirectory'));
    const owner = await directory.readOwner(jobId);
    if (owner !== undefined && (owner.partnerId !== partnerId || owner.externalId !== externalId)) {
      throw new CannotDo(
        1,
        `${jobId} already belongs to ${owner.partnerId}, under another registration: see "job show".`,
      );
    }
    const found = await directory.find(partnerId, externalId);
    const known = found.items.find((entry) => entry.jobId === jobId);
    const registeredAt = known?.registeredAt ?? toTimestamp(now);
    const projectId = given ?? known?.projectId;
    const isVerified = known?.verifiedAt !== undefined;
    const shown = isVerified ? known : { jobId, registeredAt, projectId, expiresAt: unverifiedUntil(now) };
    if (!isVerified) await directory.keepUnverified(partnerId, externalId, shown);
    const state = isVerified ? `verified at ${known.verifiedAt}` : 'unverified until its first cancel';
    terminal.show({ partnerId, externalId, ...shown }, [
      `${jobId} is registered as ${printable(externalId)} of ${partnerId} (${place.environment}) since ${registeredAt}, ${state}.`,
    ]);
    return 0;
  },
});

const ownership = {
  partnerId: partnerIdSchema,
  externalId: recordedExternalIdSchema,
  registeredAt: timestampSchema,
  projectId: z.optional(projectIdSchema),
  verifiedAt: z.optional(timestampSchema),
};
const ownerSchema = z.object({ ...ownership, sk: z.literal('owner') });
const releasedSchema = z.object({
  ...ownership,
  sk: z.templateLiteral(['released#', z.string()]),
  releasedAt: timestampSchema,
  releasedBy: z.string(),
  why: z.string(),
});
const recordSchema = z.union([ownerSchema, releasedSchema]);
type Owner = z.infer<typeof ownerSchema>;
type Released = z.infer<typeof releasedSchema>;

/** What the directory knows of a job of any partner: its owner, and its former ones, the oldest first. */
async function readJobRecord(place: Place, jobId: JobId): Promise<{ owner?: Owner; released: readonly Released[] }> {
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

export const showJob = opsCommand({
  name: 'job show',
  summary: 'Shows whose a job is: its owner, when Plangrep confirmed that, and who owned it before.',
  argument: { hint: 'JOBID', what: "Plangrep's id of the job" },
  options: {},
  async run({ place, terminal, argument }) {
    const jobId = readJobId('JOBID', argument);
    const { owner, released } = await readJobRecord(place, jobId);
    if (owner === undefined && released.length === 0) {
      terminal.show({ jobId, owner: null, released: [] }, [
        `No partner owns ${jobId} (${place.environment}). A registration that is not verified yet claims no job.`,
      ]);
      return 1;
    }
    const rows = released.map(({ partnerId, externalId, releasedAt, releasedBy, why }) => [
      releasedAt,
      partnerId,
      printable(externalId),
      printable(releasedBy),
      printable(why),
    ]);
    const history = rows.length === 0 ? [] : ['', ...table(['RELEASED', 'FROM', 'EXTERNALID', 'BY', 'WHY'], rows)];
    terminal.show({ jobId, owner: owner ?? null, released }, [
      ...(owner === undefined ? [`No partner owns ${jobId} now (${place.environment}).`] : describeOwner(jobId, owner)),
      ...history,
    ]);
    return 0;
  },
});

function describeOwner(jobId: JobId, owner: Owner): readonly string[] {
  return labelled(11, {
    job: jobId,
    partner: owner.partnerId,
    externalId: printable(owner.externalId),
    project: owner.projectId ?? 'not known',
    registered: owner.registeredAt,
    verified: owner.verifiedAt ?? 'no: from before registrations were verified, so it claims nothing',
  });
}

export const releaseJob = opsCommand({
  name: 'job release',
  summary: 'Takes a job from its owner, so that the partner whose job it is at Plangrep can register it.',
  notes:
    'On record: who released it, when and why stay in the directory ("job show"). A cancellation under way is seen through. If Plangrep still shows the job in a project of the former owner, it can register the job again.',
  argument: { hint: 'JOBID', what: "Plangrep's id of the job" },
  options: {
    why: { hint: 'TEXT', what: 'the reason, for the record: a ticket number, no personal data', required: true },
  },
  async run({ place, terminal, argument, values, now }) {
    const jobId = readJobId('JOBID', argument);
    const { owner } = await readJobRecord(place, jobId);
    if (owner === undefined) throw new CannotDo(1, `No partner owns ${jobId} (${place.environment}).`);
    const { partnerId, externalId } = owner;
    await terminal.confirm(`Release ${jobId} from ${partnerId} (${place.environment})?`);
    const TableName = await place.table('JobDirectory');
    const [releasedAt, releasedBy] = [toTimestamp(now), userInfo().username];
    const { pk } = ownerKey(jobId);
    const record = { ...owner, releasedAt, releasedBy, why: values.why };
    const key = { pk, sk: `released#${releasedAt}` };
    // The record first, the owner after its entry: after a crash in between, the same command completes it.
    await place.dynamodb.send(new PutItemCommand({ TableName, Item: toItem({ ...record, ...key }) }));
    const entryKey = { pk: jobsKey(partnerId, externalId), sk: jobId };
    const removeEntry = new DeleteItemCommand({ TableName, Key: toItem(entryKey) });
    await place.dynamodb.send(removeEntry);
    const remove = new DeleteItemCommand({
      TableName,
      Key: toItem(ownerKey(jobId)),
      ConditionExpression: 'attribute_not_exists(pk) OR (partnerId = :partnerId AND externalId = :externalId)',
      ExpressionAttributeValues: toItem({ ':partnerId': partnerId, ':externalId': externalId }),
    });
    if (!(await write('job-directory', () => place.dynamodb.send(remove)))) {
      throw new CannotDo(1, `${jobId} got another owner meanwhile: look with "job show", and run the command again.`);
    }
    // A registration that came in between has put the entry back, and it must not outlive its owner.
    await place.dynamodb.send(removeEntry);
    terminal.show({ jobId, partnerId, externalId, releasedAt, releasedBy, why: values.why }, [
      `${jobId} is released from ${partnerId} (${place.environment}). The record of it stays.`,
    ]);
    return 0;
  },
});
