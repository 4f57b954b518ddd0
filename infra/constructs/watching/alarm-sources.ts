import { Duration } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { AlarmSources } from '../../blueprint/alarms.ts';
import { partnerAuthorizer } from '../../blueprint/authorizer.ts';
import type { LogMetrics } from './log-metrics.ts';

export interface Watched {
  readonly api: RestApi;
  readonly functions: Readonly<Record<string, { readonly function: IFunction }>>;
  readonly tableNames: Readonly<Record<string, string>>;
  readonly deadLetters: Queue;
  readonly undeliveredEvents: Queue;
  readonly undeliveredClosings: Queue;
  readonly missedRuns: Queue;
  readonly logMetrics: LogMetrics;
  readonly logAltered?: Metric | undefined;
}

const period = Duration.minutes(5);
const messagesIn = (queue: Queue, label: string) =>
  queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM, period, label });
const throttlesOf = (tableName: string, label: string) =>
  ['ReadThrottleEvents', 'WriteThrottleEvents'].map(
    (metricName) =>
      new Metric({
        namespace: 'AWS/DynamoDB',
        metricName,
        dimensionsMap: { TableName: tableName },
        statistic: Stats.SUM,
        period,
        label: `${label} ${metricName}`,
      }),
  );

/** The metrics that alarms and dashboard look at, of what is watched. */
export const alarmSourcesOf = ({ api, functions, tableNames, logMetrics, ...watched }: Watched): AlarmSources => {
  const all = Object.entries(functions);
  return {
    logMetric: (name, statistic, over = period) => logMetrics.metric(name, statistic, over),
    api: {
      serverErrors: api.metricServerError({ statistic: Stats.SUM, period: Duration.minutes(1), label: '5xx' }),
      latencyP99: api.metricLatency({ statistic: Stats.p(99), period, label: 'latency p99 (ms)' }),
    },
    functionErrors: all
      .filter(([name]) => name !== partnerAuthorizer.function)
      .map(([label, { function: fn }]) => fn.metricErrors({ period: Duration.minutes(1), label: `${label} errors` })),
    functionThrottles: all.map(([label, { function: fn }]) =>
      fn.metricThrottles({ period, label: `${label} throttles` }),
    ),
    tableThrottles: Object.entries(tableNames).flatMap(([label, name]) => throttlesOf(name, label)),
    deadLetters: messagesIn(watched.deadLetters, 'events given up'),
    undeliveredEvents: messagesIn(watched.undeliveredEvents, 'events undelivered'),
    undeliveredClosings: messagesIn(watched.undeliveredClosings, 'closings undelivered'),
    missedRuns: messagesIn(watched.missedRuns, 'runs missed'),
    logAltered: watched.logAltered,
  };
};
