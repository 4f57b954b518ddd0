import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { createSigner } from '../../local/aws/access-keys.ts';
import { CannotDo } from '../command.ts';
import type { ServiceAccess } from '../places/place.ts';
import type { Progress } from '../terminal.ts';
import type { LogsQuery } from './logs-query.ts';

/** A line as CloudWatch has it. */
export interface FoundLine {
  /** ISO 8601. */
  readonly at: string;
  /** `<account>:<log group>`. */
  readonly log: string;
  readonly line: string;
}

export interface QueryOptions {
  readonly progress: Progress;
  /** @default 500 */
  readonly pauseMs?: number;
  /** How long the query may take. @default 120_000 */
  readonly patienceMs?: number;
}

const CALL_MS = 15_000;
const startedSchema = z.object({ queryId: z.string() });
const resultsSchema = z.object({
  status: z.string(),
  results: z.prefault(z.array(z.array(z.object({ field: z.optional(z.string()), value: z.optional(z.string()) }))), []),
  statistics: z.optional(z.object({ recordsScanned: z.optional(z.number()) })),
});
const errorSchema = z.object({ __type: z.prefault(z.string(), ''), message: z.optional(z.string()) });

/**
 * Runs a query of CloudWatch Logs Insights to its end. Its client in the SDK is not one of this project's packages: the two
 * calls are signed by the SDK's own signer.
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html
 * @throws CannotDo (1) when the query fails or takes too long
 */
export async function runLogsQuery(
  access: ServiceAccess,
  { logGroups, from, to, query }: LogsQuery,
  { progress, pauseMs = 500, patienceMs = 120_000 }: QueryOptions,
): Promise<readonly FoundLine[]> {
  const untilMs = Date.now() + patienceMs;
  const { queryId } = startedSchema.parse(
    await call(access, 'StartQuery', {
      logGroupNames: logGroups,
      startTime: from,
      endTime: to,
      queryString: query,
    }),
  );
  for (;;) {
    const { status, results, statistics } = resultsSchema.parse(await call(access, 'GetQueryResults', { queryId }));
    if (status === 'Complete') {
      progress.clear();
      return results.map(toLine);
    }
    const scanned = statistics?.recordsScanned ?? 0;
    progress.show(`CloudWatch Logs: ${status.toLowerCase()}, ${scanned.toLocaleString('en')} lines read`);
    const isOver = !['Scheduled', 'Running', 'Unknown'].includes(status);
    if (isOver || Date.now() > untilMs) {
      progress.clear();
      // A query that runs on costs what it scans.
      if (!isOver) await call(access, 'StopQuery', { queryId }).catch(() => undefined);
      const why = isOver ? `ended as ${status}` : `took over ${patienceMs / 1000} s and was stopped`;
      throw new CannotDo(1, `The query of the logs ${why}: ask for less time, for example --since 15m.`);
    }
    await sleep(pauseMs);
  }
}

function toLine(row: z.infer<typeof resultsSchema>['results'][number]): FoundLine {
  const valueOf = (name: string): string => row.find(({ field }) => field === name)?.value ?? '';
  // `2026-11-26 13:05:01.123`, in UTC.
  return {
    at: valueOf('@timestamp').replace(/^(\S+) (\S+)$/, '$1T$2Z'),
    log: valueOf('@log'),
    line: valueOf('@message'),
  };
}

async function call({ endpoint, region, credentials }: ServiceAccess, action: string, input: object): Promise<unknown> {
  const { protocol, hostname, host } = new URL(endpoint);
  const body = JSON.stringify(input);
  const { headers } = await createSigner(credentials, region, 'logs', true).sign({
    method: 'POST',
    protocol,
    hostname,
    path: '/',
    query: {},
    headers: { Host: host, 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': `Logs_20140328.${action}` },
    body,
  });
  const signal = AbortSignal.timeout(CALL_MS);
  const response = await fetch(`${endpoint}/`, { method: 'POST', headers, body, signal }).catch((error: unknown) => {
    throw error instanceof TypeError ? (error.cause ?? error) : error;
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new LogsError(text, response.status);
}

/** An error answer of CloudWatch Logs, marked as the SDK marks its errors. */
class LogsError extends Error {
  readonly $metadata: { readonly httpStatusCode: number };
  constructor(text: string, status: number) {
    const { __type, message } = readError(text);
    super(message ?? `HTTP ${status}`);
    this.name = __type.replace(/^.*#/, '') || `HTTP ${status}`;
    this.$metadata = { httpStatusCode: status };
  }
}

function readError(text: string): z.infer<typeof errorSchema> {
  try {
    return errorSchema.parse(JSON.parse(text));
  } catch {
    return { __type: '' };
  }
}
