import { callbackSchema } from '../../../functions/core/callbacks/callback-record.ts';
import { tables } from '../tables.ts';
import { schedulingAttributes } from '../../../functions/core/cancellation/stream-key.ts';

/** What permissions are for, and how the documentation words it. */
export const resourceTitles = {
  JobDirectory: 'the job directory',
  CancellationLog: 'the cancellation log',
  WakeUps: "the cancellation log's index of wake-ups",
  CancellationLogStream: "the cancellation log's stream",
  Partners: 'the partners table',
  PlangrepKey: "the secret with Plangrep's key",
  CallbackSecret: 'the secret that callbacks are signed with',
  SandboxTable: "the sandbox's table, only in dev",
  EventsQueue: 'the events queue',
  EventsGivenUp: 'the dead-letter queue of events',
  WakeUpQueue: 'the wake-up queue',
  CallbackQueue: "the callbacks' queue",
  CallbacksGivenUp: "the callbacks' dead-letter queue",
  MissedRuns: 'the queue of missed runs',
  EventBus: 'the event bus',
  ArchiveRecords: "the archive's records",
  ArchiveDigests: "the archive's digests",
  ArchiveKeys: "the archive's public keys",
  ArchiveBucket: "the archive's bucket, for its lists",
  SealKey: "the key that signs the archive's digests",
  RecordsNotArchived: 'the queue of records that were not archived',
  ServiceStack: 'the service stack',
  OutgoingEventsUndelivered: 'the queue of undelivered outgoing events',
  OwnLogGroup: 'its own log group',
  StatefulStack: 'the stateful stack',
  InUseAndReplaced: 'the three tables, and those whose place they took',
  UsageKeys: "API Gateway's keys, and those of its usage plans",
  UsagePlans: "API Gateway's usage plans",
  Everything: '`*`: X-Ray has no resources',
} as const;
export type Resource = keyof typeof resourceTitles;

/** IAM's operators, keys and values. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export interface Permission {
  readonly actions: readonly string[];
  readonly resource: Resource;
  readonly conditions?: Conditions;
}

/**
 * The update, its condition and its key may name only these attributes, and the answer returns none.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export const onlyAttributes = (...attributes: readonly string[]): Conditions => ({
  'ForAllValues:StringEquals': { 'dynamodb:Attributes': attributes },
  StringEqualsIfExists: { 'dynamodb:ReturnValues': ['NONE'] },
});
export const onlyKeys = (...patterns: readonly string[]): Conditions => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': patterns },
});
/** Of one permission: the operators of both, which may share no key. */
export const both = (some: Conditions, others: Conditions): Conditions => ({ ...some, ...others });

const { partitionKey, sortKey } = tables.CancellationLog;
/** The attributes of the log that the functions may change: they are scheduling, everything else is history. */
export const wakeUpAttributes: readonly string[] = [partitionKey, sortKey, ...schedulingAttributes];

/**
 * Those of an attempt to deliver a callback, with its place in the index. A condition sees no sort key, so one could be put in an
 * event's place; not unseen, since an event has attributes that these are not, which verify-audit and the archive miss then.
 */
export const callbackAttributes: readonly string[] = [
  partitionKey,
  sortKey,
  ...Object.keys(callbackSchema.shape),
  'wakeShard',
  'wakeAt',
];

/**
 * Of a partner's endpoint in the table of partners: what the function that delivers may name. `url` is in the condition of a
 * pause, and IAM does not tell a condition from a change: what that function does to an endpoint is in CloudTrail.
 */
export const pauseAttributes: readonly string[] = [
  tables.Partners.partitionKey,
  'url',
  'pausedAt',
  'pausedWhy',
  'test',
];

/** The keys of partners' endpoints in the table of partners. */
export const endpointKeys = 'callback#*';
