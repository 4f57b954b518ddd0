import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { bootstrapVersion } from '../../infra/cli/preflight/check-account.ts';
import { deployedConcurrency, neededConcurrency } from '../../infra/blueprint/account/concurrency.ts';
import type { Environment } from '../../infra/blueprint/environment-schema.ts';
import { environmentNames, environments } from '../../infra/blueprint/environments.ts';
import { readAssembly } from '../../infra/deploy/read-assembly.ts';
import { addChecks } from '../../infra/stacks/checks.ts';
import { ofType, synthesize, synthesized } from './stacks/synthesized.ts';

const templateSchema = z.object({
  Parameters: z.record(z.string(), z.looseObject({ Default: z.optional(z.string()) })),
  Rules: z.record(z.string(), z.object({ Assertions: z.array(z.record(z.string(), z.unknown())) })),
});
const outputsSchema = z.object({ Outputs: z.record(z.string(), z.object({ Value: z.unknown() })) });
const { staging } = environments;
const adopted: Environment = {
  ...staging,
  account: '210987654321',
  alarmAddresses: { page: ['oncall@plangrep.com'], ticket: ['team@plangrep.com'] },
  partners: [{ partnerId: 'acme', principal: 'arn:aws:iam::310987654321:role/acme' }],
  concurrency: { ...staging.concurrency, account: 374 },
};

describe('what is reserved', () => {
  test.each([10, 50, 100, 373])('is nothing in an account of %i, which would roll the stack back', (account) => {
    const concurrency = { ...staging.concurrency, account };

    expect(deployedConcurrency(concurrency)).toMatchObject({ reserved: {}, isReduced: true });
  });

  test.each([
    [10, 2, 2, 2],
    [50, 5, 10, 10],
    [45, 5, 9, 9],
  ])(
    'of an account of %i the consumers of prod take at most a fifth each: %i, %i, %i',
    (account, events, wakeUps, callbacks) => {
      const concurrency = { ...environments.prod.concurrency, account };

      expect(deployedConcurrency(concurrency)).toMatchObject({ events, wakeUps, callbacks });
    },
  );

  test('is all of it in an account that keeps 100 beside it', () => {
    const { events, wakeUps, callbacks, reserved } = staging.concurrency;

    expect(neededConcurrency(staging.concurrency)).toBe(260 + 2 + 4 + 6 + 2 + 100);
    expect(deployedConcurrency({ ...staging.concurrency, account: 374 })).toEqual({
      events,
      wakeUps,
      callbacks,
      reserved,
      isReduced: false,
    });
  });

  test('counts provisioned instances of a function that has no reservation', () => {
    const reserved = { 'consume-events': 2 };
    const provisioned = { 'consume-events': 2, 'register-job': 3 };

    expect(neededConcurrency({ events: 2, wakeUps: 2, callbacks: 2, reserved, provisioned })).toBe(105);
  });
});

describe.each(environmentNames)('%s as it is published, in a new account of 10', (name) => {
  const { service } = synthesized(name);

  test('reserves nothing, provisions nothing, and its consumers leave four', () => {
    const mappings = ofType(service, 'AWS::Lambda::EventSourceMapping').map(([, mapping]) => mapping);
    // A stream's reader runs once for each shard at most, for milliseconds, and no setting makes that fewer.
    const ofQueues = mappings.filter(({ StartingPosition }) => StartingPosition === undefined);

    for (const [, fn] of ofType(service, 'AWS::Lambda::Function')) {
      expect(fn).not.toHaveProperty('ReservedConcurrentExecutions');
    }
    for (const [, alias] of ofType(service, 'AWS::Lambda::Alias')) {
      expect(alias).not.toHaveProperty('ProvisionedConcurrencyConfig');
    }
    expect(ofQueues.map(({ ScalingConfig }) => ScalingConfig)).toEqual([
      { MaximumConcurrency: 2 },
      { MaximumConcurrency: 2 },
      { MaximumConcurrency: 2 },
    ]);
    for (const mapping of mappings) expect(mapping).not.toHaveProperty('ParallelizationFactor');
  });
});

describe('staging with every own setting', () => {
  const { directory, service, artifact } = synthesize(adopted, undefined, 'not validated');

  test('is what the pipeline deploys into that account', () => {
    const stacks = readAssembly(directory, { account: '210987654321', partition: 'aws' });

    expect(stacks.map(({ name, region, deployRole }) => [name, region, deployRole])).toEqual(
      ['stateful', 'service'].map((part) => [
        `plangrep-cancellation-staging-${part}`,
        'eu-central-1',
        'arn:aws:iam::210987654321:role/cdk-hnb659fds-deploy-role-210987654321-eu-central-1',
      ]),
    );
  });

  test('has no finding, on its own domain too', () => {
    const certificateArn = 'arn:aws:acm:eu-central-1:210987654321:certificate/0a1b2c3d-0000-4000-8000-000000000000';
    const withDomain: Environment = { ...adopted, domain: { name: 'cancel.plangrep.com', certificateArn } };

    expect(() => synthesize(withDomain, addChecks)).not.toThrow();
  });

  test('reserves what it asks for', () => {
    const reserved = ofType(service, 'AWS::Lambda::Function').flatMap(([, properties]) => {
      const { FunctionName, ReservedConcurrentExecutions: count } = properties;
      return count === undefined ? [] : [[String(FunctionName).replace('plangrep-cancellation-staging-', ''), count]];
    });

    expect(Object.fromEntries(reserved)).toEqual(staging.concurrency.reserved);
  });

  test('asks for the bootstrap version that preflight looks for', () => {
    expect(artifact.requiresBootstrapStackVersion).toBe(bootstrapVersion);
  });

  test('is bound to its account: the CDK deploys it with no other credentials', () => {
    expect(artifact.environment).toMatchObject({ account: '210987654321', region: 'eu-central-1' });
  });

  test('is not refused', () => {
    expect(artifact.template).not.toHaveProperty('Rules.Placeholders');
    expect(artifact.template).not.toHaveProperty('Parameters.DeployAsPublished');
  });
});

describe.each(['staging', 'prod'] as const)('%s as it is published', (name) => {
  const { artifact, serviceArtifact } = synthesized(name);

  test.each([
    ['stateful', artifact],
    ['service', serviceArtifact],
  ])(
    'is refused by CloudFormation before the %s stack makes anything, unless, in staging, it is told otherwise',
    (_, { template }) => {
      const { Parameters, Rules } = templateSchema.parse(template);

      const AllowedValues = name === 'prod' ? ['no'] : ['no', 'yes'];
      expect(Parameters['DeployAsPublished']).toMatchObject({ Default: 'no', AllowedValues });
      expect(Rules['Placeholders']?.Assertions).toEqual([
        {
          Assert: { 'Fn::Equals': [{ Ref: 'DeployAsPublished' }, 'yes'] },
          AssertDescription: expect.stringMatching(
            /, (staging|prod): account must be .*; alarmAddresses .*; partners /,
          ),
        },
      ]);
    },
  );

  test('says as an output that it reserves nothing', () => {
    const { Outputs } = outputsSchema.parse(serviceArtifact.template);

    expect(Outputs['ReservedConcurrency']?.Value).toBe(
      `none: it needs ${neededConcurrency(environments[name].concurrency)} in the account, see concurrency.account`,
    );
  });
});

test('dev may be deployed as it is published, and reserves nothing that it could miss', () => {
  const { artifact, serviceArtifact } = synthesized('dev');

  expect(artifact.template).not.toHaveProperty('Rules.Placeholders');
  expect(serviceArtifact.template).not.toHaveProperty('Outputs.ReservedConcurrency');
});
