import { type App, Stack } from 'aws-cdk-lib';
import { CfnEventBusPolicy, CfnRule } from 'aws-cdk-lib/aws-events';
import { CfnRole } from 'aws-cdk-lib/aws-iam';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, test } from 'vitest';
import { acknowledgements, addChecks } from '../../../infra/stacks/checks.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { ofType, synthesize, synthesized } from './synthesized.ts';

test.each(environmentNames)('every finding in %s is acknowledged', (name) => {
  expect(() => synthesize(environments[name], addChecks)).not.toThrow();
});

test('every finding is acknowledged in a pinned account and another region too', () => {
  const environment = { ...environments.staging, account: '210987654321', region: 'us-east-2' };

  expect(() => synthesize(environment, addChecks, 'not validated')).not.toThrow();
});

describe('the acknowledgements', () => {
  test('are at most eight', () => {
    expect(acknowledgements.length).toBeLessThanOrEqual(8);
  });

  test.each(acknowledgements)(
    'of $rules give a reason, and are for resources that exist',
    ({ resourceTypes, reason }) => {
      const { service, stateful } = synthesized('prod');

      for (const type of resourceTypes) expect(ofType({ ...service, ...stateful }, type)).not.toEqual([]);
      expect(reason.length).toBeGreaterThan(40);
    },
  );
});

describe('a resource that breaks a rule makes the synth fail', () => {
  const synthesizeWith = (addTo: (stack: Stack) => unknown, rules: 'validated' | 'not validated') => {
    const prepare = (app: App) => {
      const stack = app.node.findChild('Service');
      if (Stack.isStack(stack)) addTo(stack);
      addChecks(app);
    };
    synthesize(environments.dev, prepare, rules);
  };

  test.each([
    // A queue that plain HTTP reaches.
    { finding: 'AwsSolutions::AwsSolutions-SQS4', addTo: (stack: Stack) => new CfnQueue(stack, 'Wrong') },
    // A target without a dead-letter queue.
    {
      finding: 'Serverless::Serverless-EventBusDLQ',
      addTo: (stack: Stack) =>
        new CfnRule(stack, 'Wrong', {
          scheduleExpression: 'rate(1 hour)',
          targets: [{ id: 'Queue', arn: stack.formatArn({ service: 'sqs', resource: 'wrong' }) }],
        }),
    },
    // A statement that lets everyone put events.
    {
      finding: 'AwsSolutions::AwsSolutions-EVB1',
      addTo: (stack: Stack) =>
        new CfnEventBusPolicy(stack, 'Wrong', {
          statementId: 'Wrong',
          statement: { Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: 'arn:aws:events:::x' },
        }),
    },
    // What CloudFormation itself would refuse, by aws-cdk-lib's own rules.
    {
      finding: 'CloudFormation-Validate::E3530',
      addTo: (stack: Stack) => new CfnRole(stack, 'Wrong', { assumeRolePolicyDocument: {} }),
    },
  ])('by $finding', ({ finding, addTo }) => {
    const rules = finding.startsWith('CloudFormation') ? 'validated' : 'not validated';

    expect(() => synthesizeWith(addTo, rules)).toThrow(finding);
  });
});
