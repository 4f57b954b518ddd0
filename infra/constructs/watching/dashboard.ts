import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  PeriodOverride,
  SingleValueWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { outcomeSchema } from '../../../functions/core/cancellation/events.ts';
import type { AlarmSources } from '../../blueprint/alarms.ts';
import type { LogMetrics } from './log-metrics.ts';

export interface DashboardProps {
  readonly environment: string;
  readonly logMetrics: LogMetrics;
  readonly sources: AlarmSources;
  readonly alarms: readonly Alarm[];
}

/** How an attempt that left its cancellation open ended: Plangrep's health, as this service meets it. */
const results = ['accepted', 'refused', 'rate_limited', 'key_refused', 'not_sent', 'unknown'];

/** One page: what partners got, how long it took, what it saved, and how everything around is. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { environment, logMetrics, sources, alarms }: DashboardProps) {
    super(scope, id);
    const graph = (title: string, left: readonly IMetric[], right: readonly IMetric[] = []) =>
      new GraphWidget({ title, left: [...left], right: [...right], width: 12, height: 6 });
    const closed = outcomeSchema.options.map((outcome) =>
      logMetrics.metric('CancellationsClosed', Stats.SUM, undefined, outcome),
    );
    const stopped = [
      logMetrics.metric('PagesStopped', Stats.SUM).with({ label: 'pages not processed' }),
      logMetrics.metric('CreditsDebited', Stats.SUM).with({ label: 'credits debited' }),
    ];
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: `plangrep-cancellation-${environment}`,
      periodOverride: PeriodOverride.AUTO,
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 4 })],
        [
          new SingleValueWidget({ title: 'Closed', metrics: closed, width: 12, setPeriodToTimeRange: true }),
          new SingleValueWidget({ title: 'Stopped in time', metrics: stopped, width: 12, setPeriodToTimeRange: true }),
        ],
        [
          graph('Cancellations by outcome', closed),
          graph('Time to confirmation (ms)', [
            logMetrics.metric('TimeToConfirmationMs', Stats.p(50)).with({ label: 'p50' }),
            logMetrics.metric('TimeToConfirmationMs', Stats.p(99)).with({ label: 'p99' }),
          ]),
        ],
        [
          graph('Pages and credits', stopped.slice(0, 1), stopped.slice(1)),
          graph(
            'Plangrep: attempts that left a cancellation open',
            results.map((result) => logMetrics.metric('AttemptsLeftOpen', Stats.SUM, undefined, result)),
            [
              logMetrics.metric('PlangrepKeyRefused', Stats.SUM).with({ label: 'key refused' }),
              logMetrics.metric('ListingsFailed', Stats.SUM).with({ label: 'listings failed' }),
            ],
          ),
        ],
        [
          graph('Answers', [sources.api.serverErrors], [sources.api.latencyP99]),
          graph(
            'Wake-ups',
            [logMetrics.metric('OldestDueMs', Stats.MAXIMUM).with({ label: 'oldest due (ms)' })],
            [logMetrics.metric('CancellationsEscalated', Stats.SUM).with({ label: 'escalated' })],
          ),
        ],
        [
          graph('Function errors and throttles', sources.functionErrors, sources.functionThrottles),
          graph('Messages where none should be', [
            sources.deadLetters,
            sources.undeliveredEvents,
            sources.undeliveredClosings,
            sources.missedRuns,
          ]),
        ],
      ],
    });
  }
}
