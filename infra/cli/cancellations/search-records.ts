import { GetItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import { createPagedDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import { fromItem, queryPage, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { refusedSchema, type RefusedRecord } from '../../../functions/core/cancellation/events.ts';
import { parseStreamKey, type StreamName, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { externalIdSchema, jobIdSchema, type PartnerId, partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { type Refusal, REFUSALS_DAYS } from '../../../functions/core/refusals.ts';
import { RecordUnreadable } from '../../../functions/core/report.ts';
import { REFUSALS_SHOWN } from '../../../functions/core/use-cases/read-cancellations.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { tables } from '../../blueprint/tables.ts';
import { readJobRecord } from '../jobs/job-records.ts';
import { readPartners } from '../partners/read-partners.ts';
import type { Place } from '../places/place.ts';

/** What an id turned out to be. */
export type IdKind = 'requestId' | 'jobId' | 'externalId' | 'Idempotency-Key';

/**
 * What the directory says of a job that may have no cancellation. `bound`: no more than that a request with the key reached
 * it. The first that is known counts.
 */
const standings = ['registered', 'unverified', 'released', 'bound'] as const;
export type JobStanding = (typeof standings)[number];

/** A stream that the id leads to, and as what. The stream may not have begun. */
export interface FoundStream {
  readonly name: StreamName;
  readonly as: ReadonlySet<IdKind>;
  /** Absent: the log led here. */
  readonly standing?: JobStanding | undefined;
}

export interface FoundRefusal extends Refusal {
  readonly partnerId: PartnerId;
  readonly as: IdKind;
}

export interface Found {
  readonly streams: readonly FoundStream[];
  readonly refusals: readonly FoundRefusal[];
  /** The keys of malformed records under the id: what they would have shown is missing. */
  readonly unreadable: readonly string[];
  /** Whose externalIds and keys were looked up: a partner that was removed is not among them. */
  readonly partners: readonly PartnerId[];
}

/** Five reads each; an SDK's client has 50 connections, and a request that waits for one counts as unanswered. */
const PARTNERS_AT_ONCE = 8;

type Part = Partial<Pick<Found, 'streams' | 'refusals' | 'unreadable'>>;

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
  const all = await Promise.all([findByRequestId(place, id), findByJobId(place, id)].map(orUnreadable));
  for (let from = 0; from < partners.length; from += PARTNERS_AT_ONCE) {
    const some = partners.slice(from, from + PARTNERS_AT_ONCE);
    all.push(...(await Promise.all(some.map((one) => orUnreadable(findOfPartner(place, one, id, now))))));
  }
  const isAsked = (partnerId: PartnerId): boolean => partner === undefined || partnerId === partner;
  const refusals = new Map<string, FoundRefusal>();
  for (const refusal of all.flatMap((part) => part.refusals ?? [])) {
    refusals.set(`${refusal.partnerId}#${refusal.at}#${refusal.requestId}`, refusal);
  }
  return {
    streams: mergeStreams(all.flatMap((part) => part.streams ?? [])).filter(({ name }) => isAsked(name.partnerId)),
    refusals: [...refusals.values()].filter(({ partnerId }) => isAsked(partnerId)),
    unreadable: [...new Set(all.flatMap((part) => part.unreadable ?? []))],
    partners,
  };
}

/** One malformed record does not hide what the other searches find. */
async function orUnreadable(search: Promise<Part>): Promise<Part> {
  try {
    return await search;
  } catch (error) {
    if (!(error instanceof RecordUnreadable)) throw error;
    return { unreadable: [error.key] };
  }
}

function mergeStreams(found: readonly FoundStream[]): readonly FoundStream[] {
  const merged = new Map<string, FoundStream>();
  for (const { name, as, standing } of found) {
    const before = merged.get(streamKey(name));
    merged.set(streamKey(name), {
      name,
      as: new Set([...(before?.as ?? []), ...as]),
      standing: standings.find((one) => one === standing || one === before?.standing),
    });
  }
  return [...merged.values()];
}

/** Every record that has the `requestId`: a cancellation that it began or joined, or a refusal. */
async function findByRequestId({ dynamodb, ...place }: Place, requestId: string): Promise<Part> {
  // DynamoDB refuses a key that is too long, and no request has such an id.
  if (!requestIdForm.test(requestId)) return {};
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
  const unreadable: string[] = [];
  for await (const { Items = [] } of paginateQuery({ client: dynamodb }, query)) {
    for (const { pk, sk } of Items) {
      const name = parseStreamKey(pk?.S ?? '');
      if (name !== undefined) streams.push({ name, as: new Set<IdKind>(['requestId']) });
      if (name !== undefined || pk === undefined || sk === undefined) continue;
      const { Item } = await dynamodb.send(new GetItemCommand({ TableName: table, Key: { pk, sk } }));
      if (Item === undefined) continue;
      const record: RefusedRecord | undefined = refusedSchema.safeParse(fromItem(Item)).data;
      if (record === undefined) unreadable.push(`${pk.S} ${sk.S}`);
      else refusals.push({ ...record, as: 'requestId' });
    }
  }
  return { streams, refusals, unreadable };
}

/** That of API Gateway, or of an event: the events door takes no other. */
const requestIdForm = /^[\x20-\x7e]{1,128}$/;

/** The job's owner now, and those that it was released from. */
async function findByJobId(place: Place, id: string): Promise<Part> {
  const jobId = jobIdSchema.safeParse(id).data;
  if (jobId === undefined) return {};
  const as = new Set<IdKind>(['jobId']);
  const { owner, released } = await readJobRecord(place, jobId);
  const owners = [
    ...(owner === undefined ? [] : [{ ...owner, standing: standingOf(owner) }]),
    ...released.map((one) => ({ ...one, standing: 'released' as const })),
  ];
  return { streams: owners.map(({ partnerId, standing }) => ({ name: { partnerId, jobId }, as, standing })) };
}

function standingOf({ verifiedAt, releasedAt }: { verifiedAt?: string; releasedAt?: string }): JobStanding {
  return releasedAt !== undefined ? 'released' : verifiedAt === undefined ? 'unverified' : 'registered';
}

/** The id as a partner's externalId, as the jobId of its cancellation, and as the key of its request, as an event's id is. */
async function findOfPartner(place: Place, partnerId: PartnerId, id: string, now: number): Promise<Part> {
  const directory = createPagedDirectory(place.dynamodb, await place.table('JobDirectory'));
  const externalId = externalIdSchema.safeParse(id).data;
  const since = toTimestamp(now - REFUSALS_DAYS * 86_400_000);
  const bound = async (key: string, kind: IdKind): Promise<Part> => {
    const jobId = (await directory.readBinding(partnerId, key))?.jobId;
    if (jobId === undefined) return {};
    return { streams: [{ name: { partnerId, jobId }, as: new Set([kind]), standing: 'bound' }] };
  };
  const [entries, refusals, ...others] = await Promise.all([
    externalId === undefined ? undefined : directory.find(partnerId, externalId),
    externalId === undefined
      ? undefined
      : directory.findRefusals(partnerId, externalId, { since, limit: REFUSALS_SHOWN }),
    findStream(place, partnerId, id),
    orUnreadable(bound(`event-id:${id}`, 'requestId')),
    orUnreadable(bound(`idempotency-key:${id}`, 'Idempotency-Key')),
  ]);
  const named = (entries?.items ?? []).map(({ jobId, ...entry }): FoundStream => {
    return { name: { partnerId, jobId }, as: new Set(['externalId']), standing: standingOf(entry) };
  });
  return {
    streams: [...named, ...others.flatMap(({ streams = [] }) => streams)],
    refusals: (refusals?.items ?? []).map((refusal) => ({ ...refusal, partnerId, as: 'externalId' as const })),
    unreadable: [
      ...(entries?.unreadable ?? []),
      ...(refusals?.unreadable ?? []),
      ...others.flatMap(({ unreadable = [] }) => unreadable),
    ],
  };
}

/** The partner's cancellation of the job: the directory may have been restored to a time when it did not know the job. */
async function findStream({ dynamodb: client, ...place }: Place, partnerId: PartnerId, id: string): Promise<Part> {
  const jobId = jobIdSchema.safeParse(id).data;
  if (jobId === undefined) return {};
  const table = { client, name: await place.table('CancellationLog'), dependency: 'cancellation-log' } as const;
  const values = { ':pk': streamKey({ partnerId, jobId }) };
  const { count } = await queryPage(table, { KeyConditionExpression: 'pk = :pk', values, Limit: 1 });
  return count === 0 ? {} : { streams: [{ name: { partnerId, jobId }, as: new Set<IdKind>(['jobId']) }] };
}
