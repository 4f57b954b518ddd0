import type { Place } from '../places/place.ts';
import { searchedBy } from './searched.ts';

/** Lines may be written a little before and after what they are about. */
const MARGIN_MS = 10 * 60_000;
/** Where nothing says when: as far back as a caller is likely to ask about. */
const LOOK_BACK_MS = 7 * 86_400_000;
/** The most log groups that one query takes: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html */
const MOST_GROUPS = 50;

/** A query of CloudWatch Logs Insights. */
export interface LogsQuery {
  readonly logGroups: readonly string[];
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly query: string;
}

export interface Asked {
  /** Codes, ids, or what else searched.ts knows. A line is shown when one of them fits. */
  readonly words: readonly string[];
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The most lines. */
  readonly limit: number;
  /** Which lines are left out when there are more. */
  readonly keeps: 'newest' | 'oldest';
}

/** The query for the lines in which one of the words occurs. */
export async function logsQueryFor(place: Pick<Place, 'logGroups'>, asked: Asked): Promise<LogsQuery> {
  const { words, fromMs, toMs, limit, keeps } = asked;
  const wanted = words.map((word) => searchedBy(word).filter).join(' or ');
  const order = keeps === 'newest' ? 'desc' : 'asc';
  return {
    logGroups: (await place.logGroups()).slice(0, MOST_GROUPS),
    from: Math.floor(fromMs / 1000),
    to: Math.ceil(toMs / 1000),
    query: `fields @timestamp, @log, message.code, @message | filter ${wanted} | sort @timestamp ${order} | limit ${limit}`,
  };
}

/**
 * The query for everything that is logged about some ids.
 * @param ids texts that the lines contain: request ids, jobIds
 * @param times when the records were written
 */
export function logsQueryOf(
  place: Pick<Place, 'logGroups'>,
  ids: readonly string[],
  times: readonly string[],
  now: number,
): Promise<LogsQuery> {
  const known = times.map((time) => Date.parse(time));
  const fromMs = known.length === 0 ? now - LOOK_BACK_MS : Math.min(...known) - MARGIN_MS;
  const toMs = known.length === 0 ? now : Math.min(now, Math.max(...known) + MARGIN_MS);
  return logsQueryFor(place, { words: ids, fromMs, toMs, limit: 1000, keeps: 'oldest' });
}

/**
 * How to see the lines: the command that shows them, and in a deployed environment the query for the AWS CLI.
 * @param ids those of the query
 */
export function describeLogsQuery(
  { environment, region }: Pick<Place, 'environment' | 'region'>,
  ids: readonly string[],
  { logGroups, from, to, query }: LogsQuery,
  now: number,
): readonly string[] {
  const hours = Math.max(1, Math.ceil((now / 1000 - from) / 3600));
  const since = hours < 10_000 ? `${hours}h` : `${Math.ceil(hours / 24)}d`;
  const command = `npm run ops -- logs ${ids.map(shell).join(',')} --since ${since}`;
  if (environment === 'local') return [`Its log lines: ${command}`];
  return [
    `Its log lines: ${command} --environment ${environment}`,
    'Or with the AWS CLI (CloudWatch Logs Insights; the second command prints them, once the query is complete):',
    `id=$(aws logs start-query --region ${region} --start-time ${from} --end-time ${to} --output text --query queryId \\`,
    `  --query-string ${quoted(query)} \\`,
    `  --log-group-names ${logGroups.map(quoted).join(' ')})`,
    `aws logs get-query-results --region ${region} --query-id "$id"`,
  ];
}

/** As it is where a shell leaves it alone. */
function shell(value: string): string {
  return /^[\w.:@%+/-]+$/.test(value) ? value : quoted(value);
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
