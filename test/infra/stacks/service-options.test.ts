import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { problemSchema } from '../../../functions/contract/problem-answers.ts';
import { problems } from '../../../functions/contract/problems.ts';
import { gatewayResponseHead, partnerAuthorizer } from '../../../infra/blueprint/api.ts';
import type { Environment } from '../../../infra/blueprint/environment-schema.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { functionNames } from '../../../infra/blueprint/functions.ts';
import { ofType, oneOf, synthesize, synthesized } from './synthesized.ts';

const rulesSchema = z.array(z.object({ Name: z.string(), Statement: z.unknown(), Action: z.optional(z.unknown()) }));
const bodiesSchema = z.object({ Refused: z.object({ ContentType: z.string(), Content: z.string() }) });
const canaries = environmentNames.filter((name) => environments[name].rollout === 'canary');

test('staging and prod are rolled out as canaries, dev at once', () => {
  expect(canaries).toEqual(['staging', 'prod']);
  expect(JSON.stringify(synthesized('dev').service)).not.toContain('AWS::CodeDeploy');
});

describe.each(canaries)('a new version in %s', (name) => {
  const { service } = synthesized(name);
  const groups = ofType(service, 'AWS::CodeDeploy::DeploymentGroup');

  test.each(functionNames)('of %s gets a tenth of the traffic first, and is rolled back on its own alarm', (fn) => {
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
      AlarmConfiguration: { Enabled: true },
    });
  });
});

describe.each(environmentNames)('the firewall of %s', (name) => {
  const { service } = synthesized(name);
  const acl = oneOf(service, 'AWS::WAFv2::WebACL');

  const rules = rulesSchema.parse(acl['Rules']);
  const { firewall, plans } = environments[name];

  test('protects the stage', () => {
    expect(oneOf(service, 'AWS::WAFv2::WebACLAssociation')).toMatchObject({
      ResourceArn: { 'Fn::Join': ['', expect.arrayContaining([expect.stringContaining('/stages/')])] },
    });
    expect(acl).toMatchObject({ Scope: 'REGIONAL', DefaultAction: { Allow: {} } });
    expect(rules.map((rule) => rule.Name)).toEqual([
      'AWSManagedRulesAmazonIpReputationList',
      'AWSManagedRulesKnownBadInputsRuleSet',
      'PerCredential',
      'PerAddress',
    ]);
  });

  test('counts a credential in its one spelling, and every request for its address', () => {
    const [, , credential, address] = rules;

    expect(credential?.Statement).toEqual({
      RateBasedStatement: {
        Limit: firewall.perCredential,
        EvaluationWindowSec: 300,
        AggregateKeyType: 'CUSTOM_KEYS',
        CustomKeys: [{ Header: { Name: 'Authorization', TextTransformations: [{ Priority: 0, Type: 'LOWERCASE' }] } }],
        ScopeDownStatement: {
          RegexMatchStatement: {
            FieldToMatch: { SingleHeader: { Name: 'authorization' } },
            RegexString: partnerAuthorizer.identityValidationExpression,
            TextTransformations: [{ Priority: 0, Type: 'NONE' }],
          },
        },
      },
    });
    expect(address?.Statement).toEqual({
      RateBasedStatement: { Limit: firewall.perAddress, EvaluationWindowSec: 300, AggregateKeyType: 'IP' },
    });
  });

  test('leaves the answer to API Gateway where a rate is over, since WAF knows no problem+json', () => {
    for (const rule of rules.slice(2)) expect(rule.Action).toEqual({ Block: {} });
    expect(gatewayResponseHead('WAF_FILTERED')).toMatchObject({
      statusCode: 429,
      headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '300' },
    });
  });

  test('answers 403 by itself where another rule blocks', () => {
    const groupSchema = z.object({
      ManagedRuleGroupStatement: z.object({ RuleActionOverrides: z.array(z.unknown()) }),
    });
    for (const rule of rules.slice(0, 2)) {
      const { RuleActionOverrides } = groupSchema.parse(rule.Statement).ManagedRuleGroupStatement;
      expect(RuleActionOverrides.length).toBeGreaterThan(1);
      for (const override of RuleActionOverrides) {
        expect(override).toMatchObject({
          ActionToUse: {
            Block: {
              CustomResponse: {
                ResponseCode: 403,
                CustomResponseBodyKey: 'Refused',
                // WAF refuses `content-type` here.
                ResponseHeaders: [
                  { Name: 'Cache-Control', Value: 'no-store' },
                  { Name: 'X-Content-Type-Options', Value: 'nosniff' },
                ],
              },
            },
          },
        });
      }
    }
    const { Refused } = bodiesSchema.parse(acl['CustomResponseBodies']);
    expect(Refused.ContentType).toBe('APPLICATION_JSON');
    // WAF's limit for one body.
    expect(Buffer.byteLength(Refused.Content)).toBeLessThanOrEqual(4096);
    expect(problemSchema.parse(JSON.parse(Refused.Content))).toEqual({
      type: '/problems/forbidden',
      title: problems.forbidden.title,
      status: 403,
      code: 'forbidden',
      detail: expect.stringContaining('firewall'),
      retryable: false,
      requestId: 'none',
    });
  });

  test.each(Object.entries(plans))('lets through at least twice what the plan %s does', (_, plan) => {
    const most = 300 * plan.ratePerSecond + plan.burst;

    expect(firewall.perCredential).toBeGreaterThanOrEqual(2 * most);
    expect(firewall.perAddress).toBeGreaterThanOrEqual(2 * most);
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

  test('takes TLS 1.2 and newer, also where API Gateway’s own address is used', () => {
    expect(oneOf(synthesized('prod').service, 'AWS::ApiGateway::RestApi')).toMatchObject({
      SecurityPolicy: 'SecurityPolicy_TLS13_1_2_2021_06',
      EndpointAccessMode: 'STRICT',
    });
    expect(oneOf(service, 'AWS::ApiGateway::RestApi')).not.toHaveProperty('SecurityPolicy');
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
    concurrency: { account: 103, events: 2, wakeUps: 2, callbacks: 2, provisioned: { 'request-cancellation': 3 } },
  });

  test('announces closed cancellations on that bus, and creates none', () => {
    expect(ofType(service, 'AWS::Events::EventBus')).toEqual([]);
    expect(oneOf(service, 'AWS::Lambda::Function', 'announcecancellations')).toMatchObject({
      Environment: { Variables: { EVENT_BUS_NAME: 'central' } },
    });
  });

  test('has no rule for events', () => {
    const rules = ofType(service, 'AWS::Events::Rule').map(([id]) => id);

    expect(rules.map((id) => id.replace(/[0-9A-F]{8}$/, '')).toSorted()).toEqual([
      'ArchivingRule',
      'ScheduleCallbacksRule',
      'ScheduleRule',
    ]);
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
