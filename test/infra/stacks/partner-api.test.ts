import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import {
  compressFromBytes,
  documentationRoutes,
  gatewayResponseHead,
  gatewayResponses,
  gatewayResponseTemplate,
  partnerAuthorizer,
  routes,
  unknownRoutes,
} from '../../../infra/blueprint/api.ts';
import { environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { ofType, oneOf, type Resources, synthesize, synthesized } from './synthesized.ts';

const ref = z.object({ Ref: z.string() });
const resourceSchema = z.object({ PathPart: z.string(), ParentId: z.unknown() });

/** A method's path, up through its resources. */
const pathOf = (resources: Resources, resourceId: unknown): string => {
  const { data } = ref.safeParse(resourceId);
  if (data === undefined) return '';
  const { PathPart, ParentId } = resourceSchema.parse(resources[data.Ref]?.Properties);
  return `${pathOf(resources, ParentId)}/${PathPart}`;
};

const types = Object.keys(gatewayResponses).filter(
  (type): type is keyof typeof gatewayResponses => type in gatewayResponses,
);

describe.each(environmentNames)('in %s', (name) => {
  const { service } = synthesized(name);
  const { throttle } = environments[name];

  describe('the REST API', () => {
    const methods = ofType(service, 'AWS::ApiGateway::Method').map(([, method]) => method);
    const stage = oneOf(service, 'AWS::ApiGateway::Stage');

    test('has the routes of infra/blueprint/api.ts and no other, each by the function that serves it', () => {
      const all = [...routes, ...documentationRoutes, ...unknownRoutes([...routes, ...documentationRoutes])];
      const deployed = methods.map(({ HttpMethod, ResourceId, Integration }) => ({
        method: HttpMethod,
        path: pathOf(service, ResourceId) || '/',
        function: /"(\w+?)Live\w+"/.exec(JSON.stringify(Integration))?.[1],
      }));

      expect(deployed).toEqual(
        expect.arrayContaining(all.map((route) => ({ ...route, function: route.function.replaceAll('-', '') }))),
      );
      expect(deployed).toHaveLength(all.length);
    });

    test('has for every resource the method ANY, and under every resource a child that takes every segment', () => {
      const resources = ofType(service, 'AWS::ApiGateway::Resource').map(([id]) => pathOf(service, { Ref: id }));
      const anyOf = methods
        .filter(({ HttpMethod }) => HttpMethod === 'ANY')
        .map(({ ResourceId }) => pathOf(service, ResourceId));

      expect(anyOf.toSorted()).toEqual(['', ...resources].toSorted());
      for (const parent of ['', ...resources].filter((path) => !path.endsWith('+}'))) {
        const children = resources.filter((path) => path.slice(0, path.lastIndexOf('/')) === parent);
        // AWS refuses a second one beside it.
        expect(children.filter((path) => path.endsWith('}'))).toHaveLength(1);
      }
    });

    test('asks for a credential everywhere but in the documentation and for what it does not have', () => {
      const authorizer = oneOf(service, 'AWS::ApiGateway::Authorizer');
      const open = methods.filter(
        ({ AuthorizationType, HttpMethod }) => AuthorizationType !== 'CUSTOM' && HttpMethod !== 'ANY',
      );

      expect(open.map(({ ResourceId }) => pathOf(service, ResourceId) || '/').toSorted()).toEqual(
        documentationRoutes.map(({ path }) => path).toSorted(),
      );
      for (const method of open) expect(method).toMatchObject({ HttpMethod: 'GET', AuthorizationType: 'NONE' });
      expect(authorizer).toMatchObject({
        Type: 'TOKEN',
        IdentitySource: 'method.request.header.Authorization',
        IdentityValidationExpression: partnerAuthorizer.identityValidationExpression,
        AuthorizerResultTtlInSeconds: partnerAuthorizer.cacheSeconds,
      });
      expect(authorizer['AuthorizerResultTtlInSeconds']).toBeLessThanOrEqual(60);
    });

    test('limits each partner by the plan of the key that the authorizer names', () => {
      const open = new Set(documentationRoutes.map(({ path }) => path));
      const plans = ofType(service, 'AWS::ApiGateway::UsagePlan').map(([, plan]) => plan);

      expect(oneOf(service, 'AWS::ApiGateway::RestApi')).toMatchObject({ ApiKeySourceType: 'AUTHORIZER' });
      for (const { ResourceId, HttpMethod, ApiKeyRequired = false } of methods) {
        expect(ApiKeyRequired).toBe(HttpMethod !== 'ANY' && !open.has(pathOf(service, ResourceId) || '/'));
      }
      expect(plans).toHaveLength(Object.keys(environments[name].plans).length);
      for (const [plan, { ratePerSecond, burst, requestsPerDay }] of Object.entries(environments[name].plans)) {
        expect(plans).toContainEqual(
          expect.objectContaining({
            UsagePlanName: `plangrep-cancellation-${name}-${plan}`,
            ApiStages: [expect.objectContaining({ Stage: { Ref: expect.stringContaining('Stagelive') } })],
            Throttle: { RateLimit: ratePerSecond, BurstLimit: burst },
            Quota: { Limit: requestsPerDay, Period: 'DAY' },
          }),
        );
      }
    });

    test.each(types)('answers %s as infra/blueprint/api.ts says', (type) => {
      const response = ofType(service, 'AWS::ApiGateway::GatewayResponse').find(
        ([, { ResponseType }]) => ResponseType === type,
      );
      const { statusCode, headers } = gatewayResponseHead(type);
      const template = gatewayResponseTemplate(type);

      expect(response?.[1]).toMatchObject({
        StatusCode: String(statusCode),
        ResponseParameters: Object.fromEntries(
          Object.entries(headers).map(([header, value]) => [`gatewayresponse.header.${header}`, `'${value}'`]),
        ),
        ResponseTemplates: { 'application/json': template, 'application/problem+json': template },
      });
    });

    test('has no other gateway response', () => {
      expect(ofType(service, 'AWS::ApiGateway::GatewayResponse')).toHaveLength(types.length);
    });

    test('is throttled, traced and counted, and traces no data', () => {
      expect(stage).toMatchObject({
        StageName: 'live',
        TracingEnabled: true,
        MethodSettings: [
          {
            HttpMethod: '*',
            ResourcePath: '/*',
            DataTraceEnabled: false,
            LoggingLevel: 'ERROR',
            MetricsEnabled: true,
            ThrottlingRateLimit: throttle.ratePerSecond,
            ThrottlingBurstLimit: throttle.burst,
          },
          // So that callers without a credential cannot use up the partners' throttle.
          ...documentationRoutes.map(({ path }) => ({
            HttpMethod: 'GET',
            ResourcePath: path === '/' ? '/' : `/${path.replaceAll('/', '~1')}`,
            DataTraceEnabled: false,
            LoggingLevel: 'ERROR',
            MetricsEnabled: true,
            ThrottlingRateLimit: 10,
            ThrottlingBurstLimit: 50,
          })),
        ],
      });
      expect(oneOf(service, 'AWS::ApiGateway::RestApi')).toMatchObject({
        EndpointConfiguration: { Types: ['REGIONAL'] },
        MinimumCompressionSize: compressFromBytes,
      });
    });

    test('logs each request as JSON, without credential, query string or body', () => {
      const { Format } = z.object({ Format: z.string() }).parse(stage['AccessLogSetting']);
      const variables = Object.values(z.record(z.string(), z.string()).parse(JSON.parse(Format)));

      for (const variable of variables) expect(variable).toMatch(/^\$context\.[A-Za-z.]+$/);
      expect(Format).not.toMatch(/header|authorizationToken|querystring|body|protocol/i);
      expect(variables).toContain('$context.requestId');
    });

    test("keeps API Gateway's own log as long as the others", () => {
      const groups = ofType(service, 'AWS::Logs::LogGroup').map(([, { LogGroupName }]) => JSON.stringify(LogGroupName));

      expect(groups).toContainEqual(
        expect.stringMatching(/"API-Gateway-Execution-Logs_",\{"Ref":"PartnerApi\w+"\},"\/live"/),
      );
    });
  });
});

test('an environment without documentation has no method without a credential, but for what it does not have', () => {
  const { service } = synthesize({ ...environments.dev, documentation: false });
  const all = ofType(service, 'AWS::ApiGateway::Method').map(([, method]) => method);
  const methods = all.filter(({ HttpMethod }) => HttpMethod !== 'ANY');

  expect(all.length - methods.length).toBe(unknownRoutes(routes).length);

  expect(methods).toHaveLength(routes.length);
  for (const method of methods) expect(method).toMatchObject({ AuthorizationType: 'CUSTOM' });
});
