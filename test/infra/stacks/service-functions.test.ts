import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { LEASE_MS } from '../../../functions/core/cancellation/pace.ts';
import type { Environment } from '../../../infra/blueprint/environment-schema.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import {
  type FunctionDefinition,
  functionNames,
  functions,
  sandboxFunctionNames,
} from '../../../infra/blueprint/functions.ts';
import { ofType, oneOf, root, synthesized } from './synthesized.ts';

const assetsSchema = z.object({
  files: z.record(z.string(), z.object({ source: z.object({ path: z.string(), packaging: z.string() }) })),
});
const codeSchema = z.object({ S3Key: z.string() });
const variablesSchema = z.object({ Variables: z.record(z.string(), z.unknown()) });

describe.each(environmentNames)('in %s', (name) => {
  const { directory, service, stateful } = synthesized(name);
  const { removalPolicy, logRetentionDays, sandbox }: Environment = environments[name];
  const deployedNames = [...functionNames, ...(sandbox === true ? sandboxFunctionNames : [])];
  const { files } = assetsSchema.parse(JSON.parse(readFileSync(join(directory, 'Service.assets.json'), 'utf8')));
  const propertiesOf = (fn: string) => {
    const found = ofType(service, 'AWS::Lambda::Function').find(
      ([, { FunctionName }]) => FunctionName === `plangrep-cancellation-${name}-${fn}`,
    );
    if (found === undefined) throw new Error(`no function ${fn}`);
    return { id: found[0], properties: found[1] };
  };

  test('every function of infra/blueprint/functions.ts is deployed, those of a sandbox only in a sandbox, and no other', () => {
    const deployed = ofType(service, 'AWS::Lambda::Function').map(([, { FunctionName }]) => FunctionName);

    expect(deployed.map(String).toSorted()).toEqual(
      deployedNames.map((fn) => `plangrep-cancellation-${name}-${fn}`).toSorted(),
    );
  });

  test.each(deployedNames)('%s runs as it is defined', (fn) => {
    const { timeoutSeconds, memoryMb, environment }: FunctionDefinition<string> = functions[fn];
    const { properties } = propertiesOf(fn);
    const { Variables } = variablesSchema.parse(properties['Environment'] ?? { Variables: {} });

    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Timeout: timeoutSeconds,
      MemorySize: memoryMb,
      LoggingConfig: { LogFormat: 'JSON' },
      TracingConfig: { Mode: 'Active' },
    });
    expect(Object.keys(Variables).toSorted()).toEqual([...environment].toSorted());
    // As published: a new account holds nothing to reserve from. test/infra/account.test.ts has the others.
    expect(properties['ReservedConcurrentExecutions']).toBeUndefined();
  });

  test.each(deployedNames)('%s is byte for byte the tested bundle', (fn) => {
    const { S3Key } = codeSchema.parse(propertiesOf(fn).properties['Code']);
    const source = files[S3Key.replace(/\.zip$/, '')]?.source;
    const asset = join(directory, source?.path ?? '');
    const bundle = join(root, 'dist/functions', fn);

    expect(source?.packaging).toBe('zip');
    expect(readdirSync(asset).toSorted()).toEqual(readdirSync(bundle).toSorted());
    for (const file of readdirSync(bundle)) {
      expect(readFileSync(join(asset, file)).equals(readFileSync(join(bundle, file)))).toBe(true);
    }
  });

  // The sealer holds no claim.
  test.each(deployedNames.filter((fn) => fn !== 'seal-archive'))('%s ends before a lease does', (fn) => {
    expect(Number(propertiesOf(fn).properties['Timeout']) * 1_000).toBeLessThan(LEASE_MS);
  });

  test.each(deployedNames)('%s is called only by its alias, and outside dev its previous version is kept', (fn) => {
    const { id } = propertiesOf(fn);
    const alias = ofType(service, 'AWS::Lambda::Alias').find(
      ([, { FunctionName }]) => JSON.stringify(FunctionName) === JSON.stringify({ Ref: id }),
    );
    const version = Object.values(service).find(
      ({ Type, Properties }) =>
        Type === 'AWS::Lambda::Version' && JSON.stringify(Properties['FunctionName']) === JSON.stringify({ Ref: id }),
    );
    const callers = JSON.stringify([
      ...ofType(service, 'AWS::ApiGateway::Method'),
      ...ofType(service, 'AWS::ApiGateway::Authorizer'),
      ...ofType(service, 'AWS::Events::Rule'),
      ...ofType(service, 'AWS::Lambda::EventSourceMapping'),
      ...ofType(service, 'AWS::Lambda::Permission'),
    ]);

    expect(alias?.[1]).toMatchObject({ Name: 'live' });
    expect(version).toMatchObject({ DeletionPolicy: removalPolicy === 'retain' ? 'Retain' : 'Delete' });
    expect(callers).toContain(alias?.[0]);
    expect(callers).not.toContain(`"${id}"`);
  });

  test('every log group has the retention of the environment', () => {
    const groups = ofType(service, 'AWS::Logs::LogGroup');

    for (const [id, { RetentionInDays }] of groups)
      expect({ id, RetentionInDays }).toEqual({ id, RetentionInDays: logRetentionDays });
    expect(groups.length).toBeGreaterThanOrEqual(functionNames.length + 2);
  });

  test('every function has its own log group', () => {
    const groups = ofType(service, 'AWS::Lambda::Function').map(([, { LoggingConfig }]) =>
      JSON.stringify((LoggingConfig as { LogGroup: unknown }).LogGroup),
    );

    expect(new Set(groups).size).toBe(deployedNames.length);
  });

  test('no template has a secret, or anything that CloudFormation resolves to one', () => {
    const text = JSON.stringify({ service, stateful });

    expect(text.match(/\{\{resolve:|"SecretString"|pcg_[a-z]+_[A-Za-z0-9]{12}_/g)).toBeNull();
  });

  test('in dev nothing of the service stack outlives it, and everything stateful is in the other stack', () => {
    const types = Object.values(service).map(({ Type }) => Type);

    // Except the state of a sandbox's jobs, whose loss does no harm.
    if (sandbox !== true) expect(types).not.toContain('AWS::DynamoDB::GlobalTable');
    expect(types).not.toContain('AWS::SecretsManager::Secret');
    const kept = Object.entries(service).filter(([, { DeletionPolicy }]) => DeletionPolicy === 'Retain');
    const account = kept.filter(([, { Type }]) => Type === 'AWS::ApiGateway::Account' || Type === 'AWS::IAM::Role');
    if (name === 'dev') expect(kept).toEqual(account);
  });

  test('the reconciler is started every minute, and a failed run is kept, as one that finds callbacks', () => {
    const rule = oneOf(service, 'AWS::Events::Rule', 'ScheduleRule');
    const missed = { 'Fn::GetAtt': [expect.stringMatching(/^ScheduleMissed/), 'Arn'] };

    expect(rule).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [
        {
          DeadLetterConfig: { Arn: missed },
          RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 1 },
        },
      ],
    });
    for (const fn of ['reconcilecancellations', 'delivercallbacks']) {
      expect(oneOf(service, 'AWS::Lambda::EventInvokeConfig', fn)).toMatchObject({
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: missed } },
      });
    }
  });
});
