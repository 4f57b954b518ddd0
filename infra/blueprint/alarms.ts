import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { LogMetricName } from './metrics.ts';

/** `page` wakes somebody up; `ticket` waits for the morning. */
export const severities = ['page', 'ticket'] as const;
export type Severity = (typeof severities)[number];

/** What alarms look at. */
export interface AlarmSources {
  readonly logMetric: (name: LogMetricName, statistic: string, period?: Duration) => Metric;
  readonly api: { readonly serverErrors: Metric; readonly latencyP99: Metric };
  /** Of each function that never fails on purpose: the authorizer's way to say 401 is an error. */
  readonly functionErrors: readonly Metric[];
  readonly functionThrottles: readonly Metric[];
  readonly tableThrottles: readonly Metric[];
  /** Messages in each queue that should be empty. */
  readonly deadLetters: Metric;
  readonly undeliveredEvents: Metric;
  readonly undeliveredClosings: Metric;
  readonly missedRuns: Metric;
  /** Updates and deletes in the cancellation log by anyone else. */
  readonly logAltered?: Metric | undefined;
}

export interface AlarmDefinition {
  /** A section of docs/runbook.md bears the same heading. */
  readonly title: string;
  readonly severity: Severity;
  readonly metric: IMetric;
  /** Reached or passed, it alarms. */
  readonly threshold: number;
  /** In how many periods on end. @default 1 */
  readonly periods?: number;
  /** No news is good news, except of what must report. @default false */
  readonly alarmsWhenSilent?: boolean;
  /** Takes a new version back while it is rolled out. @default false */
  readonly rollsBack?: boolean;
}

const total = (metrics: readonly Metric[], label: string, period: Duration): MathExpression => {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
  const sum = Object.keys(usingMetrics).map((id) => `FILL(${id}, 0)`);
  return new MathExpression({ expression: sum.join(' + '), usingMetrics, label, period });
};

/** Every alarm, the gravest first. */
export const alarmsOf = (from: AlarmSources): readonly AlarmDefinition[] => [
  {
    title: 'Cancellations escalated',
    severity: 'page',
    metric: from.logMetric('CancellationsEscalated', Stats.SUM),
    threshold: 1,
  },
  {
    title: 'Wake-ups overdue',
    severity: 'page',
    metric: from.logMetric('OldestDueMs', Stats.MAXIMUM),
    threshold: Duration.minutes(5).toMilliseconds(),
    periods: 2,
    // The reconciler reports every minute: silence is the worst of its failures.
    alarmsWhenSilent: true,
  },
  {
    title: 'Plangrep refuses the key',
    severity: 'page',
    metric: from.logMetric('PlangrepKeyRefused', Stats.SUM),
    threshold: 1,
  },
  { title: 'Answers are 5xx', severity: 'page', metric: from.api.serverErrors, threshold: 3, rollsBack: true },
  {
    title: 'Functions fail',
    severity: 'page',
    metric: total(from.functionErrors, 'Errors', Duration.minutes(1)),
    threshold: 1,
    rollsBack: true,
  },
  { title: 'Events in the dead-letter queue', severity: 'page', metric: from.deadLetters, threshold: 1 },
  { title: 'Events undelivered', severity: 'page', metric: from.undeliveredEvents, threshold: 1 },
  {
    title: 'Audit trail broken',
    severity: 'page',
    metric: total(
      [from.logMetric('StreamsBroken', Stats.SUM), from.logMetric('AuditWritesFailed', Stats.SUM)],
      'Broken streams, lost records',
      Duration.minutes(5),
    ),
    threshold: 1,
  },
  ...(from.logAltered === undefined
    ? []
    : [{ title: 'Cancellation log altered', severity: 'page', metric: from.logAltered, threshold: 1 } as const]),
  { title: 'Closed cancellations undelivered', severity: 'ticket', metric: from.undeliveredClosings, threshold: 1 },
  { title: 'Reconciler runs missed', severity: 'ticket', metric: from.missedRuns, threshold: 1 },
  {
    title: 'Unexpected errors',
    severity: 'ticket',
    metric: from.logMetric('UnexpectedErrors', Stats.SUM),
    threshold: 1,
  },
  {
    title: 'A dependency is unavailable',
    severity: 'ticket',
    metric: from.logMetric('DependenciesUnavailable', Stats.SUM),
    threshold: 5,
  },
  {
    title: 'Functions are throttled',
    severity: 'ticket',
    metric: total(from.functionThrottles, 'Throttles', Duration.minutes(5)),
    threshold: 1,
    periods: 2,
  },
  {
    title: 'Tables are throttled',
    severity: 'ticket',
    metric: total(from.tableThrottles, 'Throttled requests', Duration.minutes(5)),
    threshold: 1,
    periods: 2,
  },
  // One call to Plangrep may take 5 s, and a request makes two at most.
  { title: 'Answers are slow', severity: 'ticket', metric: from.api.latencyP99, threshold: 8_000, periods: 3 },
  {
    title: "Plangrep's key is over 90 days old",
    severity: 'ticket',
    metric: from.logMetric('PlangrepKeyAgeDays', Stats.MAXIMUM, Duration.days(1)),
    threshold: 91,
  },
];

export const alarmNameOf = (environment: string, title: string): string =>
  `plangrep-cancellation-${environment} ${title}`;
