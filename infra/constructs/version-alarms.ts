import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { metricNamespaceOf } from '../blueprint/alarms.ts';
import type { FunctionName } from '../blueprint/functions.ts';
import {
  versionAlarmNameOf,
  versionFaultPattern,
  versionMetricOf,
  versionSigns,
} from '../blueprint/rollout/version-alarms.ts';
import { type BundledFunction, liveAlias } from './bundled-function.ts';

export interface VersionAlarmsProps {
  readonly environment: string;
  readonly name: FunctionName;
  readonly bundled: BundledFunction;
}

/**
 * The alarms that look at a function's newest version alone. Each version gets new ones, because an alarm keeps its state
 * when only its metric changes: one that rings because of the old version would stop the new one before it is evaluated.
 * A new name makes CloudFormation create a new alarm, and delete the old one when the release is out.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
export class VersionAlarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { environment, name, bundled }: VersionAlarmsProps) {
    super(scope, id);
    const { functionName, currentVersion } = bundled.function;
    new MetricFilter(this, 'Filter', {
      logGroup: bundled.logGroup,
      filterPattern: FilterPattern.literal(versionFaultPattern),
      metricNamespace: metricNamespaceOf(environment),
      metricName: versionMetricOf(name),
      metricValue: '1',
      dimensions: { version: '$.message.version' },
    });
    const common = { statistic: Stats.SUM, period: Duration.minutes(1) };
    const metrics = {
      // The versions behind a weighted alias can be told apart only by all three dimensions.
      // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
      crashes: new Metric({
        ...common,
        namespace: 'AWS/Lambda',
        metricName: 'Errors',
        dimensionsMap: {
          FunctionName: functionName,
          Resource: `${functionName}:${liveAlias}`,
          ExecutedVersion: currentVersion.version,
        },
      }),
      faults: new Metric({
        ...common,
        namespace: metricNamespaceOf(environment),
        metricName: versionMetricOf(name),
        dimensionsMap: { version: currentVersion.version },
      }),
    };
    this.alarms = versionSigns.map(
      ({ kind, titleOf }) =>
        new Alarm(this, kind, {
          alarmName: versionAlarmNameOf(environment, titleOf(name, currentVersion.version)),
          alarmDescription: 'docs/deploy.md, "What rolls a release back"',
          metric: metrics[kind],
          threshold: 1,
          evaluationPeriods: 1,
          comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
          treatMissingData: TreatMissingData.NOT_BREACHING,
        }),
    );
  }
}
