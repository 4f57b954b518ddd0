import { sumOf } from './cancellation/account.ts';
import { pagesLeft } from './cancellation/job-status.ts';
import { BrokenStream, type CancellationState, type ClosedCancellation } from './cancellation/state.ts';

/**
 * Every message code with its level. Codes are stable: alarms, metrics and searches depend on them. The level says who has
 * to act. `info`: no operator, also after a caller's mistake. `warn`: no one yet, and an alarm counts it. `error`: an operator.
 */
export const reportLevels = {
  REQUEST_ANSWERED: 'info',
  CANCELLATION_CLOSED: 'info',
  CANCELLATION_PENDING: 'info',
  CANCELLATION_POLLED: 'info',
  CANCELLATION_ESCALATED: 'error',
  STREAM_BROKEN: 'error',
  JOB_REGISTERED: 'info',
  OWNERSHIP_REFUSED: 'info',
  PROJECT_LISTED: 'info',
  LISTING_FAILED: 'warn',
  LISTING_IMPOSSIBLE: 'error',
  EVENT_REFUSED: 'info',
  EVENT_MALFORMED: 'info',
  EVENT_FAILED: 'error',
  RECONCILED: 'info',
  WAKE_UP_NOT_SENT: 'warn',
  JOB_ABSENT: 'warn',
  CANCELLATION_UNKNOWN_JOB: 'error',
  REQUEST_JOINED: 'info',
  REQUEST_REFUSED: 'info',
  REQUEST_DEFERRED: 'info',
  ATTEMPT_FENCED: 'info',
  AUDIT_WRITE_FAILED: 'error',
  RECORD_UNREADABLE: 'error',
  CALLBACK_ATTEMPTED: 'info',
  CALLBACK_KEPT: 'warn',
  CALLBACK_TESTED: 'info',
  CALLBACKS_RESUMED: 'info',
  RECORDS_ARCHIVED: 'info',
  RECORD_ERASED: 'info',
  LOG_REWRITTEN: 'error',
  ARCHIVE_SEALED: 'info',
  ARCHIVE_ALTERED: 'error',
  PLANGREP_KEY_FETCHED: 'info',
  PLANGREP_KEY_REFUSED: 'error',
  DEPENDENCY_UNAVAILABLE: 'error',
  UNEXPECTED_ERROR: 'error',
} as const satisfies Record<string, 'info' | 'warn' | 'error'>;

export type ReportCode = keyof typeof reportLevels;

/** Writes one line of the operator's log: persistent ids and codes, never personal data, never a secret. */
export type Report = (code: ReportCode, fields?: ReportFields) => void;
export type ReportFields = Readonly<
  Record<string, string | number | boolean | Readonly<Record<string, number>> | undefined>
>;

/** Adds fields to every line, so that a search for a request finds all that it caused. */
export function reportWith(report: Report, common: ReportFields): Report {
  return (code, fields) => report(code, { ...common, ...fields });
}

export type Dependency =
  | 'cancellation-log'
  | 'job-directory'
  | 'partners'
  | 'secret'
  | 'dead-letters'
  | 'wake-ups'
  | 'callbacks'
  | 'callback-secret'
  | 'event-bus'
  | 'archive'
  | 'seal-key';

/** A dependency of ours (a table, the secret) did not answer, after the SDK's own retries. */
export class DependencyUnavailable extends Error {
  override readonly name = 'DependencyUnavailable';
  readonly dependency: Dependency;
  constructor(dependency: Dependency, cause: unknown) {
    super(`${dependency} did not answer`, { cause });
    this.dependency = dependency;
  }
}

/** One record of ours is malformed, and without it no safe answer exists. Only an operator can repair it. */
export class RecordUnreadable extends DependencyUnavailable {
  /** Never what a partner wrote: a key that contains that is hashed. */
  readonly key: string;
  constructor(dependency: Dependency, key: string) {
    super(dependency, undefined);
    this.message = `${dependency} has a record that cannot be read: ${key}`;
    this.key = key;
  }
}

/** Reports records that were left out because they are malformed: by their keys, never by their values. */
export function reportUnreadable(report: Report, dependency: Dependency, keys: readonly string[]): void {
  for (const key of keys) report('RECORD_UNREADABLE', { dependency, key });
}

/** Of an error, the ids that were known where it was thrown: who reports it may know less. */
const idsByError = new WeakMap<object, ReportFields>();

/** @returns the error, to be thrown on: the line that reports it has the ids of the cancellation */
export function withIds(error: unknown, ids: ReportFields): unknown {
  idsByError.set(Object(error), ids);
  return error;
}

/**
 * Reports an error that should not have happened: which dependency failed, or where the bug is. The stack is logged and
 * never sent. The message of a SyntaxError is left out, because it quotes the text that could not be parsed.
 */
export function reportFailure(
  report: Report,
  error: unknown,
  given: Readonly<Record<string, string | undefined>>,
): void {
  const fields = { ...given, ...idsByError.get(Object(error)) };
  if (error instanceof RecordUnreadable) {
    report('RECORD_UNREADABLE', { ...fields, dependency: error.dependency, key: error.key });
    return;
  }
  if (error instanceof BrokenStream) {
    report('STREAM_BROKEN', { ...fields, why: error.message });
    return;
  }
  if (error instanceof DependencyUnavailable) {
    const cause = error.cause instanceof Error ? error.cause.name : undefined;
    report('DEPENDENCY_UNAVAILABLE', { ...fields, dependency: error.dependency, cause });
    return;
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(`threw a ${typeof error}`);
  report('UNEXPECTED_ERROR', {
    ...fields,
    error: name,
    message: error instanceof SyntaxError ? undefined : message,
    stack: stack?.split('\n    at ').slice(1).join(' < '),
  });
}

/** By what a search finds a cancellation's lines: its job, and the request that began it. */
export function idsOf({ partnerId, jobId, requestId }: CancellationState): ReportFields {
  return { partnerId, jobId, requestId };
}

/** Reports a cancellation that closed, with the figures that the dashboard adds up; times in milliseconds. */
export function reportClosed(report: Report, state: ClosedCancellation): void {
  const { attempts, facts, step } = state;
  const { outcome, figures } = step;
  const { ranMs, spentMs, creditsDebitedMeanwhile } = figures;
  if (outcome === 'job_not_found') report('CANCELLATION_UNKNOWN_JOB', idsOf(state));
  report('CANCELLATION_CLOSED', {
    ...idsOf(state),
    outcome,
    attempts,
    confirmedMs: sumOf(spentMs),
    ranMs,
    spentMs,
    creditsDebitedMeanwhile,
    pagesStopped: outcome === 'cancelled' ? pagesLeft(facts) : undefined,
    creditsDebited: facts.creditsDebited,
  });
}
