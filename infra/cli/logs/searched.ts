import { watchedCalls } from '../../blueprint/access/watched-calls.ts';
import { type ReportCode, reportLevels } from '../../../functions/core/report.ts';

/** What is looked for in the log lines: in CloudWatch by its filter, in the lines of a local run by the same rule here. */
export interface Searched {
  /** Of a query of CloudWatch Logs Insights. */
  readonly filter: string;
  /** Whether a line is one of those. @param line as it was logged @param fields of it */
  readonly fits: (line: string, fields: Readonly<Record<string, unknown>>) => boolean;
}

/** Beside the codes: lines that no function of ours writes. */
export const namedSearches = {
  /** https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html */
  FUNCTION_FAILED: {
    filter: '(type in ["platform.report", "platform.initReport"] and record.status in ["error", "failure", "timeout"])',
    fits: (_line, { type, record }) =>
      (type === 'platform.report' || type === 'platform.initReport') &&
      ['error', 'failure', 'timeout'].includes(String(fieldOf(record, 'status'))),
  },
  TABLE_WRITTEN: {
    filter: 'eventCategory = "Data" and eventSource = "dynamodb.amazonaws.com"',
    fits: (_line, { eventCategory, eventSource }) =>
      eventCategory === 'Data' && eventSource === 'dynamodb.amazonaws.com',
  },
  SETTINGS_CHANGED: {
    filter: `eventCategory = "Management" and eventName in ${JSON.stringify(watchedCalls)}`,
    fits: (_line, { eventCategory, eventName }) =>
      eventCategory === 'Management' && watchedCalls.some((call) => call === eventName),
  },
} as const satisfies Record<string, Searched>;

/** What the words mean, for the help. */
export const searchWords = {
  CANCELLATION_ESCALATED: 'a code: functions/core/report.ts lists them',
  FUNCTION_FAILED: 'invocations that crashed or ran out of time, as Lambda reports them',
  '5xx, 429': 'answers with such a status: of the functions, and in the access log',
  TABLE_WRITTEN: 'writes to the tables by any but the functions, allowed or denied, as CloudTrail recorded them',
  SETTINGS_CHANGED: 'changes of what a table is, of the trail or of a bucket, allowed or denied',
  'anything else': 'lines with this text: a requestId, a jobId, a partnerId',
} as const;

/** @param word as the operator typed it */
export function searchedBy(word: string): Searched {
  if (isNamed(word)) return namedSearches[word];
  if (isCode(word)) {
    return {
      filter: `message.code = ${quote(word)}`,
      fits: (_line, { message }) => fieldOf(message, 'code') === word,
    };
  }
  if (/^[1-5](\d\d|xx)$/.test(word)) {
    const pattern = new RegExp(`^${word.replace('xx', String.raw`\d\d`)}$`);
    return {
      filter: `(status like ${pattern} or message.status like ${pattern})`,
      fits: (_line, { status, message }) =>
        [status, fieldOf(message, 'status')].some((one) => pattern.test(String(one))),
    };
  }
  return { filter: `@message like ${quote(word)}`, fits: (line) => line.includes(word) };
}

/** Whether the word is a code, or has a meaning here. */
export function isSearched(word: string): boolean {
  return isCode(word) || isNamed(word);
}

function isCode(word: string): word is ReportCode {
  return Object.hasOwn(reportLevels, word);
}

function isNamed(word: string): word is keyof typeof namedSearches {
  return Object.hasOwn(namedSearches, word);
}

export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([field]) => field === name)?.[1];
}

/** A text in Insights' quotes. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
