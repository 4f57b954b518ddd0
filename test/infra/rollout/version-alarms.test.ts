import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { reportLevels } from '../../../functions/core/report.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { functionNames } from '../../../infra/blueprint/functions.ts';
import { versionAlarmNames, versionFaultPattern } from '../../../infra/blueprint/rollout/version-alarms.ts';
import { readRolloutOverride } from '../../../infra/blueprint/rollout/rollout-override.ts';
import { listOf, ofType, oneOf, statementsOf, synthesize, synthesized } from '../stacks/synthesized.ts';

const canaries = environmentNames.filter((name) => environments[name].rollout === 'canary');
const idOf = (fn: string) => fn.replaceAll('-', '');

const alarmSchema = z.looseObject({
  AlarmName: z.object({ 'Fn::Join': z.tuple([z.literal(''), z.tuple([z.string(), z.unknown(), z.string()])]) }),
  MetricName: z.string(),
  Namespace: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
});
const groupSchema = z.looseObject({
  AlarmConfiguration: z.object({
    Enabled: z.boolean(),
    Alarms: z.array(z.object({ Name: z.object({ Ref: z.string() }) })),
  }),
});

describe.each(canaries)('a release in %s is rolled back', (name) => {
  const { service } = synthesized(name);
  const groups = new Map(ofType(service, 'AWS::CodeDeploy::DeploymentGroup'));
  const versionOf = (fn: string) => {
    const [id] = ofType(service, 'AWS::Lambda::Version').find(([one]) => one.startsWith(`${idOf(fn)}Function`)) ?? [];
    return { 'Fn::GetAtt': [id, 'Version'] };
  };
  const alarmsOf = (fn: string) => {
    const [, group] = [...groups].find(([id]) => new RegExp(`^Rollout${idOf(fn)}[0-9A-F]{8}$`).test(id)) ?? [];
    const { Alarms } = groupSchema.parse(group).AlarmConfiguration;
    return Alarms.map(({ Name }) => alarmSchema.parse(service[Name.Ref]?.Properties));
  };

  test.each(functionNames)('by what the new version of %s does, and by nothing else', (fn) => {
    const heeded = alarmsOf(fn);

    expect(heeded.map(({ MetricName }) => MetricName)).toEqual(['Errors', `VersionFaults-${fn}`]);
    for (const { AlarmName, Dimensions, MetricName, AlarmActions } of heeded) {
      const isCrash = MetricName === 'Errors';
      const [, [prefix, version, rest]] = AlarmName['Fn::Join'];
      // A new name for each version: a changed alarm would keep the state that the old version gave it.
      expect(version).toEqual(versionOf(fn));
      expect(prefix).toBe(versionAlarmNames(name).replace('*', ''));
      expect(rest).toContain(fn);
      expect(Dimensions).toContainEqual({ Name: isCrash ? 'ExecutedVersion' : 'version', Value: versionOf(fn) });
      if (isCrash) {
        const functionName = { Ref: expect.stringMatching(`^${idOf(fn)}Function`) };
        expect(Dimensions).toContainEqual({ Name: 'FunctionName', Value: functionName });
        expect(Dimensions).toContainEqual({ Name: 'Resource', Value: { 'Fn::Join': ['', [functionName, ':live']] } });
      }
      // The pipeline shows a rollback to those who deploy; "Functions fail" and "Answers are 5xx" page for every version.
      expect(AlarmActions).toBeUndefined();
    }
  });

  test('by no alarm that counts every version', () => {
    const heeded = [...groups.values()].flatMap((group) => groupSchema.parse(group).AlarmConfiguration.Alarms);
    const paging = ofType(service, 'AWS::CloudWatch::Alarm').filter(
      ([, { AlarmActions }]) => AlarmActions !== undefined,
    );

    expect(paging.length).toBeGreaterThan(20);
    expect(heeded.map(({ Name }) => Name.Ref).filter((ref) => paging.some(([id]) => id === ref))).toEqual([]);
  });

  test('with alarms that CodeDeploy may read before the release changes any right', () => {
    const [id] = ofType(service, 'AWS::IAM::Role').find(([one]) => one.startsWith('RolloutRole')) ?? [];
    const role = service[id ?? ''];
    const may = role === undefined ? [] : statementsOf(role);
    const reading = may.find(({ Action }) => listOf(Action).includes('cloudwatch:DescribeAlarms'));

    expect(reading?.Resource).toEqual({
      'Fn::Join': ['', expect.arrayContaining([`:alarm:${versionAlarmNames(name)}`])],
    });
    expect(JSON.stringify(reading)).not.toContain('Version":{"Fn::GetAtt');
  });

  test('by faults that are counted for each function and version, from lines that carry the version', () => {
    for (const fn of functionNames) {
      const filter = oneOf(service, 'AWS::Logs::MetricFilter', `RolloutVersion${idOf(fn)}Filter`);
      expect(filter).toMatchObject({
        FilterPattern: versionFaultPattern,
        LogGroupName: { Ref: expect.stringMatching(`^${idOf(fn)}Logs`) },
        MetricTransformations: [{ Dimensions: [{ Key: 'version', Value: '$.message.version' }] }],
      });
      // CloudWatch Logs allows no default value together with dimensions.
      expect(JSON.stringify(filter)).not.toContain('DefaultValue');
    }
    const codes = [...versionFaultPattern.matchAll(/code = "(\w+)"/g)].map(([, code]) => code);
    expect(codes).toEqual(['UNEXPECTED_ERROR', 'DEPENDENCY_UNAVAILABLE']);
    // functions/compose/surroundings.ts gives the version to these.
    for (const code of codes) expect(reportLevels).toHaveProperty(code ?? '', 'error');
  });
});

describe('an override', () => {
  const why = 'operator of run 17: TICKET-4, the old version fails';

  test('shifts at once, heeds no alarm, keeps the groups for the next canary, and is on record', () => {
    const { service, outputs } = synthesize(environments.staging, undefined, 'not validated', { why });
    const groups = ofType(service, 'AWS::CodeDeploy::DeploymentGroup');

    expect(groups).toHaveLength(functionNames.length);
    for (const [id, group] of groups) {
      expect(synthesized('staging').service).toHaveProperty(id);
      expect(group).toMatchObject({ DeploymentConfigName: 'CodeDeployDefault.LambdaAllAtOnce' });
      expect(JSON.stringify(group)).not.toContain('STOP_ON_ALARM');
      expect(group['AlarmConfiguration']).toEqual({ Enabled: false });
    }
    expect(outputs).toMatchObject({ RolloutOverride: { Value: why } });
  });

  test('is not what an ordinary deployment does', () => {
    expect(readRolloutOverride(undefined, undefined)).toEqual({ kind: 'none' });
    expect(readRolloutOverride('as-configured', why)).toEqual({ kind: 'none' });
    expect(synthesized('staging').outputs).not.toHaveProperty('RolloutOverride');
  });

  test.each([
    ['all-at-once', undefined],
    ['all-at-once', 'short'],
    ['all-at-once', 'two\nlines of reasons'],
    ['all-at-once', 'x'.repeat(301)],
    ['at-once', why],
    [true, why],
  ])('is refused as %s because %j', (rollout, reason) => {
    expect(readRolloutOverride(rollout, reason)).toMatchObject({ kind: 'invalid', message: expect.any(String) });
  });

  test('takes a reason in any language', () => {
    expect(readRolloutOverride('all-at-once', why)).toEqual({ kind: 'override', override: { why } });
    expect(readRolloutOverride('all-at-once', 'Zoë: überfällig, läuft')).toMatchObject({ kind: 'override' });
  });
});
