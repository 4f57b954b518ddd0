import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionName } from '../../blueprint/functions.ts';
import {
  filterPatternOf,
  type LogMetric,
  type LogMetricName,
  logMetrics,
  metricNamespaceOf,
} from '../../blueprint/metrics.ts';

export interface LogMetricsProps {
  readonly environment: string;
  readonly functions: Readonly<Record<FunctionName, { readonly logGroup: ILogGroup }>>;
}

/** Every metric of infra/blueprint/metrics.ts, by a filter on each log group that it comes from. */
export class LogMetrics extends Construct {
  private readonly namespace: string;

  constructor(scope: Construct, id: string, { environment, functions }: LogMetricsProps) {
    super(scope, id);
    this.namespace = metricNamespaceOf(environment);
    for (const [metricName, metric] of Object.entries<LogMetric>(logMetrics)) {
      for (const name of metric.from) {
        new MetricFilter(this, `${metricName}-${name}`, {
          logGroup: functions[name].logGroup,
          filterPattern: FilterPattern.literal(filterPatternOf(metric)),
          metricNamespace: this.namespace,
          metricName,
          metricValue: metric.field === undefined ? '1' : `$.message.${metric.field}`,
          ...(metric.by !== undefined && { dimensions: { [metric.by]: `$.message.${metric.by}` } }),
        });
      }
    }
  }

  /**
   * @param statistic such as `Sum`, `Maximum` or `p99`
   * @param value of the field that the metric is split by, if it is
   */
  metric(name: LogMetricName, statistic: string, period = Duration.minutes(5), value?: string): Metric {
    const { by }: LogMetric = logMetrics[name];
    return new Metric({
      namespace: this.namespace,
      metricName: name,
      statistic,
      period,
      ...(by !== undefined && value !== undefined && { dimensionsMap: { [by]: value }, label: value }),
    });
  }
}
