import type { ReportCode } from '../../functions/core/report.ts';
import type { FunctionName } from './functions.ts';

/** A metric that CloudWatch makes of the functions' log lines: no function sends one. */
export interface LogMetric {
  readonly code: ReportCode;
  /** Whose lines are looked at: whoever may report the code. */
  readonly from: readonly FunctionName[];
  /** The line's field that is the value. @default - every line counts 1 */
  readonly field?: string;
  /** The line's field that the metric is split by: a closed set of values, for each one costs. */
  readonly by?: string;
}

/** Who sees cancels through. */
const attempting = ['request-cancellation', 'consume-events', 'reconcile-cancellations'] as const;
const doors = ['request-cancellation', 'consume-events'] as const;
const reconciler = ['reconcile-cancellations'] as const;
const reporting = [...attempting, 'read-cancellations', 'register-job'] as const;

export const logMetrics = {
  CancellationsClosed: { code: 'CANCELLATION_CLOSED', from: attempting, by: 'outcome' },
  TimeToConfirmationMs: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'confirmedMs' },
  PagesStopped: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'pagesStopped' },
  CreditsDebited: { code: 'CANCELLATION_CLOSED', from: attempting, field: 'creditsDebited' },
  AttemptsLeftOpen: { code: 'CANCELLATION_PENDING', from: attempting, by: 'result' },
  CancellationsEscalated: { code: 'CANCELLATION_ESCALATED', from: reconciler },
  OldestDueMs: { code: 'RECONCILED', from: reconciler, field: 'oldestDueMs' },
  PlangrepKeyRefused: { code: 'PLANGREP_KEY_REFUSED', from: attempting },
  PlangrepKeyAgeDays: { code: 'PLANGREP_KEY_FETCHED', from: attempting, field: 'ageDays' },
  ListingsFailed: { code: 'LISTING_FAILED', from: doors },
  EventsRefused: { code: 'EVENT_REFUSED', from: ['consume-events'] },
  StreamsBroken: { code: 'STREAM_BROKEN', from: reconciler },
  AuditWritesFailed: { code: 'AUDIT_WRITE_FAILED', from: attempting },
  DependenciesUnavailable: { code: 'DEPENDENCY_UNAVAILABLE', from: reporting },
  UnexpectedErrors: { code: 'UNEXPECTED_ERROR', from: reporting },
} as const satisfies Record<string, LogMetric>;

export type LogMetricName = keyof typeof logMetrics;

/** Lambda's JSON log format puts the object that was logged under `message`. */
export const filterPatternOf = ({ code }: LogMetric): string => `{ $.message.code = "${code}" }`;

export const metricNamespaceOf = (environment: string): string => `PlangrepCancellation/${environment}`;
