import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { callbackSchema } from '../../../functions/core/callbacks/callback-record.ts';
import { eventBodySchema } from '../../../functions/core/cancellation/events.ts';
import {
  alarmNameOf,
  filterPatternOf,
  type LogMetric,
  logMetrics,
  metricNamespaceOf,
} from '../../../infra/blueprint/alarms.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { given } from '../../support/given.ts';
import { functionsThatMay } from '../../../infra/blueprint/access/table-policies.ts';
import { ofType, root, statementsOf, synthesized } from './synthesized.ts';

const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((section): [string, string] => [section.slice(0, section.indexOf('\n')), section]),
);

const alarmSchema = z.looseObject({
  AlarmName: z.string(),
  AlarmActions: z.array(z.object({ Ref: z.string() })),
  OKActions: z.array(z.object({ Ref: z.string() })),
  TreatMissingData: z.string(),
});
const filterSchema = z.object({
  /** The audit watch's name tables, which a template refers to. */
  FilterPattern: z.union([z.string(), z.looseObject({ 'Fn::Join': z.unknown() })]),
  LogGroupName: z.object({ Ref: z.string() }),
  MetricTransformations: z.tuple([
    z.looseObject({ MetricName: z.string(), MetricNamespace: z.string(), MetricValue: z.string() }),
  ]),
});

const definitions: readonly (readonly [string, LogMetric])[] = Object.entries(logMetrics);

describe.each(environmentNames)('in %s', (name) => {
  const { service } = synthesized(name);
  const { alarmAddresses, auditWatch } = environments[name];
  // Those of a version notify no one: test/infra/rollout/version-alarms.test.ts.
  const alarms = ofType(service, 'AWS::CloudWatch::Alarm')
    .filter(([, { AlarmActions }]) => AlarmActions !== undefined)
    .map(([, alarm]) => alarmSchema.parse(alarm));
  const titleOf = (alarmName: string) => alarmName.slice(alarmNameOf(name, '').length);
  const filters = ofType(service, 'AWS::Logs::MetricFilter').map(([, filter]) => filterSchema.parse(filter));

  test('these are the alarms', () => {
    const page = [
      'Answers are 5xx',
      'Archive altered',
      'Archive falls behind',
      'Audit trail broken',
      'Cancellation log rewritten',
      'Cancellations escalated',
      ...(auditWatch
        ? ['Cancellation log altered', 'Partners or job directory altered', 'Table settings changed']
        : []),
      'Events fail',
      'Events undelivered',
      'Events wait',
      'Functions fail',
      'Plangrep does not know our jobs',
      'Plangrep refuses the key',
      'Records not archived',
      'Wake-ups fail',
      'Wake-ups overdue',
    ];
    const ticket = [
      'A dependency is unavailable',
      'Answers are slow',
      'Callbacks in the dead-letter queue',
      'Callbacks kept',
      'Callbacks wait',
      'Cancelled job unknown to Plangrep',
      'Digest overdue',
      'Outgoing events undelivered',
      'Events are malformed',
      'Events in the dead-letter queue',
      'Events pile up',
      'Functions are throttled',
      'Listings are impossible',
      'Listings fail',
      'Ownership refused',
      "Plangrep's key is over 90 days old",
      'Reconciler runs missed',
      'Records cannot be read',
      'Tables are throttled',
      'Unexpected errors',
      'Wake-up queue loses messages',
    ];
    const bySeverity = (severity: string) =>
      alarms
        .filter(({ AlarmActions }) => AlarmActions[0]?.Ref.startsWith(`WatchingAlarms${severity}`))
        .map(({ AlarmName }) => titleOf(AlarmName));

    expect({ page: bySeverity('page').toSorted(), ticket: bySeverity('ticket').toSorted() }).toEqual({
      page: page.toSorted(),
      ticket: ticket.toSorted(),
    });
    expect(alarms).toHaveLength(page.length + ticket.length);
  });

  test.each(alarms.map(({ AlarmName, ...alarm }) => ({ title: titleOf(AlarmName), ...alarm })))(
    '"$title" notifies when it begins and when it ends, and the runbook says what to do',
    ({ title, AlarmActions, OKActions }) => {
      const severity = /Alarms(page|ticket)/.exec(AlarmActions[0]?.Ref ?? '')?.[1];

      expect(AlarmActions).toEqual(OKActions);
      expect(sections.get(title)).toMatch(new RegExp(`^\\*\\*${severity}[.;]`, 'm'));
      expect(sections.get(title)?.length).toBeGreaterThan(100);
    },
  );

  test('CloudWatch may publish to both topics, only for these alarms, and only over TLS', () => {
    const policies = Object.values(service).filter(({ Type }) => Type === 'AWS::SNS::TopicPolicy');

    expect(policies).toHaveLength(2);
    for (const policy of policies) {
      expect(statementsOf(policy)).toMatchObject([
        { Effect: 'Deny', Action: 'sns:Publish', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        {
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Condition: {
            ArnLike: {
              'aws:SourceArn': { 'Fn::Join': ['', expect.arrayContaining([`:alarm:plangrep-cancellation-${name} *`])] },
            },
          },
        },
      ]);
    }
  });

  test.each([
    ['Wake-ups fail', 1, 'ReconcilerFailures', 'Maximum'],
    ['Events fail', 1, 'EventsFailed', 'Sum'],
    ['Plangrep does not know our jobs', 5, 'JobsAbsent', 'Sum'],
    ['Cancelled job unknown to Plangrep', 1, 'JobsUnknown', 'Sum'],
    ['Wake-up queue loses messages', 3, 'WakeUpsLost', 'Sum'],
    ['Events are malformed', 1, 'EventsMalformed', 'Sum'],
    ['Records cannot be read', 1, 'RecordsUnreadable', 'Sum'],
    ['Events wait', 300, 'ApproximateAgeOfOldestMessage', 'Maximum'],
    ['Events pile up', 1_000, 'ApproximateNumberOfMessagesVisible', 'Maximum'],
  ])('"%s" begins at %d of %s', (title, Threshold, MetricName, Statistic) => {
    const alarm = alarms.find(({ AlarmName }) => titleOf(AlarmName) === title);

    expect(alarm).toMatchObject({ Threshold, ComparisonOperator: 'GreaterThanOrEqualToThreshold' });
    expect(JSON.stringify(alarm)).toContain(`"MetricName":"${MetricName}"`);
    expect(JSON.stringify(alarm)).toMatch(new RegExp(`"Stat(istic)?":"${Statistic}"`));
  });

  test('only silence of the reconciler and of the sealer notifies', () => {
    const silent = alarms.filter(({ TreatMissingData }) => TreatMissingData !== 'notBreaching');
    const notifying = alarms.filter(({ InsufficientDataActions }) => InsufficientDataActions !== undefined);

    expect(silent).toMatchObject(
      ['Wake-ups overdue', 'Digest overdue'].map((title) => ({
        AlarmName: alarmNameOf(name, title),
        TreatMissingData: 'missing',
      })),
    );
    expect(notifying).toEqual(silent);
    expect(silent[0]?.['InsufficientDataActions']).toEqual(silent[0]?.AlarmActions);
  });

  test('each severity sends mail to the addresses of the environment', () => {
    const mailed = ofType(service, 'AWS::SNS::Subscription').map(([, { Endpoint, Protocol, TopicArn }]) => ({
      endpoint: Endpoint,
      protocol: Protocol,
      severity: /Alarms(page|ticket)/.exec(JSON.stringify(TopicArn))?.[1],
    }));

    expect(mailed).toEqual(
      expect.arrayContaining(
        (['page', 'ticket'] as const).flatMap((severity) =>
          alarmAddresses[severity].map((endpoint) => ({ endpoint, protocol: 'email', severity })),
        ),
      ),
    );
    expect(mailed).toHaveLength(alarmAddresses.page.length + alarmAddresses.ticket.length);
  });

  test.each(definitions)('%s is made from the lines of the functions that report it', (metricName, metric) => {
    const mine = filters.filter(({ MetricTransformations: [{ MetricName }] }) => MetricName === metricName);

    expect(mine.map(({ LogGroupName }) => LogGroupName.Ref.replace(/Logs\w{8}$/, ''))).toEqual(
      metric.from.map((fn) => fn.replaceAll('-', '')),
    );
    for (const { FilterPattern, MetricTransformations } of mine) {
      expect(FilterPattern).toBe(filterPatternOf(metric));
      expect(MetricTransformations[0]).toMatchObject({
        MetricNamespace: metricNamespaceOf(name),
        MetricValue: metric.field === undefined ? '1' : `$.message.${metric.field}`,
        ...(metric.by !== undefined && { Dimensions: [{ Key: metric.by, Value: `$.message.${metric.by}` }] }),
      });
    }
  });

  test('the dashboard and the alarms look at no metric of the log that is not made', () => {
    const alarming = JSON.stringify(ofType(service, 'AWS::CloudWatch::Alarm'));
    const shown = JSON.stringify(ofType(service, 'AWS::CloudWatch::Dashboard'));
    const looked = [
      ...alarming.matchAll(/"MetricName":"(\w+)","Namespace":"PlangrepCancellation\//g),
      ...shown.matchAll(/PlangrepCancellation\/[a-z]+\\+",\\+"(\w+)/g),
    ].map(([, metric]) => metric);
    const made = filters.map(({ MetricTransformations: [{ MetricName }] }) => MetricName);

    expect(made).toEqual(expect.arrayContaining(looked));
    expect(new Set(looked).size).toBeGreaterThan(10);
  });
});

describe('the dashboard', () => {
  test('adds up by partner fields that the line of a closed cancellation has', async () => {
    const scene = await given();
    const job = { status: 'cancelled', pageCount: 204, successfulPageCount: 63, creditsDebited: 63 };
    scene.plangrepAnswers({ cancel: (id) => ({ kind: 'job', job: { id, ...job } }) });
    await scene.cancel();
    const line = scene.ports.reported.find(({ code }) => code === 'CANCELLATION_CLOSED');
    const { spentMs, ...fields } = line?.fields ?? {};
    const has = ['code', ...Object.keys(fields), ...Object.keys(Object(spentMs)).map((party) => `spentMs.${party}`)];

    for (const name of environmentNames) {
      const shown = JSON.stringify(ofType(synthesized(name).service, 'AWS::CloudWatch::Dashboard'));
      const asked = [...shown.matchAll(/\bmessage\.([\w.]+)/g)].map(([, field]) => field);

      expect(new Set(asked).size).toBe(9);
      expect(has).toEqual(expect.arrayContaining(asked));
    }
  });
});

describe('the metrics of the log', () => {
  test('are split only by fields with few values', () => {
    const fields = definitions.flatMap(([, { by }]) => (by === undefined ? [] : [by]));
    const closedSets = eventBodySchema.def.options.flatMap(({ def: { shape } }) =>
      Object.entries(shape).flatMap(([field, schema]) => (schema.def.type === 'enum' ? [field] : [])),
    );

    expect(fields).toEqual(['outcome', 'result', 'result']);
    expect(callbackSchema.shape.result.def.type).toBe('enum');
    expect(closedSets).toEqual(expect.arrayContaining(fields));
  });

  test('count what is kept for a replay, but not where an operator has paused or ended the callbacks', () => {
    expect(filterPatternOf(logMetrics.CallbacksKept)).toBe(
      '{ ($.message.code = "CALLBACK_KEPT") && ($.message.why != "operator") && ($.message.why != "removed") }',
    );
  });

  test('count escalations by each function that looks at wake-ups, because a cancellation is escalated once', () => {
    const movers = functionsThatMay('dynamodb:UpdateItem', 'CancellationLog');

    expect([...logMetrics.CancellationsEscalated.from].toSorted()).toEqual(
      movers.filter((fn) => fn !== 'deliver-callbacks').toSorted(),
    );
  });

  test('use fields of the lines that the functions write', () => {
    const sources = readdirSync(join(root, 'functions'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(root, 'functions', file), 'utf8'))
      .filter((source) => /\breport\(/.test(source))
      .join('\n');

    for (const [, { code, field, by, except }] of definitions) {
      for (const named of [(field ?? by)?.split('.')[0], except?.field]) {
        if (named === undefined) continue;
        expect(sources).toContain(`'${code}'`);
        expect(sources).toMatch(new RegExp(`\\b${named}\\b`));
      }
    }
  });
});

describe('the runbook', () => {
  const everywhere = new Set(
    environmentNames.flatMap((name) =>
      ofType(synthesized(name).service, 'AWS::CloudWatch::Alarm').flatMap(([, { AlarmName }]) =>
        typeof AlarmName === 'string' ? [AlarmName.slice(alarmNameOf(name, '').length)] : [],
      ),
    ),
  );

  test('has no section for an alarm that does not exist', () => {
    const alarming = [...sections].filter(([, section]) => /^\*\*(page|ticket)/m.test(section)).map(([title]) => title);

    expect(alarming.toSorted()).toEqual([...everywhere].toSorted());
  });
});
