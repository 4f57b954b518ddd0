import type { ReportCode } from '../../../functions/core/report.ts';
import type { FunctionName } from '../functions.ts';

/**
 * What rolls a release back: each looks at one version of one function, and at nothing that the version before it caused.
 * An alarm that already rings because of the old version must not stop the release that fixes it, so none of the alarms in
 * ../alarms.ts does: what API Gateway, the queues, the tables and the log counts measure has no version.
 * docs/deploy.md, "What rolls a release back", has the reason for each.
 */
export const versionSigns = [
  /**
   * Crashes, timeouts, and bundles that do not load.
   * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
   */
  { kind: 'crashes', titleOf: (fn: FunctionName, version: string) => `${version} of ${fn} crashes` },
  /** Lines in which a version says that it is faulty. */
  { kind: 'faults', titleOf: (fn: FunctionName, version: string) => `${version} of ${fn} is faulty` },
] as const;

/** What every alarm of a version is called by. */
export const versionAlarmNameOf = (environment: string, title: string): string =>
  `plangrep-cancellation-${environment}-version-${title}`;

/** Matches the alarms of every version, and no other: CodeDeploy's role is older than the version that it rolls out. */
export const versionAlarmNames = (environment: string): string => versionAlarmNameOf(environment, '*');

export const versionMetricOf = (fn: FunctionName): string => `VersionFaults-${fn}`;

/** Answers of AWS that a version's own request, name or rights bring about, and no outage. */
const ownMistakes = [
  'AccessDenied*',
  'ResourceNotFoundException',
  'ValidationException',
  // functions/adapters/call-aws.ts
  'AwsAnswered400',
  'AwsAnswered403',
  // Of an event: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
  'InvalidArgument',
  'MalformedDetail',
  'NotAuthorizedFor*',
] as const;

const codes = {
  bug: 'UNEXPECTED_ERROR',
  dependency: 'DEPENDENCY_UNAVAILABLE',
} as const satisfies Record<string, ReportCode>;

/**
 * A bug, or a table, queue or bus that refuses what this version asks. Not: a dependency that is down, a secret without a value
 * and a record that cannot be read, since with those every version fails.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
 */
export const versionFaultPattern = (() => {
  const causes = ownMistakes.map((cause) => `($.message.cause = "${cause}")`).join(' || ');
  const refused = `($.message.code = "${codes.dependency}") && ($.message.dependency != "secret") && (${causes})`;
  return `{ ($.message.code = "${codes.bug}") || (${refused}) }`;
})();
