import { GetItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import { createPagedDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import { fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { refusedSchema, type RefusedRecord } from '../../../functions/core/cancellation/events.ts';
import { parseStreamKey, type StreamName, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { externalIdSchema, jobIdSchema, type PartnerId, partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { type Refusal, REFUSALS_DAYS } from '../../../functions/core/refusals.ts';
import { REFUSALS_SHOWN } from '../../../functions/core/use-cases/read-cancellations.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { tables } from '../../blueprint/tables.ts';
import { readJobRecord } from '../jobs/job-records.ts';
import { readPartners } from '../partners/read-partners.ts';
import type { Place } from '../places.ts';

/** What an id turned out to be. */
export type IdKind = 'requestId' | 'jobId' | 'externalId' | 'Idempotency-Key';

/** A stream that the id leads to, and as what. The stream may not have begun: a job can be registered only. */
export interface FoundStream {
  readonly name: StreamName;
  readonly as: ReadonlySet<IdKind>;
}

export interface FoundRefusal extends Refusal {
  readonly partnerId: PartnerId;
  readonly as: IdKind;
}

export interface Found {
  readonly streams: readonly FoundStream[];
  readonly refusals: readonly FoundRefusal[];
}

/**
 * What the tables have under an id: that of a request, a job or an event, a partner's externalId, or an `Idempotency-Key`.
 * An id may be several of them, so all are looked up, each by its key or an index: the cost grows with the partners, not
 * with the log.
 * @param partner only what is this partner's @param now milliseconds since 1970
 */
export async function searchRecords(
  place: Place,
  id: string,
  partner: PartnerId | undefined,
  now: number,
): Promise<Found> {
  const known = partner === undefined ? [...(await readPartners(place, now)).keys()] : [partner];
  const partners = known.flatMap((one) => partnerIdSchema.safeParse(one).data ?? []);
  const searches = [
    findByRequestId(place, id),
    findByJobId(place, id),
    ...partners.map((one) => findOfPartner(place, one, id, now)),
  ];
  const all = await Promise.all(searches);
  const streams = new Map<string, { name: StreamName; as: Set<IdKind> }>();
  for (const { name, as } of all.flatMap((found) => found.streams)) {
    const merged = streams.get(streamKey(name)) ?? { name, as: new Set() };
    for (const kind of as) merged.as.add(kind);
    streams.set(streamKey(name), merged);
  }
  const isAsked = (partnerId: PartnerId): boolean => partner === undefined || partnerId === partner;
  const refusals = new Map<string, FoundRefusal>();
  for (const refusal of all.flatMap((found) => found.refusals)) {
    refusals.set(`${refusal.partnerId}#${refusal.at}#${refusal.requestId}`, refusal);
  }
  return {
    streams: [...streams.values()].filter(({ name }) => isAsked(name.partnerId)),
    refusals: [...refusals.values()].filter(({ partnerId }) => isAsked(partnerId)),
  };
}

/** Every record that has the `requestId`: a cancellation that it began or joined, or a refusal. */
async function findByRequestId({ dynamodb, ...place }: Place, requestId: string): Promise<Found> {
  const table = await place.table('CancellationLog');
  const { name: IndexName, partitionKey } = tables.CancellationLog.indexes.requests;
  const query = {
    TableName: table,
    IndexName,
    KeyConditionExpression: '#id = :id',
    ExpressionAttributeNames: { '#id': partitionKey },
    ExpressionAttributeValues: toItem({ ':id': requestId }),
  };
  const streams: FoundStream[] = [];
  const refusals: FoundRefusal[] = [];
  for await (const { Items = [] } of paginateQuery({ client: dynamodb }, query)) {
    for (const { pk, sk } of Items) {
      const name = parseStreamKey(pk?.S ?? '');
      if (name !== undefined) streams.push({ name, as: new Set<IdKind>(['requestId']) });
      if (name !== undefined || pk === undefined || sk === undefined) continue;
      const { Item } = await dynamodb.send(new GetItemCommand({ TableName: table, Key: { pk, sk } }));
      const record: RefusedRecord | undefined = Item && refusedSchema.safeParse(fromItem(Item)).data;
      if (record !== undefined) refusals.push({ ...record, as: 'requestId' });
    }
  }
  return { streams, refusals };
}

/** The job's owner now, and those that it was released from. */
async function findByJobId(place: Place, id: string): Promise<Found> {
  const jobId = jobIdSchema.safeParse(id).data;
  if (jobId === undefined) return { streams: [], refusals: [] };
  const { owner, released } = await readJobRecord(place, jobId);
  const owners = [...(owner === undefined ? [] : [owner]), ...released];
  const as = new Set<IdKind>(['jobId']);
  return { streams: owners.map(({ partnerId }) => ({ name: { partnerId, jobId }, as })), refusals: [] };
}

/** The id as a partner's externalId, and as the key of one of its requests, which an event's id is too. */
async function findOfPartner(place: Place, partnerId: PartnerId, id: string, now: number): Promise<Found> {
  const directory = createPagedDirectory(place.dynamodb, await place.table('JobDirectory'));
  const externalId = externalIdSchema.safeParse(id).data;
  const since = toTimestamp(now - REFUSALS_DAYS * 86_400_000);
  const [entries, refusals, event, request] = await Promise.all([
    externalId === undefined ? undefined : directory.find(partnerId, externalId),
    externalId === undefined
      ? undefined
      : directory.findRefusals(partnerId, externalId, { since, limit: REFUSALS_SHOWN }),
    directory.readBinding(partnerId, `event-id:${id}`),
    directory.readBinding(partnerId, `idempotency-key:${id}`),
  ]);
  const bound = [
    { jobId: event?.jobId, as: 'requestId' as const },
    { jobId: request?.jobId, as: 'Idempotency-Key' as const },
  ];
  const named = (entries?.items ?? []).map(({ jobId }) => ({ jobId, as: 'externalId' as const }));
  return {
    streams: [...named, ...bound].flatMap(({ jobId, as }) =>
      jobId === undefined ? [] : [{ name: { partnerId, jobId }, as: new Set<IdKind>([as]) }],
    ),
    refusals: (refusals?.items ?? []).map((refusal) => ({ ...refusal, partnerId, as: 'externalId' as const })),
  };
}
