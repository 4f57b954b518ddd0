import { describe, expect, test } from 'vitest';
import { AwsCliError } from '../../../infra/deploy/aws-cli.ts';
import { deployStack } from '../../../infra/deploy/deploy-stack.ts';
import type { AssemblyStack } from '../../../infra/deploy/read-assembly.ts';

const stack: AssemblyStack = {
  id: 'Service',
  name: 'cancellation-prod-service',
  region: 'eu-central-1',
  templateUrl: 'https://assets.s3.eu-central-1.amazonaws.com/abc.json',
  tags: { environment: 'prod', project: 'plangrep-cancellation' },
  terminationProtection: true,
  deployRole: 'arn:aws:iam::123456789012:role/deploy',
  executionRole: 'arn:aws:iam::123456789012:role/execution',
  files: [],
};

/** Each list plays what CloudFormation says, call after call; the last one stays. */
interface Script {
  readonly stack: readonly (string | undefined)[];
  readonly changeSet?: readonly (readonly [status: string, reason?: string])[];
  readonly events?: readonly { LogicalResourceId: string; ResourceStatus: string; ResourceStatusReason?: string }[];
}

const deploy = async (script: Script, changed: Partial<AssemblyStack> = {}) => {
  const calls: string[][] = [];
  const slept: number[] = [];
  const [stacks, changeSets] = [[...script.stack], [...(script.changeSet ?? [['CREATE_COMPLETE'] as const])]];
  const next = <Item>(items: Item[]): Item | undefined => (items.length > 1 ? items.shift() : items[0]);
  const aws = ([, name = '', ...options]: readonly string[]): string => {
    calls.push([name, ...options]);
    switch (name) {
      case 'describe-stacks': {
        const StackStatus = next(stacks);
        if (StackStatus === undefined) throw new AwsCliError('Stack with id cancellation does not exist');
        if (StackStatus === 'DENIED') throw new AwsCliError('AccessDenied');
        const Outputs = [{ OutputKey: 'ApiUrl', OutputValue: 'https://api.example/live/' }];
        return JSON.stringify({ Stacks: [{ StackStatus, StackStatusReason: 'because', Outputs }] });
      }
      case 'describe-change-set': {
        const [Status, StatusReason] = next(changeSets) ?? [];
        return JSON.stringify({ Status, StatusReason });
      }
      case 'describe-stack-events':
        return JSON.stringify({ StackEvents: script.events ?? [] });
      default:
        return '';
    }
  };
  const sleep = (ms: number) => Promise.resolve(slept.push(ms));
  const log = () => undefined;
  const result = await deployStack({ ...stack, ...changed }, { aws, sleep, log, changeSetName: 'deployment-1' });
  return { result, calls, names: calls.map(([name]) => name), slept };
};
const deployed = { kind: 'deployed', outputs: { ApiUrl: 'https://api.example/live/' } };
const optionOf = (call: readonly string[] | undefined, name: string) => call?.[call.indexOf(name) + 1];

describe('A deployment of a stack', () => {
  test('updates it by a change set with the template, the roles and the tags of the assembly, and returns its outputs', async () => {
    const { result, calls, names } = await deploy({ stack: ['UPDATE_COMPLETE'] });

    expect(result).toEqual(deployed);
    expect(names).toEqual([
      'describe-stacks',
      'create-change-set',
      'describe-change-set',
      'execute-change-set',
      'describe-stacks',
      'update-termination-protection',
      'describe-stacks',
    ]);
    const created = calls[1];
    expect(optionOf(created, '--change-set-type')).toBe('UPDATE');
    expect(optionOf(created, '--stack-name')).toBe(stack.name);
    expect(optionOf(created, '--template-url')).toBe(stack.templateUrl);
    expect(optionOf(created, '--role-arn')).toBe(stack.executionRole);
    expect(created).toContain('CAPABILITY_NAMED_IAM');
    expect(JSON.parse(optionOf(created, '--tags') ?? '')).toEqual([
      { Key: 'environment', Value: 'prod' },
      { Key: 'project', Value: 'plangrep-cancellation' },
    ]);
    expect(calls[3]).toEqual(['execute-change-set', '--stack-name', stack.name, '--change-set-name', 'deployment-1']);
    expect(calls[5]).toEqual([
      'update-termination-protection',
      '--stack-name',
      stack.name,
      '--enable-termination-protection',
    ]);
  });

  test.each([
    ['where there is none', undefined],
    ['where an earlier change set was never executed', 'REVIEW_IN_PROGRESS'],
  ])('creates it %s', async (_, before) => {
    const { result, calls } = await deploy({ stack: [before, 'CREATE_IN_PROGRESS', 'CREATE_COMPLETE'] });

    expect(result).toEqual(deployed);
    expect(optionOf(calls[1], '--change-set-type')).toBe('CREATE');
  });

  test('waits for the change set and for the stack, and asks every 5 s', async () => {
    const waiting = ['UPDATE_COMPLETE', 'UPDATE_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_COMPLETE'];
    const changeSet = [['CREATE_PENDING'], ['CREATE_IN_PROGRESS'], ['CREATE_COMPLETE']] as const;
    const { result, slept } = await deploy({ stack: waiting, changeSet });

    expect(result).toEqual(deployed);
    expect(slept).toEqual([5_000, 5_000, 5_000, 5_000]);
  });

  test.each([
    "The submitted information didn't contain changes. Submit different information to create a change set.",
    'No updates are to be performed.',
  ])('is complete when there is nothing to change: %s', async (reason) => {
    const { result, names } = await deploy({ stack: ['UPDATE_COMPLETE'], changeSet: [['FAILED', reason]] });

    expect(result).toEqual(deployed);
    expect(names).toContain('delete-change-set');
    expect(names).not.toContain('execute-change-set');
  });

  test('fails when there is no change set for another reason', async () => {
    const changeSet = [['FAILED', 'Template error: no such resource']] as const;
    const { result, names } = await deploy({ stack: ['UPDATE_COMPLETE'], changeSet });

    expect(result).toEqual({ kind: 'failed', why: [`${stack.name}: no change set: Template error: no such resource`] });
    expect(names).not.toContain('execute-change-set');
  });

  test.each(['UPDATE_ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_FAILED', 'ROLLBACK_COMPLETE', 'UPDATE_FAILED'])(
    'fails when it ends as %s, and names the resources that failed, not those that were cancelled',
    async (ended) => {
      const events = [
        {
          LogicalResourceId: 'Api',
          ResourceStatus: 'UPDATE_FAILED',
          ResourceStatusReason: 'Resource update cancelled',
        },
        {
          LogicalResourceId: 'Alias',
          ResourceStatus: 'UPDATE_FAILED',
          ResourceStatusReason: 'The canary rang an alarm',
        },
        { LogicalResourceId: 'Table', ResourceStatus: 'UPDATE_COMPLETE' },
        { LogicalResourceId: 'Queue', ResourceStatus: 'CREATE_FAILED' },
      ];
      const { result } = await deploy({ stack: ['UPDATE_COMPLETE', 'UPDATE_IN_PROGRESS', ended], events });

      expect(result).toEqual({
        kind: 'failed',
        why: [
          `${stack.name}: ${ended} because`,
          '  Alias: UPDATE_FAILED The canary rang an alarm',
          '  Queue: CREATE_FAILED ',
        ],
      });
    },
  );

  test('fails when the stack is gone', async () => {
    const { result } = await deploy({ stack: ['UPDATE_COMPLETE', undefined] });

    expect(result).toEqual({ kind: 'failed', why: [`${stack.name}: DELETE_COMPLETE`] });
  });

  test('removes the protection where the environment has none', async () => {
    const { calls } = await deploy({ stack: ['UPDATE_COMPLETE'] }, { terminationProtection: false });

    expect(calls.at(-2)).toContain('--no-enable-termination-protection');
  });

  test('throws what else the AWS CLI says', async () => {
    await expect(deploy({ stack: ['DENIED'] })).rejects.toThrow('AccessDenied');
  });
});
