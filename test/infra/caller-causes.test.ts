import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { alarmNameOf, alarms, type MetricName } from '../../infra/blueprint/alarms.ts';
import { documentationRoutes, partnerAuthorizer, routes, unknownRoutes } from '../../infra/blueprint/api.ts';
import { functionNames } from '../../infra/blueprint/functions.ts';
import { environmentNames } from '../../infra/blueprint/environments.ts';
import { ofType, synthesized } from './stacks/synthesized.ts';

/**
 * What each alarm that pages counts, and why no caller causes it by itself: by 4xx of any kind, floods of 401
 * (the authorizer denies them, and does not fail), requests over its plan, or functions that are throttled because much came at
 * once. Before you add a metric here, think of a caller that wants to wake somebody up.
 */
const notCausedByCallers: Partial<Record<MetricName, string>> = {
  CancellationsEscalated: 'Plangrep has not confirmed a cancel for 15 minutes',
  OldestDueMs: 'the reconciler does not keep up: a plan bounds what one partner adds',
  ReconcilerFailures: 'what the reconciler reads fails, or is malformed in our own tables',
  JobsAbsent:
    'Plangrep no longer knows jobs that it confirmed before and that have not expired: no caller makes a job vanish',
  PlangrepKeyRefused: 'Plangrep refuses our key',
  ApiServerErrors: 'an answer that says the mistake is ours, throttled functions and deferred requests subtracted',
  FunctionErrors: 'a function crashed or reached its timeout, without the authorizer',
  EventsFailed: 'an event that is well-formed failed',
  OldestEventSeconds: 'the events door does not keep up',
  EventsUndelivered: 'our own queue takes nothing',
  AuditTrailBroken: 'our own records are broken or could not be written',
  LogAltered: 'somebody in our account wrote to the log',
  RegistersAltered: 'somebody in our account wrote to the partners or the job directory',
  SettingsChanged: 'somebody in our account changed a table',
  LogRewritten: 'somebody in our account changed a record of the log',
  ArchiveAltered: 'somebody in our account wrote to the archive',
  ArchiveLagMs: 'the archive does not keep up, or its bucket does not answer',
  RecordsNotArchived: 'the archive took records for a day not',
};

const metricSchema = z.object({
  Id: z.string(),
  Expression: z.optional(z.string()),
  MetricStat: z.optional(
    z.object({
      Period: z.optional(z.number()),
      Stat: z.optional(z.string()),
      Metric: z.object({
        MetricName: z.string(),
        Dimensions: z.optional(z.array(z.object({ Name: z.string(), Value: z.unknown() }))),
      }),
    }),
  ),
});
const filterSchema = z.object({
  MetricTransformations: z.array(z.object({ MetricName: z.string(), DefaultValue: z.optional(z.number()) })),
});
const alarmSchema = z.object({ AlarmName: z.unknown(), Metrics: z.optional(z.array(metricSchema)) });

test('an alarm pages only for what no caller causes by itself', () => {
  const waking = alarms.filter(({ severity }) => severity === 'page');

  expect(waking.filter(({ metric }) => notCausedByCallers[metric] === undefined)).toEqual([]);
});

describe.each(environmentNames)('in %s', (name) => {
  const { service } = synthesized(name);
  const metricsOf = (title: string) => {
    const all = ofType(service, 'AWS::CloudWatch::Alarm').map(([, alarm]) => alarmSchema.parse(alarm));
    return all.find(({ AlarmName }) => AlarmName === alarmNameOf(name, title))?.Metrics ?? [];
  };
  const functionsIn = (metrics: ReturnType<typeof metricsOf>, metricName: string) =>
    metrics
      .filter(({ MetricStat }) => MetricStat?.Metric.MetricName === metricName)
      .map(({ MetricStat }) => /"(\w+?)Function[0-9A-F]{8}"/.exec(JSON.stringify(MetricStat?.Metric.Dimensions))?.[1]);

  test('a 5xx that a throttled function caused counts for no page: every throttle behind the API is subtracted', () => {
    const metrics = metricsOf('Answers are 5xx');
    const behind = [...routes, ...documentationRoutes, ...unknownRoutes(routes), partnerAuthorizer].map((route) =>
      route.function.replaceAll('-', ''),
    );
    const expression = metrics.find(({ Expression }) => Expression !== undefined)?.Expression ?? '';

    expect(new Set(functionsIn(metrics, 'Throttles'))).toEqual(new Set(behind));
    expect(expression).toMatch(/^FILL\(errors, 0\) - FILL\(deferred, 0\)( - FILL\(t\d, 0\))+$/);
    expect(expression.match(/ - FILL\(t/g)).toHaveLength(new Set(behind).size);
  });

  test('a 503 that a caller causes by asking again too soon is subtracted too, minute by minute', () => {
    const deferred = metricsOf('Answers are 5xx').find(({ Id }) => Id === 'deferred')?.MetricStat;

    expect(deferred).toMatchObject({ Period: 60, Stat: 'Sum', Metric: { MetricName: 'RequestsDeferred' } });
  });

  test('what is computed with a log metric has a value as long as the functions log anything', () => {
    const computed = new Set(
      ofType(service, 'AWS::CloudWatch::Alarm').flatMap(
        ([, alarm]) => alarmSchema.parse(alarm).Metrics?.map(({ MetricStat }) => MetricStat?.Metric.MetricName) ?? [],
      ),
    );
    const filters = ofType(service, 'AWS::Logs::MetricFilter').flatMap(
      ([, filter]) => filterSchema.parse(filter).MetricTransformations,
    );
    const ofComputed = filters.filter(({ MetricName }) => computed.has(MetricName));

    expect(new Set(ofComputed.map(({ MetricName }) => MetricName))).toEqual(
      new Set(['RequestsDeferred', 'StreamsBroken', 'AuditWritesFailed']),
    );
    expect(ofComputed.filter(({ DefaultValue }) => DefaultValue !== 0)).toEqual([]);
  });

  test('no alarm counts 4xx, and every function that fails pages but those with other alarms', () => {
    const shown = JSON.stringify(ofType(service, 'AWS::CloudWatch::Alarm'));

    expect(shown).not.toMatch(/4XXError|BlockedRequests/);
    // The authorizer's failures are 5xx, and the archive's show by how far it is behind.
    const others: ReadonlySet<string> = new Set([partnerAuthorizer.function, 'archive-records', 'seal-archive']);
    const paging = functionNames.filter((fn) => !others.has(fn));
    const failing = functionsIn(metricsOf('Functions fail'), 'Errors');
    expect(new Set(failing)).toEqual(new Set(paging.map((fn) => fn.replaceAll('-', ''))));
  });
});
