import { alarmNameOf, alarms } from '../../../infra/blueprint/alarms.ts';
import { environments } from '../../../infra/blueprint/environments.ts';
import { type FunctionDefinition, functions } from '../../../infra/blueprint/functions.ts';
import type { Permission } from '../../../infra/blueprint/access/permissions.ts';
import { permissionsOf, roleNames } from '../../../infra/blueprint/access/roles.ts';
import type { AskAws, AwsAnswer, AwsCall } from '../../../infra/cli/preflight/ask-aws.ts';

/** What is asked, as text: `lambda:GetFunctionConcurrency /2019…`, `logs:FilterLogEvents {"logGroupName":…}`. */
export type Overrides = Readonly<Record<string, (answer: string) => AwsAnswer | string>>;

const { dev } = environments;

/**
 * AWS's answers about an environment dev that is deployed as the blueprint says: in the forms that AWS documents, with no
 * more than what is read.
 * @param overrides what is otherwise, by the beginning of what is asked
 */
export function healthyAws(overrides: Overrides = {}): AskAws {
  return (_service, action, call) => {
    const asked = `${action} ${'path' in call ? call.path : JSON.stringify(call.input ?? {})}`;
    const text = answerTo(action, call);
    const [, override] = Object.entries(overrides).find(([start]) => asked.startsWith(start)) ?? [];
    const changed = override?.(text) ?? text;
    return Promise.resolve(typeof changed === 'string' ? { kind: 'answer', text: changed } : changed);
  };
}

function answerTo(action: string, call: AwsCall): string {
  if ('path' in call) return action.endsWith('Concurrency') ? '{}' : configurationOf(call.path);
  const { input = {} } = call;
  switch (action) {
    case 'iam:SimulatePrincipalPolicy':
      return simulate(input);
    case 'cloudwatch:DescribeAlarms':
      return `<MetricAlarms>${alarms
        .filter(({ needs }) => needs === undefined)
        .map(alarm)
        .join('')}</MetricAlarms>`;
    case 'cloudwatch:ListDashboards':
      return '<member><DashboardName>plangrep-cancellation-dev</DashboardName></member>';
    case 'logs:FilterLogEvents':
      return JSON.stringify({ events: [] });
    case 'logs:DescribeLogGroups':
      return JSON.stringify({ logGroups: [{ retentionInDays: dev.logRetentionDays }] });
    default:
      return '{}';
  }
}

/** @see https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html */
function configurationOf(path: string): string {
  const name = /\/plangrep-cancellation-dev-([a-z-]+)\//.exec(path)?.[1] ?? '';
  const all: Readonly<Record<string, FunctionDefinition<string>>> = functions;
  const { memoryMb, timeoutSeconds, environment = [] } = all[name] ?? {};
  return JSON.stringify({
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    MemorySize: memoryMb,
    Timeout: timeoutSeconds,
    State: 'Active',
    LoggingConfig: { LogFormat: 'JSON' },
    Environment: { Variables: Object.fromEntries(environment.map((variable) => [variable, 'x'])) },
  });
}

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html */
function simulate(input: Readonly<Record<string, unknown>>): string {
  const role = roleNames.find((name) => String(input['PolicySourceArn']).endsWith(`-dev-${name}`));
  const table = String(input['ResourceArns.member.1']).split('/').at(-1);
  const allowed = role === undefined ? [] : permissionsOf(role).filter(({ resource }) => resource === table);
  const actions = Object.entries(input).filter(([name]) => name.startsWith('ActionNames.member.'));
  const members = actions.map(([, action]) => {
    const isAllowed = allowed.some(
      (permission) =>
        permission.actions.includes(String(action)) &&
        keysOf(permission).every((key) => Object.values(input).includes(key)),
    );
    const decision = isAllowed ? 'allowed' : 'implicitDeny';
    return `<member><MatchedStatements/><EvalResourceName>arn</EvalResourceName><EvalDecision>${decision}</EvalDecision><EvalActionName>${String(action)}</EvalActionName></member>`;
  });
  return `<EvaluationResults>${members.join('')}</EvaluationResults>`;
}

/** What IAM must be told to decide. */
function keysOf({ conditions = {} }: Permission): readonly string[] {
  return Object.entries(conditions).flatMap(([operator, keys]) =>
    operator.startsWith('ForAllValues:') ? Object.keys(keys) : [],
  );
}

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html */
function alarm({ title }: { readonly title: string }): string {
  const name = alarmNameOf('dev', title).replaceAll("'", '&#39;');
  return `<member><AlarmName>${name}</AlarmName><StateValue>OK</StateValue></member>`;
}
