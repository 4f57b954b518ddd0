import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { alarmNameOf, alarms, type MetricName } from '../../infra/blueprint/alarms.ts';
import { documentationRoutes, partnerAuthorizer, routes } from '../../infra/blueprint/api.ts';
import { environmentNames } from '../../infra/blueprint/environments.ts';
import { ofType, synthesized } from './synthesized.ts';

/**
 * What a caller can cause by itself, however much it sends: 4xx of every kind, floods of 401 (the authorizer answers them
 * by failing), requests over its plan, and throttled functions. All of these end in tickets or in nothing.
 */
const causedByCallers = new Set<MetricName>([
  'FunctionThrottles',
  'TableThrottles',
  'EventsRefused',
  'ApiLatencyP99Ms',
]);

const metricSchema = z.object({
  Id: z.string(),
  Expression: z.optional(z.string()),
  MetricStat: z.optional(
    z.object({
      Metric: z.object({
        MetricName: z.string(),
        Dimensions: z.optional(z.array(z.object({ Name: z.string(), Value: z.unknown() }))),
      }),
    }),
  ),
});
const alarmSchema = z.object({ AlarmName: z.string(), Metrics: z.optional(z.array(metricSchema)) });

test('no alarm that pages or rolls back looks at what a caller causes by itself', () => {
  const waking = alarms.filter(({ severity, rollsBack }) => severity === 'page' || rollsBack === true);

  expect(waking.map(({ metric }) => metric).filter((metric) => causedByCallers.has(metric))).toEqual([]);
  expect(waking.filter(({ rollsBack }) => rollsBack).map(({ metric }) => metric)).toEqual([
    'ApiServerErrors',
    'FunctionErrors',
  ]);
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
    const behind = [...routes, ...documentationRoutes, partnerAuthorizer].map((route) =>
      route.function.replaceAll('-', ''),
    );
    const expression = metrics.find(({ Expression }) => Expression !== undefined)?.Expression ?? '';

    expect(new Set(functionsIn(metrics, 'Throttles'))).toEqual(new Set(behind));
    expect(expression).toMatch(/^FILL\(errors, 0\)( - FILL\(t\d, 0\))+$/);
    expect(expression.match(/ - /g)).toHaveLength(new Set(behind).size);
  });

  test('no alarm counts 4xx, and no error of the authorizer, which answers 401 by failing', () => {
    const shown = JSON.stringify(ofType(service, 'AWS::CloudWatch::Alarm'));

    expect(shown).not.toMatch(/4XXError|BlockedRequests/);
    expect(functionsIn(metricsOf('Functions fail'), 'Errors')).not.toContain('authorizepartner');
    expect(functionsIn(metricsOf('Functions fail'), 'Errors')).toContain('requestcancellation');
  });
});
