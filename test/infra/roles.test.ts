import { describe, expect, test } from 'vitest';
import type { Environment } from '../../infra/blueprint/environment-schema.ts';
import { environmentNames, environments } from '../../infra/blueprint/environments.ts';
import { sandboxFunctionNames } from '../../infra/blueprint/functions.ts';
import { operatorRoleNames } from '../../infra/blueprint/access/operator-roles.ts';
import type { Resource as Target } from '../../infra/blueprint/access/permissions.ts';
import { isOfFunction, permissionsOf, roleNameOf, roleNames } from '../../infra/blueprint/access/roles.ts';
import { versionAlarmNames } from '../../infra/blueprint/rollout/version-alarms.ts';
import { renderRolesTable } from '../../infra/docs/generate-docs.ts';
import { listOf, ofType, type Resource, type Statement, statementsOf, synthesized } from './stacks/synthesized.ts';

/** What a target's ARN looks like in a template of the service stack. */
const targetPatterns: readonly (readonly [Target, RegExp])[] = [
  ['Everything', /^"\*"$/],
  ['WakeUps', /^\{"Fn::Join":\["",\[\{.*:ExportsOutputFnGetAttCancellationLogArn\w+"\},"\/index\/due-wake-ups"\]\]\}$/],
  ['CancellationLog', /^\{"Fn::ImportValue":".*:ExportsOutputFnGetAttCancellationLogArn\w+"\}$/],
  ['CancellationLogStream', /^\{"Fn::ImportValue":".*:ExportsOutputFnGetAttCancellationLogStreamArn\w+"\}$/],
  ['JobDirectory', /^\{"Fn::ImportValue":".*:ExportsOutputFnGetAttJobDirectoryArn\w+"\}$/],
  ['Partners', /^\{"Fn::ImportValue":".*:ExportsOutputFnGetAttPartnersArn\w+"\}$/],
  ['ArchiveBucket', /^\{"Fn::ImportValue":"[\w-]+:ExportsOutputFnGetAttArchiveBucketArn\w+"\}$/],
  ['ArchiveRecords', /ArchiveBucketArn\w+"\},"\/records\/\*"\]\]\}$/],
  ['ArchiveDigests', /ArchiveBucketArn\w+"\},"\/digests\/\*"\]\]\}$/],
  ['ArchiveKeys', /ArchiveBucketArn\w+"\},"\/keys\/\*"\]\]\}$/],
  ['SealKey', /^\{"Fn::ImportValue":"[\w-]+:ExportsOutputFnGetAttSealKey1Arn\w+"\}$/],
  ['RecordsNotArchived', /^\{"Fn::GetAtt":\["ArchivingUndelivered\w+","Arn"\]\}$/],
  ['SandboxTable', /^\{"Fn::GetAtt":\["SandboxTable\w+","Arn"\]\}$/],
  ['PlangrepKey', /^\{"Fn::ImportValue":".*:ExportsOutputRefPlangrepKey\w+"\}$/],
  ['CallbackSecret', /^\{"Fn::ImportValue":".*:ExportsOutputRefCallbackSecret\w+"\}$/],
  ['CallbackQueue', /^\{"Fn::GetAtt":\["CallbacksQueue\w+","Arn"\]\}$/],
  ['CallbacksGivenUp', /^\{"Fn::GetAtt":\["CallbacksDeadLetters\w+","Arn"\]\}$/],
  ['EventsQueue', /^\{"Fn::GetAtt":\["EventsDoorQueue\w+","Arn"\]\}$/],
  ['EventsGivenUp', /^\{"Fn::GetAtt":\["EventsDoorDeadLetters\w+","Arn"\]\}$/],
  ['WakeUpQueue', /^\{"Fn::GetAtt":\["WakeUpsQueue\w+","Arn"\]\}$/],
  ['StatefulStack', /^\{"Fn::ImportValue":"[\w-]+:ExportsOutputRefAWSStackId\w+"\}$/],
  ['UsageKeys', /^\[(.*"::\/(apikeys|usageplans\/\*\/keys)(\/\*)?".*){4}\]$/],
  ['UsagePlans', /^\[.*"::\/usageplans".*"::\/usageplans\/\*\/usage".*\]$/],
  [
    'InUseAndReplaced',
    /^\[(\{"Fn::ImportValue":"[\w-]+:ExportsOutputFnGetAtt(JobDirectory|CancellationLog|Partners)Arn\w+"\},?){3}\]$/,
  ],
  ['ServiceStack', /^\{"Ref":"AWS::StackId"\}$/],
  ['MissedRuns', /^\{"Fn::GetAtt":\["ScheduleMissed\w+","Arn"\]\}$/],
  ['EventBus', /^\{"Fn::GetAtt":\["EventBus\w+","Arn"\]\}$/],
  ['OutgoingEventsUndelivered', /^\{"Fn::GetAtt":\["OutgoingEventsUndelivered\w+","Arn"\]\}$/],
];

const targetOf = (resource: unknown, role: string): string => {
  const text = JSON.stringify(resource);
  const own = new RegExp(`^\\{"Fn::GetAtt":\\["(Sandbox)?${role.replaceAll('-', '')}Logs\\w+","Arn"\\]\\}$`);
  if (own.test(text)) return 'OwnLogGroup';
  return targetPatterns.find(([, pattern]) => pattern.test(text))?.[0] ?? text;
};

const asPermission = (role: string, { Effect, Action, Resource: resource, Condition }: Statement) => ({
  effect: Effect,
  actions: listOf(Action).map(String).toSorted(),
  resource: targetOf(resource, role),
  conditions: Condition,
});

describe.each(environmentNames)('in %s', (name) => {
  const { service } = synthesized(name);
  const { sandbox }: Environment = environments[name];
  const isSandboxOnly = (role: string) => sandboxFunctionNames.some((one) => one === role);
  const namesHere = roleNames.filter((role) => sandbox === true || !isSandboxOnly(role));
  const roles = ofType(service, 'AWS::IAM::Role');
  const everyPolicy = Object.values(service).filter(({ Type }) => Type.startsWith('AWS::IAM::'));
  const roleCalled = (roleName: string): Resource => {
    const id = roles.find(([, { RoleName }]) => RoleName === roleName)?.[0] ?? '';
    return service[id] ?? { Type: 'none', Properties: {} };
  };

  test.each(namesHere)('%s may do exactly what infra/blueprint/access/roles.ts says', (role) => {
    const resource = roleCalled(roleNameOf(name, role));

    const granted = statementsOf(resource).map((each) => asPermission(role, each));

    expect(granted).toEqual(
      permissionsOf(role).map(({ actions, resource: target, conditions }) => ({
        effect: 'Allow',
        actions: [...actions].toSorted(),
        resource: target,
        conditions,
      })),
    );
    expect(resource.Properties['ManagedPolicyArns']).toBeUndefined();
  });

  test('no policy exists outside a role, where it could add to one', () => {
    expect(everyPolicy.filter(({ Type }) => Type !== 'AWS::IAM::Role')).toEqual([]);
  });

  test.each(namesHere.filter(isOfFunction))('%s runs under its own role', (fn) => {
    const lambda = ofType(service, 'AWS::Lambda::Function').find(
      ([, { FunctionName }]) => FunctionName === `plangrep-cancellation-${name}-${fn}`,
    );
    const { RoleName } = service[roleIdOf(lambda?.[1]['Role'])]?.Properties ?? {};

    expect(RoleName).toBe(roleNameOf(name, fn));
  });

  test("no action has a star, and no resource but X-Ray's, the archive's objects, the alarms of versions and API Gateway's keys and plans", () => {
    const allowed = everyPolicy.flatMap(statementsOf).filter(({ Effect }) => Effect === 'Allow');

    for (const { Action, Resource: resource } of allowed) {
      const actions = listOf(Action);
      for (const action of actions) expect(action).not.toContain('*');
      const isXRay = actions.every((action) =>
        ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'].includes(String(action)),
      );
      const isCanary = actions.join() === 'cloudwatch:DescribeAlarms';
      const isApiGateway = actions.every((action) => String(action).startsWith('apigateway:'));
      const stars = JSON.stringify(resource)
        .replace(/ArchiveBucketArn\w+"\},"\/(records|digests|keys)\/\*"/, '')
        .replace(isCanary ? versionAlarmNames(name) : '', '')
        .replaceAll(isApiGateway ? /"::\/(apikeys|usageplans)[^"]*"/g : '', '');
      if (!isXRay) expect(stars).not.toContain('*');
    }
    expect(allowed.length).toBeGreaterThan(20);
  });

  test('no role may scan a table or delete an item, but those that operators take', () => {
    const byFunctions = everyPolicy.filter(
      ({ Properties: { RoleName } }) => !operatorRoleNames.some((role) => RoleName === roleNameOf(name, role)),
    );
    const actions = byFunctions.flatMap(statementsOf).flatMap(({ Action }) => listOf(Action));

    for (const action of [
      'dynamodb:Scan',
      'dynamodb:DeleteItem',
      'dynamodb:BatchWriteItem',
      'dynamodb:PartiQLSelect',
    ]) {
      expect(actions).not.toContain(action);
    }
  });

  test('the only managed policy is that of the role that API Gateway has per account', () => {
    const managed = roles.filter(([, { ManagedPolicyArns }]) => ManagedPolicyArns !== undefined);

    expect(managed.map(([id]) => id)).toEqual([expect.stringMatching(/^PartnerApiCloudWatchRole/)]);
  });
});

const roleIdOf = (reference: unknown): string => {
  const [id] = listOf((reference as { 'Fn::GetAtt'?: unknown } | undefined)?.['Fn::GetAtt']);
  return String(id);
};

describe('what a role may do on the cancellation log', () => {
  // Written out by hand, so that a role cannot be widened without changing this test.
  test('doors put and query, those that look at wake-ups also move them, no other role writes but those for erasures and callbacks', () => {
    const onLog = Object.fromEntries(
      roleNames.map((role) => [
        role,
        permissionsOf(role)
          .filter(({ resource }) => ['CancellationLog', 'WakeUps'].includes(resource))
          .flatMap(({ actions }) => actions)
          .toSorted(),
      ]),
    );

    expect(onLog).toEqual({
      'authorize-partner': [],
      'request-cancellation': ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      'read-cancellations': ['dynamodb:Query'],
      'register-job': [],
      'read-documentation': [],
      'answer-unknown-route': [],
      'consume-events': ['dynamodb:PutItem', 'dynamodb:Query'],
      'consume-wake-ups': ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      'reconcile-cancellations': ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      'announce-cancellations': [],
      'deliver-callbacks': ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      'archive-records': [],
      'seal-archive': [],
      'redrive-events': [],
      'manage-partners': [],
      'manage-callbacks': ['dynamodb:Query', 'dynamodb:Query', 'dynamodb:Scan'],
      'release-jobs': [],
      'erase-texts': ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:Scan', 'dynamodb:UpdateItem'],
      'restore-tables': [],
      'simulate-plangrep': [],
    });
  });
});

test('the table of role, action and resource has a row for each permission', () => {
  const rows = roleNames.reduce((sum, role) => sum + permissionsOf(role).length, 0);

  expect(renderRolesTable().trimEnd().split('\n')).toHaveLength(rows + 2);
});
