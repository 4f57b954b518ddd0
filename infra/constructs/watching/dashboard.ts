import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  LogQueryWidget,
  PeriodOverride,
  SingleValueWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { outcomeSchema } from '../../../functions/core/cancellation/events.ts';
import { logMetrics } from '../../blueprint/alarms.ts';
import type { Metrics } from './metrics.ts';

export interface DashboardProps {
  readonly environment: string;
  readonly metrics: Metrics;
  readonly alarms: readonly Alarm[];
}

/** How attempts end that leave their cancellation open: this shows Plangrep's health. */
const results = ['accepted', 'refused', 'rate_limited', 'key_refused', 'not_sent', 'not_found', 'unknown'];

/**
 * What `npm run ops -- credits` adds up from the log itself, for any time range. A query, because a metric by partner would
 * cost for each partner.
 */
const byPartner = [
  `filter message.code = "${logMetrics.CancellationsClosed.code}"`,
  [
    'stats count(*) as closed',
    'sum(message.ranMs / 1000) as ran_s',
    'sum(message.spentMs.us / 1000) as us_s',
    'sum(message.spentMs.plangrep / 1000) as plangrep_s',
    'sum(message.spentMs.person / 1000) as person_s',
    'sum(message.creditsDebitedMeanwhile) as credits_meanwhile',
    'sum(message.pagesStopped) as pages_stopped by message.partnerId as partner',
    'message.outcome as outcome',
  ].join(', '),
  'sort partner asc, outcome asc',
];

/** One page: what partners got, how long it took, what it saved, and the health of everything else. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { environment, metrics, alarms }: DashboardProps) {
    super(scope, id);
    const graph = (title: string, left: readonly IMetric[], right: readonly IMetric[] = []) =>
      new GraphWidget({ title, left: [...left], right: [...right], width: 12, height: 6 });
    const closed = outcomeSchema.options.map((outcome) => metrics.log('CancellationsClosed', Stats.SUM, outcome));
    const stopped = [
      metrics.log('PagesStopped').with({ label: 'pages not processed' }),
      metrics.log('CreditsDebited').with({ label: 'credits debited' }),
    ];
    const spent = [
      metrics.log('SpentByUsMs').with({ label: 'us' }),
      metrics.log('SpentByPlangrepMs').with({ label: 'Plangrep' }),
      metrics.log('SpentByPersonMs').with({ label: 'a person' }),
    ];
    const meanwhile = metrics.log('CreditsDebitedMeanwhile').with({ label: 'credits debited meanwhile' });
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
            metrics.log('TimeToConfirmationMs', Stats.p(50)).with({ label: 'p50' }),
            metrics.log('TimeToConfirmationMs', Stats.p(99)).with({ label: 'p99' }),
          ]),
        ],
        [
          graph('Time until the end, by whom it was spent (ms)', spent, [meanwhile]),
          new LogQueryWidget({
            title: 'By partner',
            logGroupNames: metrics.logGroupsOf('CancellationsClosed'),
            queryLines: byPartner,
            width: 12,
            height: 6,
          }),
        ],
        [
          graph('Pages and credits', stopped.slice(0, 1), stopped.slice(1)),
          graph(
            'Plangrep: attempts that left a cancellation open',
            results.map((result) => metrics.log('AttemptsLeftOpen', Stats.SUM, result)),
            [
              metrics.log('PlangrepKeyRefused').with({ label: 'key refused' }),
              metrics.log('ListingsFailed').with({ label: 'listings failed' }),
              metrics.log('ListingsImpossible').with({ label: 'listings impossible' }),
              metrics.log('JobsAbsent').with({ label: 'jobs absent' }),
            ],
          ),
        ],
        [
          graph('Answers', [metrics.named('ApiServerErrors')], [metrics.named('ApiLatencyP99Ms')]),
          graph(
            'Wake-ups',
            [metrics.log('OldestDueMs').with({ label: 'oldest due (ms)' })],
            [
              metrics.log('CancellationsEscalated').with({ label: 'escalated' }),
              metrics.log('ReconcilerFailures').with({ label: 'failed in one run' }),
              metrics.log('WakeUpsLost').with({ label: 'lost by the queue' }),
              metrics.log('WakeUpsNotSent').with({ label: 'not sent' }),
            ],
          ),
        ],
        [
          graph('Function errors and throttles', metrics.functionErrors, metrics.functionThrottles),
          graph(
            'Events',
            [metrics.named('EventsWaiting'), metrics.named('OldestEventSeconds')],
            [
              metrics.log('EventsRefused').with({ label: 'refused' }),
              metrics.log('EventsMalformed').with({ label: 'malformed' }),
              metrics.log('EventsFailed').with({ label: 'failed' }),
            ],
          ),
          graph('Wake-up queue', [metrics.named('WakeUpsWaiting')], [metrics.named('OldestWakeUpSeconds')]),
          graph(
            'Callbacks',
            [
              metrics.log('CallbackAttempts', Stats.SUM, 'delivered'),
              metrics.log('CallbackAttempts', Stats.SUM, 'failed'),
              metrics.log('CallbacksKept').with({ label: 'kept: given up, or 410' }),
            ],
            [metrics.log('CallbackDelayMs', Stats.p(95)).with({ label: 'since the event, p95 (ms)' })],
          ),
          graph("Callbacks' queue", [metrics.named('CallbacksWaiting')], [metrics.named('OldestCallbackSeconds')]),
          graph('Messages where none should be', [
            metrics.named('EventsGivenUp'),
            metrics.named('EventsUndelivered'),
            metrics.named('OutgoingEventsUndelivered'),
            metrics.named('CallbacksGivenUp'),
            metrics.named('RecordsNotArchived'),
            metrics.named('MissedRuns'),
          ]),
        ],
      ],
    });
  }
}
