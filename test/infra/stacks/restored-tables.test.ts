import { describe, expect, test } from 'vitest';
import { checkEnvironment, type Environment } from '../../../infra/blueprint/environment-schema.ts';
import { environments } from '../../../infra/blueprint/environments.ts';
import { addChecks } from '../../../infra/stacks/checks.ts';
import { ofType, oneOf, type Resources, synthesize } from './synthesized.ts';

const { prod } = environments;
const streamLabel = '2026-11-26T13:05:11.123';
const restoredTables = {
  Partners: { name: 'partners-restored' },
  JobDirectory: { name: 'directory-restored' },
  CancellationLog: { name: 'log-restored', streamLabel },
} as const satisfies Environment['restoredTables'];

/** With the checks of cdk-nag: a finding makes the synth fail. */
const before = synthesize(prod, undefined, 'not validated');
const after = synthesize({ ...prod, restoredTables }, addChecks);

/** The outputs that the service may import. */
const exportsOf = ({ artifact }: typeof before): readonly string[] =>
  Object.values<{ readonly Export?: { readonly Name: string } }>(artifact.template.Outputs).flatMap(
    ({ Export }) => Export?.Name ?? [],
  );
const importsOf = (service: Resources): readonly string[] => [
  ...new Set([...JSON.stringify(service).matchAll(/"Fn::ImportValue":"([^"]+)"/g)].map(([, name = '']) => name)),
];
const arnOf = (table: string) => ({
  'Fn::Join': ['', ['arn:aws:dynamodb:eu-central-1:', { Ref: 'AWS::AccountId' }, `:table/${table}`]],
});
const variablesOf = (service: Resources, prefix: string) =>
  oneOf(service, 'AWS::Lambda::Function', prefix)['Environment'];

describe('an environment that names restored tables', () => {
  test('leaves the stateful stack as it is: what was restored from is evidence', () => {
    expect(after.artifact.template).toEqual(before.artifact.template);
  });

  test('has every export before and after, so that neither going there nor coming back is refused', () => {
    const [own, restored] = [importsOf(before.service), importsOf(after.service)];

    expect(exportsOf(before)).toEqual(expect.arrayContaining([...own, ...restored]));
    expect(own.filter((name) => /JobDirectory|CancellationLog|Partners/.test(name)).length).toBeGreaterThanOrEqual(6);
    // The audit watch looks at both, and the role for restoring changes both; nothing reads the old stream.
    expect(restored.filter((name) => /Stream/.test(name))).toEqual([]);
  });

  test('gives the functions the restored tables', () => {
    for (const [id, { Environment }] of ofType(after.service, 'AWS::Lambda::Function')) {
      expect(`${id} ${JSON.stringify(Environment ?? {})}`).not.toMatch(/ImportValue":"[^"]*(Directory|Log|Partners)/);
    }
    expect(variablesOf(after.service, 'requestcancellation')).toMatchObject({
      Variables: {
        PARTNERS_TABLE: 'partners-restored',
        JOB_DIRECTORY_TABLE: 'directory-restored',
        CANCELLATION_LOG_TABLE: 'log-restored',
      },
    });
  });

  test("gives the roles the restored tables, and the log's index", () => {
    const roles = ofType(after.service, 'AWS::IAM::Role').map(([, role]) => role);
    const reconciler = roles.find(({ RoleName }) => RoleName === 'plangrep-cancellation-prod-reconcile-cancellations');

    expect(JSON.stringify(roles)).not.toContain('Fn::ImportValue":"Stateful:ExportsOutputFnGetAttCancellationLog');
    expect(JSON.stringify(reconciler)).toContain(JSON.stringify(arnOf('log-restored')));
    expect(JSON.stringify(reconciler)).toContain(':table/log-restored/index/due-wake-ups');
  });

  test("announces what is in the restored log's stream", () => {
    expect(oneOf(after.service, 'AWS::Lambda::EventSourceMapping', 'OutgoingEvents')).toMatchObject({
      EventSourceArn: arnOf(`log-restored/stream/${streamLabel}`),
    });
  });

  test("watches the restored tables' throttles, and writes to them and to those they replaced", () => {
    const throttled = oneOf(after.service, 'AWS::CloudWatch::Alarm', 'WatchingAlarmsTablesarethrottled');
    const tableNames = [...JSON.stringify(throttled).matchAll(/"Name":"TableName","Value":"([^"]+)"/g)];

    expect(new Set(tableNames.map(([, name]) => name))).toEqual(
      new Set(['partners-restored', 'directory-restored', 'log-restored']),
    );
    const selector = (Equals: readonly unknown[]) => ({
      FieldSelectors: expect.arrayContaining([{ Field: 'resources.ARN', Equals }]),
    });
    const bothOf = (restored: string, own: string) => [
      arnOf(restored),
      { 'Fn::ImportValue': expect.stringContaining(`${own}Arn`) },
    ];
    expect(oneOf(after.service, 'AWS::CloudTrail::Trail')).toMatchObject({
      AdvancedEventSelectors: [
        selector(bothOf('log-restored', 'CancellationLog')),
        selector(bothOf('log-restored', 'CancellationLog')),
        selector(bothOf('directory-restored', 'JobDirectory')),
        selector(bothOf('partners-restored', 'Partners')),
        expect.anything(),
      ],
    });
  });

  test('may name one table alone', () => {
    const { service } = synthesize(
      { ...prod, restoredTables: { Partners: restoredTables.Partners } },
      undefined,
      'not validated',
    );

    expect(variablesOf(service, 'authorizepartner')).toMatchObject({
      Variables: { PARTNERS_TABLE: 'partners-restored' },
    });
    expect(oneOf(service, 'AWS::Lambda::EventSourceMapping', 'OutgoingEvents')).toMatchObject({
      EventSourceArn: { 'Fn::ImportValue': expect.stringContaining('StreamArn') },
    });
  });
});

describe('the check of the environments', () => {
  const checked = (tables: object) => checkEnvironment(Object.assign({}, prod, { restoredTables: tables }));

  test('wants the stream of a restored log, and no table twice', () => {
    expect(checked(restoredTables)).toEqual({ kind: 'valid' });
    expect(checked({ CancellationLog: { name: 'log-restored' } })).toMatchObject({
      message: expect.stringContaining('restoredTables.CancellationLog.streamLabel'),
    });
    expect(checked({ Partners: { name: 'restored' }, JobDirectory: { name: 'restored' } })).toMatchObject({
      message: expect.stringContaining('restoredTables: must not name a table twice'),
    });
    expect(checked({ Log: { name: 'restored' } }).kind).toBe('invalid');
  });
});
