import { describe, expect, test } from 'vitest';
import type { Environment } from '../../infra/blueprint/environment-schema.ts';
import { environmentNames, environments } from '../../infra/blueprint/environments.ts';
import { functionNames } from '../../infra/blueprint/functions.ts';
import { ofType, oneOf, synthesize, synthesized } from './synthesized.ts';

const canaries = environmentNames.filter((name) => environments[name].rollout === 'canary');

test('staging and prod are rolled out as canaries, dev at once', () => {
  expect(canaries).toEqual(['staging', 'prod']);
  expect(JSON.stringify(synthesized('dev').service)).not.toContain('AWS::CodeDeploy');
});

describe.each(canaries)('a new version in %s', (name) => {
  const { service } = synthesized(name);
  const groups = ofType(service, 'AWS::CodeDeploy::DeploymentGroup');

  test.each(functionNames)('of %s gets a tenth of the traffic first, and is rolled back on an alarm', (fn) => {
    const alias = Object.entries(service).find(
      ([id, { Type }]) => Type === 'AWS::Lambda::Alias' && id.startsWith(`${fn.replaceAll('-', '')}Live`),
    );
    const [id, group] = groups.find(([logicalId]) => logicalId.startsWith(`Rollout${fn.replaceAll('-', '')}`)) ?? [];

    expect(alias?.[1]).toMatchObject({
      UpdatePolicy: { CodeDeployLambdaAliasUpdate: { DeploymentGroupName: { Ref: id } } },
    });
    expect(group).toMatchObject({
      DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes',
      AutoRollbackConfiguration: { Enabled: true, Events: expect.arrayContaining(['DEPLOYMENT_STOP_ON_ALARM']) },
      AlarmConfiguration: {
        Enabled: true,
        Alarms: [
          { Name: { Ref: expect.stringContaining('Answersare5xx') } },
          { Name: { Ref: expect.stringContaining('Functionsfail') } },
        ],
      },
    });
  });
});

describe.each(environmentNames)('the firewall of %s', (name) => {
  const { service } = synthesized(name);
  const acl = oneOf(service, 'AWS::WAFv2::WebACL');

  test('protects the stage, and limits each credential and each address', () => {
    const limit = (Limit: number, AggregateKeyType: string) => ({
      Action: { Block: {} },
      Statement: { RateBasedStatement: { Limit, AggregateKeyType, EvaluationWindowSec: 300 } },
    });

    expect(oneOf(service, 'AWS::WAFv2::WebACLAssociation')).toMatchObject({
      ResourceArn: { 'Fn::Join': ['', expect.arrayContaining([expect.stringContaining('/stages/')])] },
    });
    expect(acl['Rules']).toEqual([
      expect.objectContaining({ Name: 'AWSManagedRulesAmazonIpReputationList' }),
      expect.objectContaining({ Name: 'AWSManagedRulesKnownBadInputsRuleSet' }),
      expect.objectContaining({ Name: 'PerCredential' }),
      expect.objectContaining({ Name: 'PerAddress' }),
    ]);
    expect(acl).toMatchObject({
      Scope: 'REGIONAL',
      Rules: [
        {},
        {},
        limit(environments[name].firewall.perCredential, 'CUSTOM_KEYS'),
        limit(environments[name].firewall.perAddress, 'IP'),
      ],
    });
  });

  test('logs neither credential nor query string, and takes no samples', () => {
    expect(oneOf(service, 'AWS::WAFv2::LoggingConfiguration')).toMatchObject({
      RedactedFields: [{ SingleHeader: { Name: 'authorization' } }, { QueryString: {} }],
    });
    expect(JSON.stringify(acl)).not.toContain('"SampledRequestsEnabled":true');
  });
});

describe('an environment with a domain', () => {
  const environment: Environment = {
    ...environments.prod,
    domain: {
      name: 'cancellations.example.com',
      certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-0000-4000-8000-000000000000',
      mutualTls: { bucketName: 'trust-store', key: 'partners.pem', version: 'v-1' },
      hostedZone: { id: 'Z0000000000000', name: 'example.com' },
    },
  };
  const { service } = synthesize(environment);

  test('asks for client certificates of exactly the tested version of the trust store', () => {
    expect(oneOf(service, 'AWS::ApiGateway::DomainName')).toMatchObject({
      DomainName: 'cancellations.example.com',
      SecurityPolicy: 'TLS_1_2',
      EndpointConfiguration: { Types: ['REGIONAL'] },
      MutualTlsAuthentication: { TruststoreUri: 's3://trust-store/partners.pem', TruststoreVersion: 'v-1' },
    });
  });

  test('answers under no other name', () => {
    expect(oneOf(service, 'AWS::ApiGateway::RestApi')).toMatchObject({ DisableExecuteApiEndpoint: true });
    expect(oneOf(synthesized('prod').service, 'AWS::ApiGateway::RestApi')['DisableExecuteApiEndpoint']).not.toBe(true);
  });

  test('has its DNS record', () => {
    expect(oneOf(service, 'AWS::Route53::RecordSet')).toMatchObject({ Name: 'cancellations.example.com.', Type: 'A' });
  });
});

describe('an environment with an existing bus, warm functions, and no partner that sends events', () => {
  const { service } = synthesize({
    ...environments.prod,
    eventBusName: 'central',
    partners: [],
    setsApiGatewayLogRole: false,
    concurrency: { events: 2, provisioned: { 'request-cancellation': 3 } },
  });

  test('announces closed cancellations on that bus, and creates none', () => {
    expect(ofType(service, 'AWS::Events::EventBus')).toEqual([]);
    expect(oneOf(service, 'AWS::Pipes::Pipe')).toMatchObject({
      Target: { 'Fn::Join': ['', expect.arrayContaining([expect.stringMatching(/:event-bus\/central$/)])] },
    });
  });

  test('has no rule for events', () => {
    const rules = ofType(service, 'AWS::Events::Rule').map(([id]) => id);

    expect(rules).toEqual([expect.stringMatching(/^Schedule/)]);
  });

  test('keeps the alias warm', () => {
    expect(oneOf(service, 'AWS::Lambda::Alias', 'requestcancellation')).toMatchObject({
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 3 },
    });
  });

  test("leaves API Gateway's role in the account as it is", () => {
    expect(ofType(service, 'AWS::ApiGateway::Account')).toEqual([]);
  });
});
