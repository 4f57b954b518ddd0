import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { parsePlangrepOrigin } from '../../../functions/adapters/plangrep/plangrep-origin.ts';
import { type EnvironmentName, environments } from '../../../infra/blueprint/environments.ts';
import { type FunctionDefinition, functionNames, serviceFunctions } from '../../../infra/blueprint/functions.ts';
import { ofType, oneOf, type Resources, synthesize, synthesized } from './synthesized.ts';

const callers = functionNames.filter((name) => {
  const { environment }: FunctionDefinition = serviceFunctions[name];
  return environment.includes('PLANGREP_BASE_URL');
});
const variablesSchema = z.object({ Variables: z.record(z.string(), z.unknown()) });
/** The address that each function that calls Plangrep has for it. */
const upstreamsOf = (resources: Resources): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    ofType(resources, 'AWS::Lambda::Function').flatMap(([, { FunctionName, Environment }]) => {
      const { Variables } = variablesSchema.parse(Environment ?? { Variables: {} });
      return 'PLANGREP_BASE_URL' in Variables ? [[String(FunctionName), Variables['PLANGREP_BASE_URL']]] : [];
    }),
  );
const allTo = (name: EnvironmentName, upstream: unknown) =>
  Object.fromEntries(callers.map((fn) => [`plangrep-cancellation-${name}-${fn}`, upstream]));

describe.each(['prod', 'staging'] as const)('%s is not a sandbox:', (name) => {
  const { service, stateful } = synthesized(name);

  test('its templates have no function, role, table or variable of a sandbox', () => {
    expect(JSON.stringify({ service, stateful })).not.toMatch(/sandbox|simulat/i);
  });

  test('no function has its own URL, or is open to every principal', () => {
    expect(ofType(service, 'AWS::Lambda::Url')).toEqual([]);
    const principals = ofType(service, 'AWS::Lambda::Permission').map(([, { Principal }]) => Principal);
    expect(principals).not.toContain('*');
    expect(principals).not.toEqual([]);
  });

  test('its functions call Plangrep itself', () => {
    expect(upstreamsOf(service)).toEqual(allTo(name, 'https://plangrep.com'));
  });
});

describe('dev is a sandbox:', () => {
  const { service, stateful } = synthesized('dev');

  test('every function that calls Plangrep calls the simulator instead', () => {
    const upstream = { 'Fn::GetAtt': [expect.stringMatching(/^Sandbox\w+FunctionUrl\w+$/), 'FunctionUrl'] };
    expect(callers.length).toBeGreaterThan(2);
    expect(upstreamsOf(service)).toEqual(allTo('dev', upstream));
  });

  test('the functions accept the origin of a function URL', () => {
    expect(parsePlangrepOrigin('https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws/')).toEqual({
      protocol: 'https:',
      hostname: 'abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws',
      port: 443,
    });
  });

  test('only the simulator is reached without IAM, by its URL and its alias', () => {
    const alias = ofType(service, 'AWS::Lambda::Alias').filter(([id]) => id.startsWith('Sandbox'));
    const open = ofType(service, 'AWS::Lambda::Permission').filter(([, { Principal }]) => Principal === '*');

    expect(oneOf(service, 'AWS::Lambda::Url')).toMatchObject({
      AuthType: 'NONE',
      Qualifier: 'live',
      TargetFunctionArn: { 'Fn::GetAtt': [expect.stringMatching(/^Sandboxsimulateplangrep/), 'Arn'] },
    });
    expect(alias).toHaveLength(1);
    expect(open.map(([, permission]) => permission)).toEqual([
      {
        Action: 'lambda:InvokeFunctionUrl',
        FunctionName: { Ref: alias[0]?.[0] },
        FunctionUrlAuthType: 'NONE',
        Principal: '*',
      },
      {
        Action: 'lambda:InvokeFunction',
        FunctionName: { Ref: alias[0]?.[0] },
        InvokedViaFunctionUrl: true,
        Principal: '*',
      },
    ]);
  });

  test('the simulator checks requests with the secret that the service reads its key from', () => {
    const secretIds = ofType(service, 'AWS::Lambda::Function').flatMap(([, { Environment }]) => {
      const { Variables } = variablesSchema.parse(Environment ?? { Variables: {} });
      return 'PLANGREP_SECRET_ID' in Variables ? [JSON.stringify(Variables['PLANGREP_SECRET_ID'])] : [];
    });
    expect(secretIds).toHaveLength(callers.length + 1);
    expect(new Set(secretIds).size).toBe(1);
  });

  test('its jobs expire, and the table goes with the sandbox', () => {
    const [[id, table] = [], ...others] = ofType(service, 'AWS::DynamoDB::GlobalTable');
    expect(others).toEqual([]);
    expect(table).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
    expect(service[String(id)]).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
    expect(JSON.stringify(stateful)).not.toMatch(/sandbox/i);
  });

  test('and "sandbox: false" makes it none', () => {
    const without = synthesize({ ...environments.dev, sandbox: false });
    expect(JSON.stringify(without.service)).not.toMatch(/sandbox|simulat/i);
    expect(upstreamsOf(without.service)).toEqual(allTo('dev', 'https://plangrep.com'));
  });
});
