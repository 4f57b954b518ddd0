import { ofType, type Resources } from './synthesized.ts';

/** What the patterns look at of a record of CloudTrail's. */
export interface TrailRecord {
  readonly eventCategory: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly resources?: readonly { readonly ARN: string }[];
  readonly requestParameters?: object;
  readonly userIdentity: object;
}

/** @param role undefined: the root of the account */
export function byRole(role: string | undefined): Pick<TrailRecord, 'userIdentity'> {
  if (role === undefined) return { userIdentity: { type: 'Root' } };
  return { userIdentity: { type: 'AssumedRole', sessionContext: { sessionIssuer: { userName: role } } } };
}

/** By how much each metric of the trail's log group grows with a record. */
export function countRecord(service: Resources, record: TrailRecord): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [id, { FilterPattern, MetricTransformations }] of ofType(service, 'AWS::Logs::MetricFilter')) {
    if (!id.startsWith('WatchingAuditWatch') || !fits(resolve(FilterPattern), record)) continue;
    const [{ MetricName = '' } = {}] = MetricTransformations as readonly { readonly MetricName?: string }[];
    counts[MetricName] = (counts[MetricName] ?? 0) + 1;
  }
  return counts;
}

/** A text of a template, as CloudFormation resolves it: an import of an ARN as `arn:<table>`, of a name as one of its names. */
export function resolve(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) throw new Error(`not a text: ${JSON.stringify(value)}`);
  const { Ref, 'Fn::Join': join, 'Fn::ImportValue': name } = value as Readonly<Record<string, unknown>>;
  if (Array.isArray(join) && Array.isArray(join[1])) return join[1].map(resolve).join('');
  if (Ref === 'AWS::AccountId') return '111122223333';
  if (typeof Ref === 'string') return `<${Ref}>`;
  const [, stack = '', kind, table = ''] =
    /^(.*):ExportsOutput(FnGetAtt|Ref)(JobDirectory|CancellationLog|Partners|ArchiveBucket|SealKey1)/.exec(
      String(name),
    ) ?? [];
  return kind === 'FnGetAtt' ? `arn:${table}` : `${stack}-${table}-1ABCDEFGHIJKL`;
}

/**
 * Decides as CloudWatch Logs does about one record and a pattern of the forms that the audit watch uses: comparisons joined
 * by && whose alternatives are in parentheses, joined by ||.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
 */
function fits(pattern: string, record: TrailRecord): boolean {
  const inner = pattern.replace(/^\{ /, '').replace(/ \}$/, '');
  return inner.split(' && ').every((group) =>
    group
      .replace(/^\((.*)\)$/, '$1')
      .split(' || ')
      .some((comparison) => compares(comparison, record)),
  );
}

function compares(comparison: string, record: TrailRecord): boolean {
  const [, path = '', operator = '', , quoted, bare] =
    /^\$\.(\S+) (=|!=|NOT EXISTS)( (?:"([^"]*)"|(\w+)))?$/.exec(comparison) ?? [];
  if (path === '') throw new Error(`a comparison of another form: ${comparison}`);
  const found = path
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .reduce<unknown>((value, step) => (value as Readonly<Record<string, unknown>> | undefined)?.[step], record);
  if (operator === 'NOT EXISTS') return found === undefined;
  if (typeof found !== 'string') return false;
  const wanted = quoted ?? bare ?? '';
  const isEqual = wanted.startsWith('*') ? found.endsWith(wanted.slice(1)) : found === wanted;
  return (operator === '=') === isEqual;
}
