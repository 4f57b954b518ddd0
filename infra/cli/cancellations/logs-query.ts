import type { Place } from '../places.ts';

/** Lines may be written a little before and after what they are about. */
const MARGIN_MS = 10 * 60_000;
/** Where nothing says when: as far back as a caller is likely to ask about. */
const LOOK_BACK_MS = 7 * 86_400_000;
/** The most log groups that one query takes: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html */
const MOST_GROUPS = 50;

/** A query of CloudWatch Logs Insights for everything that is logged about some ids. */
export interface LogsQuery {
  readonly logGroups: readonly string[];
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly query: string;
}

/**
 * @param ids texts that the lines contain: request ids, jobIds
 * @param times when the records were written
 */
export async function logsQueryOf(
  place: Pick<Place, 'logGroups'>,
  ids: readonly string[],
  times: readonly string[],
  now: number,
): Promise<LogsQuery> {
  const known = times.map((time) => Date.parse(time));
  const fromMs = known.length === 0 ? now - LOOK_BACK_MS : Math.min(...known) - MARGIN_MS;
  const toMs = known.length === 0 ? now : Math.min(now, Math.max(...known) + MARGIN_MS);
  const wanted = ids.map((id) => `@message like ${quote(id)}`).join(' or ');
  return {
    logGroups: (await place.logGroups()).slice(0, MOST_GROUPS),
    from: Math.floor(fromMs / 1000),
    to: Math.ceil(toMs / 1000),
    query: `fields @timestamp, @log, message.code, @message | filter ${wanted} | sort @timestamp asc | limit 1000`,
  };
}

/** A text in Insights' quotes. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** How to run it: two commands to paste. In the local run there is no CloudWatch. */
export function describeLogsQuery({ environment, region }: Place, { logGroups, from, to, query }: LogsQuery): string[] {
  if (environment === 'local') return [];
  const shell = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
  return [
    'Its log lines (CloudWatch Logs Insights; the second command prints them, once the query is complete):',
    `id=$(aws logs start-query --region ${region} --start-time ${from} --end-time ${to} --output text --query queryId \\`,
    `  --query-string ${shell(query)} \\`,
    `  --log-group-names ${logGroups.map(shell).join(' ')})`,
    `aws logs get-query-results --region ${region} --query-id "$id"`,
  ];
}
