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
  SandboxTable: "the sandbox's table, only in dev",
  EventsQueue: 'the events queue',
  EventsGivenUp: 'the dead-letter queue of events',
  WakeUpQueue: 'the wake-up queue',
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

const { partitionKey, sortKey } = tables.CancellationLog;
/** The attributes of the log that the functions may change: they are scheduling, everything else is history. */
export const wakeUpAttributes: readonly string[] = [partitionKey, sortKey, ...schedulingAttributes];
