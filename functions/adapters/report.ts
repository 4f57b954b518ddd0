import type { Report, ReportCode } from '../core/ports.ts';

const levels: Readonly<Record<ReportCode, 'info' | 'warn' | 'error'>> = {
  CANCELLATION_CLOSED: 'info',
  CANCELLATION_PENDING: 'info',
  CANCELLATION_ESCALATED: 'error',
  STREAM_BROKEN: 'error',
  JOB_REGISTERED: 'info',
  LISTING_FAILED: 'warn',
  EVENT_REFUSED: 'warn',
  EVENT_MALFORMED: 'error',
  RECONCILED: 'info',
  REQUEST_JOINED: 'info',
  REQUEST_REFUSED: 'info',
  ATTEMPT_FENCED: 'warn',
  AUDIT_WRITE_FAILED: 'error',
  PLANGREP_KEY_FETCHED: 'info',
  PLANGREP_KEY_REFUSED: 'error',
  DEPENDENCY_UNAVAILABLE: 'error',
  UNEXPECTED_ERROR: 'error',
};

/**
 * One object a line: Lambda's JSON log format adds time, level and requestId (AWS Lambda Developer Guide, Log and
 * monitor Node.js functions), so no logging library is needed.
 */
export const report: Report = (code, fields = {}) => console[levels[code]]({ code, ...fields });
