import type { CallbackRecord } from '../../functions/core/callbacks/callback-record.ts';
import type { ReportCode } from '../../functions/core/report.ts';
import type { DeadLetterQueueName } from './bus-events.ts';
import type { FunctionName } from './functions.ts';

/** A metric that CloudWatch makes from the functions' log lines: no function sends one. */
export interface LogMetric {
  /** Counts the lines with this code. */
  readonly code: ReportCode;
  /** Every function that may write such a line. */
  readonly from: readonly FunctionName[];
  /** Lines in which this field has one of these values do not count. Every such line must have the field. @default - all count */
  readonly except?: { readonly field: string; readonly values: readonly string[] };
  /** The line's field that is the value. @default - every line counts 1 */
  readonly field?: string;
  /** The line's field that the metric is split by: only a field with few values, since each value costs. */
  readonly by?: string;
  /**
   * Every other line counts 0. For a metric that is computed with: an expression may have no value where one of its metrics
   * has none. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html
   */
  readonly zeroOtherwise?: true;
  /** How an alarm reads it. @default 'Sum' */
  readonly statistic?: 'Sum' | 'Maximum';
  /** Minutes over which an alarm reads it. @default 5 */
  readonly periodMinutes?: number;
}

const doors = ['request-cancellation', 'consume-events'] as const;
/** The functions that look at wake-ups: a door does so while its caller waits. */
const looking = ['request-cancellation', 'consume-wake-ups', 'reconcile-cancellations'] as const;
/** The functions that work on cancellations. */
const attempting = ['consume-events', ...looking] as const;
const finding = [...doors, 'register-job'] as const;
const reconciler = ['reconcile-cancellations'] as const;
const reporting = [...attempting, 'read-cancellations', 'register-job'] as const;
const everywhere = [
  ...reporting,
  'authorize-partner',
  'announce-cancellations',
  'deliver-callbacks',
  'archive-records',
  'seal-archive',
] as const;

/** Why callbacks are kept that somebody wanted to be kept. */
const onPurpose = ['operator', 'removed'] as const satisfies readonly CallbackRecord['why'][];
const keptOnPurpose = { field: 'why', values: onPurpose } as const;

export const logMetrics = {
  CancellationsClosed: { code: 'CANCELLATION_CLOSED', from: attempting, by: 'outcome' },
  TimeToConfirmationMs: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'confirmedMs' },
  PagesStopped: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'pagesStopped' },
  CreditsDebited: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'creditsDebited' },
  CreditsDebitedMeanwhile: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'creditsDebitedMeanwhile' },
  SpentByUsMs: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'spentMs.us' },
  SpentByPlangrepMs: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'spentMs.plangrep' },
  SpentByPersonMs: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'spentMs.person' },
  AttemptsLeftOpen: { code: 'CANCELLATION_PENDING', from: attempting, by: 'result' },
  CancellationsEscalated: { code: 'CANCELLATION_ESCALATED', from: looking },
  OldestDueMs: { code: 'RECONCILED', from: reconciler, field: 'oldestDueMs', statistic: 'Maximum' },
  /** Looks and reads that failed, and malformed wake-ups, in the worst run. */
  ReconcilerFailures: { code: 'RECONCILED', from: reconciler, field: 'failed', statistic: 'Maximum' },
  /** Cancellations that the schedule found, although a message should have brought them. */
  WakeUpsLost: { code: 'RECONCILED', from: reconciler, field: 'lostByQueue', periodMinutes: 60 },
  WakeUpsNotSent: { code: 'WAKE_UP_NOT_SENT', from: attempting },
  /** Jobs of open cancellations that Plangrep no longer knows: each is reported once. */
  JobsAbsent: { code: 'JOB_ABSENT', from: attempting },
  JobsUnknown: { code: 'CANCELLATION_UNKNOWN_JOB', from: attempting },
  PlangrepKeyRefused: { code: 'PLANGREP_KEY_REFUSED', from: attempting },
  PlangrepKeyAgeDays: {
    code: 'PLANGREP_KEY_FETCHED',
    from: [...attempting, 'register-job'],
    field: 'ageDays',
    statistic: 'Maximum',
    periodMinutes: 24 * 60,
  },
  ListingsFailed: { code: 'LISTING_FAILED', from: doors },
  ListingsImpossible: { code: 'LISTING_IMPOSSIBLE', from: doors },
  OwnershipRefused: { code: 'OWNERSHIP_REFUSED', from: finding },
  /** Answers 503 that callers cause: nothing failed, and a repeat gets further. */
  RequestsDeferred: { code: 'REQUEST_DEFERRED', from: ['request-cancellation'], zeroOtherwise: true },
  EventsRefused: { code: 'EVENT_REFUSED', from: ['consume-events'] },
  EventsMalformed: { code: 'EVENT_MALFORMED', from: ['consume-events'] },
  EventsFailed: { code: 'EVENT_FAILED', from: ['consume-events'] },
  /** By `result`: `delivered`, or `failed` with another attempt to come. */
  CallbackAttempts: { code: 'CALLBACK_ATTEMPTED', from: ['deliver-callbacks'], by: 'result' },
  /** From the record that a callback tells of to the end of an attempt. */
  CallbackDelayMs: { code: 'CALLBACK_ATTEMPTED', from: ['deliver-callbacks'], field: 'sinceMs' },
  /** Kept until an operator replays them, and no operator has paused or ended the partner's callbacks. */
  CallbacksKept: { code: 'CALLBACK_KEPT', from: ['deliver-callbacks'], except: keptOnPurpose },
  /** Changes of the log that this service never makes. */
  LogRewritten: { code: 'LOG_REWRITTEN', from: ['archive-records'], periodMinutes: 1 },
  /** Objects and digests that are not what the archive's functions write. */
  ArchiveAltered: { code: 'ARCHIVE_ALTERED', from: ['archive-records', 'seal-archive'] },
  /** How far behind the clock the newest digest is. */
  DigestLagMs: {
    code: 'ARCHIVE_SEALED',
    from: ['seal-archive'],
    field: 'lagMs',
    statistic: 'Maximum',
    periodMinutes: 60,
  },
  StreamsBroken: { code: 'STREAM_BROKEN', from: reporting, zeroOtherwise: true },
  RecordsUnreadable: { code: 'RECORD_UNREADABLE', from: everywhere },
  AuditWritesFailed: { code: 'AUDIT_WRITE_FAILED', from: attempting, zeroOtherwise: true },
  DependenciesUnavailable: { code: 'DEPENDENCY_UNAVAILABLE', from: everywhere },
  UnexpectedErrors: { code: 'UNEXPECTED_ERROR', from: everywhere },
} as const satisfies Record<string, LogMetric>;

export type LogMetricName = keyof typeof logMetrics;

/** Lambda's JSON log format puts the object that was logged under `message`. */
export function filterPatternOf({ code, except }: LogMetric): string {
  const counted = `$.message.code = "${code}"`;
  const others = except?.values.map((value) => `($.message.${except.field} != "${value}")`) ?? [];
  return others.length === 0 ? `{ ${counted} }` : `{ ${[`(${counted})`, ...others].join(' && ')} }`;
}

export const metricNamespaceOf = (environment: string): string => `PlangrepCancellation/${environment}`;

/** Everything that an alarm can look at. `infra/constructs/watching/metrics.ts` says which metric each name means. */
export type MetricName =
  | LogMetricName
  /** Without throttled functions and deferred requests: no caller pages anybody by what it sends. */
  | 'ApiServerErrors'
  | 'ApiLatencyP99Ms'
  /** Of every function but the authorizer, which fails where the others answer 503: when a table does not answer. */
  | 'FunctionErrors'
  | 'FunctionThrottles'
  | 'TableThrottles'
  /** `StreamsBroken` and `AuditWritesFailed` together. */
  | 'AuditTrailBroken'
  /** Writes to the cancellation log by anyone but this service. */
  | 'LogAltered'
  /** Writes to the job directory or the partners table by a role that may not. */
  | 'RegistersAltered'
  /** Changes of what a table is, or of the trail, by anyone but the deployment. */
  | 'SettingsChanged'
  /** Messages that wait in the queue of events. */
  | 'EventsWaiting'
  /** Of those that were received at most three times. */
  | 'OldestEventSeconds'
  /** Messages of the wake-up queue that are due and not taken yet. */
  | 'WakeUpsWaiting'
  | 'OldestWakeUpSeconds'
  /** Messages about callbacks that are due and not taken yet. */
  | 'CallbacksWaiting'
  | 'OldestCallbackSeconds'
  /** How old the record is that the archive takes next. */
  | 'ArchiveLagMs'
  /** Messages in the queue. */
  | DeadLetterQueueName;

/** `page` wakes someone up; `ticket` waits for the morning. */
export type Severity = 'page' | 'ticket';

export interface AlarmDefinition {
  /** A section of docs/runbook.md has the same heading. */
  readonly title: string;
  readonly severity: Severity;
  readonly metric: MetricName;
  /** Alarms at this value and above. */
  readonly threshold: number;
  /** In how many periods in a row. @default 1 */
  readonly periods?: number;
  /** Whether silence after data notifies too. @default false */
  readonly alarmsWhenSilent?: boolean;
  /** The environment's setting without which the alarm does not exist. */
  readonly needs?: 'auditWatch';
}

/** Every alarm, the most severe first. None rolls a release back: rollout/version-alarms.ts has those that do, and why. */
export const alarms: readonly AlarmDefinition[] = [
  { title: 'Cancellations escalated', severity: 'page', metric: 'CancellationsEscalated', threshold: 1 },
  {
    title: 'Wake-ups overdue',
    severity: 'page',
    metric: 'OldestDueMs',
    threshold: 5 * 60_000,
    periods: 2,
    // The reconciler reports every minute: silence is its worst failure.
    alarmsWhenSilent: true,
  },
  // A look that fails is repeated within a minute. While one fails for longer, or a wake-up is malformed, nothing shows
  // how late the reconciler is.
  { title: 'Wake-ups fail', severity: 'page', metric: 'ReconcilerFailures', threshold: 1, periods: 2 },
  { title: 'Plangrep refuses the key', severity: 'page', metric: 'PlangrepKeyRefused', threshold: 1 },
  // One job may have come to the end of its retention. Several at once: the key is another organization's.
  { title: 'Plangrep does not know our jobs', severity: 'page', metric: 'JobsAbsent', threshold: 5 },
  { title: 'Answers are 5xx', severity: 'page', metric: 'ApiServerErrors', threshold: 3 },
  { title: 'Functions fail', severity: 'page', metric: 'FunctionErrors', threshold: 1 },
  { title: 'Events fail', severity: 'page', metric: 'EventsFailed', threshold: 1 },
  // CloudWatch leaves out what was received more than three times, so no event that is tried again counts for long.
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
  { title: 'Events wait', severity: 'page', metric: 'OldestEventSeconds', threshold: 300, periods: 2 },
  { title: 'Events undelivered', severity: 'page', metric: 'EventsUndelivered', threshold: 1 },
  { title: 'Audit trail broken', severity: 'page', metric: 'AuditTrailBroken', threshold: 1 },
  { title: 'Cancellation log altered', severity: 'page', metric: 'LogAltered', threshold: 1, needs: 'auditWatch' },
  {
    title: 'Partners or job directory altered',
    severity: 'page',
    metric: 'RegistersAltered',
    threshold: 1,
    needs: 'auditWatch',
  },
  { title: 'Table settings changed', severity: 'page', metric: 'SettingsChanged', threshold: 1, needs: 'auditWatch' },
  { title: 'Cancellation log rewritten', severity: 'page', metric: 'LogRewritten', threshold: 1 },
  { title: 'Archive altered', severity: 'page', metric: 'ArchiveAltered', threshold: 1 },
  // Meanwhile a rewritten record rings late, and a record that is a day old is lost for the archive.
  { title: 'Archive falls behind', severity: 'page', metric: 'ArchiveLagMs', threshold: 15 * 60_000, periods: 2 },
  { title: 'Records not archived', severity: 'page', metric: 'RecordsNotArchived', threshold: 1 },
  // What is not sealed yet is locked all the same: it can wait for the morning.
  {
    title: 'Digest overdue',
    severity: 'ticket',
    metric: 'DigestLagMs',
    threshold: 2 * 60 * 60_000,
    // The sealer reports every hour: silence is its worst failure.
    alarmsWhenSilent: true,
  },
  // One partner's flood does this, and the queue is fair. That the door stands still pages as "Events wait".
  { title: 'Events pile up', severity: 'ticket', metric: 'EventsWaiting', threshold: 1_000, periods: 2 },
  { title: 'Events are malformed', severity: 'ticket', metric: 'EventsMalformed', threshold: 1 },
  { title: 'Events in the dead-letter queue', severity: 'ticket', metric: 'EventsGivenUp', threshold: 1 },
  { title: 'Records cannot be read', severity: 'ticket', metric: 'RecordsUnreadable', threshold: 1 },
  { title: 'Outgoing events undelivered', severity: 'ticket', metric: 'OutgoingEventsUndelivered', threshold: 1 },
  // One partner's slow endpoint and many cancels do this, to that partner alone. A function that fails pages as "Functions fail".
  { title: 'Callbacks wait', severity: 'ticket', metric: 'OldestCallbackSeconds', threshold: 1_200, periods: 2 },
  { title: 'Callbacks in the dead-letter queue', severity: 'ticket', metric: 'CallbacksGivenUp', threshold: 1 },
  { title: 'Callbacks kept', severity: 'ticket', metric: 'CallbacksKept', threshold: 1 },
  { title: 'Cancelled job unknown to Plangrep', severity: 'ticket', metric: 'JobsUnknown', threshold: 1 },
  // A lost message delays a cancellation by up to a minute, and harms nothing else.
  { title: 'Wake-up queue loses messages', severity: 'ticket', metric: 'WakeUpsLost', threshold: 3 },
  { title: 'Reconciler runs missed', severity: 'ticket', metric: 'MissedRuns', threshold: 1 },
  { title: 'Listings are impossible', severity: 'ticket', metric: 'ListingsImpossible', threshold: 1 },
  { title: 'Listings fail', severity: 'ticket', metric: 'ListingsFailed', threshold: 1 },
  { title: 'Ownership refused', severity: 'ticket', metric: 'OwnershipRefused', threshold: 1 },
  { title: 'Unexpected errors', severity: 'ticket', metric: 'UnexpectedErrors', threshold: 1 },
  { title: 'A dependency is unavailable', severity: 'ticket', metric: 'DependenciesUnavailable', threshold: 5 },
  { title: 'Functions are throttled', severity: 'ticket', metric: 'FunctionThrottles', threshold: 1, periods: 2 },
  { title: 'Tables are throttled', severity: 'ticket', metric: 'TableThrottles', threshold: 1, periods: 2 },
  // One call to Plangrep may take 5 s, and a request makes two at most.
  // A caller that prefers to wait gets its answer after 10 s, or a look to Plangrep later.
  { title: 'Answers are slow', severity: 'ticket', metric: 'ApiLatencyP99Ms', threshold: 12_000, periods: 3 },
  { title: "Plangrep's key is over 90 days old", severity: 'ticket', metric: 'PlangrepKeyAgeDays', threshold: 91 },
];

export const alarmNameOf = (environment: string, title: string): string =>
  `plangrep-cancellation-${environment} ${title}`;
