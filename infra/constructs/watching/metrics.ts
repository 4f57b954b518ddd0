import { Duration } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  filterPatternOf,
  type LogMetric,
  type LogMetricName,
  logMetrics,
  type MetricName,
  metricNamespaceOf,
} from '../../blueprint/alarms.ts';
import { documentationRoutes, partnerAuthorizer, routes, unknownRouteFunction } from '../../blueprint/api.ts';
import type { DeadLetterQueueName } from '../../blueprint/bus-events.ts';
import { callbackQueue as callbackQueueDefinition } from '../../blueprint/callbacks.ts';
import { type FunctionName, sealSchedule } from '../../blueprint/functions.ts';
import { logReaders } from '../../blueprint/streams/log-readers.ts';
import type { BundledFunction } from '../bundled-function.ts';
import type { AuditWatch } from './audit-watch.ts';

export interface Watched {
  readonly api: RestApi;
  readonly functions: Readonly<Record<FunctionName, BundledFunction>>;
  /** By what the metric's label calls the table. */
  readonly tableNames: Readonly<Record<string, string>>;
  /** Between the partners' rules and the function. */
  readonly eventsQueue: Queue;
  readonly wakeUpQueue: Queue;
  readonly callbackQueue: Queue;
  readonly deadLetterQueues: Readonly<Record<DeadLetterQueueName, Queue>>;
}

export interface MetricsProps extends Watched {
  readonly environment: string;
  /** undefined: there is none. */
  readonly audit: AuditWatch | undefined;
}

const behindRoutes: readonly FunctionName[] = [
  ...[...routes, ...documentationRoutes].map((route) => route.function),
  unknownRouteFunction,
];
/** The archive's: their alarms say how far they are behind, whatever the cause. An alarm reads at most ten metrics. */
const withOwnAlarms: ReadonlySet<string> = new Set([logReaders.archive.function, sealSchedule.function]);
const oneMinute = Duration.minutes(1);
const fiveMinutes = Duration.minutes(5);

/** Makes the metrics of the log lines, and finds for each name in infra/blueprint/alarms.ts the metric that it means. */
export class Metrics extends Construct {
  readonly functionErrors: readonly Metric[];
  readonly functionThrottles: readonly Metric[];
  private readonly functions: Watched['functions'];
  private readonly namespace: string;
  private readonly others: Readonly<Record<Exclude<MetricName, LogMetricName>, IMetric | undefined>>;

  constructor(scope: Construct, id: string, { environment, audit, ...watched }: MetricsProps) {
    super(scope, id);
    const { api, functions, tableNames, eventsQueue, wakeUpQueue, callbackQueue, deadLetterQueues } = watched;
    this.functions = functions;
    this.namespace = metricNamespaceOf(environment);
    this.addFilters(functions);
    const all = Object.entries(functions).filter(([name]) => !withOwnAlarms.has(name));
    this.functionErrors = all
      .filter(([name]) => name !== partnerAuthorizer.function)
      .map(([name, { function: fn }]) => fn.metricErrors({ period: oneMinute, label: `${name} errors` }));
    // Where callbacks are throttled they wait, which has an alarm.
    const throttled = all.filter(([name]) => name !== callbackQueueDefinition.function);
    this.functionThrottles = throttled.map(([name, { function: fn }]) =>
      fn.metricThrottles({ period: fiveMinutes, label: `${name} throttles` }),
    );
    const tableThrottles = Object.entries(tableNames).flatMap(([label, name]) => throttlesOf(name, label));
    this.others = {
      ApiServerErrors: this.serverErrors(api, functions),
      ApiLatencyP99Ms: api.metricLatency({ statistic: Stats.p(99), period: fiveMinutes, label: 'latency p99 (ms)' }),
      FunctionErrors: total(this.functionErrors, 'Errors', oneMinute),
      FunctionThrottles: total(this.functionThrottles, 'Throttles', fiveMinutes),
      TableThrottles: total(tableThrottles, 'Throttled requests', fiveMinutes),
      AuditTrailBroken: total(
        [this.log('StreamsBroken'), this.log('AuditWritesFailed')],
        'Broken streams, lost records',
        fiveMinutes,
      ),
      LogAltered: audit?.logAltered,
      RegistersAltered: audit?.registersAltered,
      SettingsChanged: audit?.settingsChanged,
      EventsWaiting: messagesIn(eventsQueue, 'events waiting'),
      OldestEventSeconds: oldestIn(eventsQueue, 'oldest event (s)'),
      WakeUpsWaiting: messagesIn(wakeUpQueue, 'wake-ups waiting'),
      OldestWakeUpSeconds: oldestIn(wakeUpQueue, 'oldest wake-up (s)'),
      CallbacksWaiting: messagesIn(callbackQueue, 'callbacks waiting'),
      OldestCallbackSeconds: oldestIn(callbackQueue, 'oldest callback (s)'),
      EventsGivenUp: messagesIn(deadLetterQueues.EventsGivenUp, 'events given up'),
      EventsUndelivered: messagesIn(deadLetterQueues.EventsUndelivered, 'events undelivered'),
      OutgoingEventsUndelivered: messagesIn(deadLetterQueues.OutgoingEventsUndelivered, 'outgoing events undelivered'),
      CallbacksGivenUp: messagesIn(deadLetterQueues.CallbacksGivenUp, 'callbacks given up'),
      ArchiveLagMs: functions[logReaders.archive.function].function.metric('IteratorAge', {
        statistic: Stats.MAXIMUM,
        period: fiveMinutes,
        label: 'archive behind (ms)',
      }),
      RecordsNotArchived: messagesIn(deadLetterQueues.RecordsNotArchived, 'records not archived'),
      MissedRuns: messagesIn(deadLetterQueues.MissedRuns, 'runs missed'),
    };
  }

  /** What an alarm or a graph looks at by this name. */
  named(name: MetricName): IMetric {
    if (isLogMetric(name)) return this.log(name);
    const metric = this.others[name];
    if (metric === undefined) throw new Error(`this environment has no metric ${name}`);
    return metric;
  }

  /**
   * @param statistic such as `Sum` or `p99`
   * @param value of the field that the metric is split by, if it is
   */
  log(name: LogMetricName, statistic?: string, value?: string): Metric {
    const { by, statistic: usual = Stats.SUM, periodMinutes = 5 }: LogMetric = logMetrics[name];
    return new Metric({
      namespace: this.namespace,
      metricName: name,
      statistic: statistic ?? usual,
      period: Duration.minutes(periodMinutes),
      ...(by !== undefined && value !== undefined && { dimensionsMap: { [by]: value }, label: value }),
    });
  }

  /** The log groups whose lines a metric is made from. */
  logGroupsOf(name: LogMetricName): string[] {
    return logMetrics[name].from.map((fn) => this.functions[fn].logGroup.logGroupName);
  }

  /**
   * Without the 5xx that API Gateway answers for a throttled function (`FunctionThrottles`), and the 503 of a deferred
   * request (`RequestsDeferred`): callers cause these, and they must neither page anybody nor roll a release back.
   */
  private serverErrors(api: RestApi, functions: Watched['functions']): MathExpression {
    const behind = new Set<FunctionName>([partnerAuthorizer.function, ...behindRoutes]);
    const throttles = [...behind].map(
      (name, index) => [`t${index}`, functions[name].function.metricThrottles()] as const,
    );
    const subtracted = throttles.map(([id]) => ` - FILL(${id}, 0)`).join('');
    return new MathExpression({
      expression: `FILL(errors, 0) - FILL(deferred, 0)${subtracted}`,
      usingMetrics: {
        errors: api.metricServerError({ statistic: Stats.SUM }),
        deferred: this.log('RequestsDeferred'),
        ...Object.fromEntries(throttles),
      },
      label: '5xx',
      period: oneMinute,
    });
  }

  private addFilters(functions: Watched['functions']): void {
    for (const [metricName, metric] of Object.entries<LogMetric>(logMetrics)) {
      for (const name of metric.from) {
        new MetricFilter(this, `${metricName}-${name}`, {
          logGroup: functions[name].logGroup,
          filterPattern: FilterPattern.literal(filterPatternOf(metric)),
          metricNamespace: this.namespace,
          metricName,
          metricValue: metric.field === undefined ? '1' : `$.message.${metric.field}`,
          ...(metric.zeroOtherwise === true && { defaultValue: 0 }),
          ...(metric.by !== undefined && { dimensions: { [metric.by]: `$.message.${metric.by}` } }),
        });
      }
    }
  }
}

function isLogMetric(name: MetricName): name is LogMetricName {
  return name in logMetrics;
}

function total(metrics: readonly Metric[], label: string, period: Duration): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
  const expression = Object.keys(usingMetrics)
    .map((id) => `FILL(${id}, 0)`)
    .join(' + ');
  return new MathExpression({ expression, usingMetrics, label, period });
}

function messagesIn(queue: Queue, label: string): Metric {
  return queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM, period: fiveMinutes, label });
}

function oldestIn(queue: Queue, label: string): Metric {
  return queue.metricApproximateAgeOfOldestMessage({ statistic: Stats.MAXIMUM, period: fiveMinutes, label });
}

function throttlesOf(tableName: string, label: string): readonly Metric[] {
  return ['ReadThrottleEvents', 'WriteThrottleEvents'].map(
    (metricName) =>
      new Metric({
        namespace: 'AWS/DynamoDB',
        metricName,
        dimensionsMap: { TableName: tableName },
        statistic: Stats.SUM,
        period: fiveMinutes,
        label: `${label} ${metricName}`,
      }),
  );
}
