import { describe, expect, test } from 'vitest';
import { problems } from '../../../functions/contract/problems.ts';
import {
  type GatewayResponse,
  gatewayResponseHead,
  gatewayResponses,
  gatewayResponseTemplate,
  type GatewayResponseType,
  renderGatewayResponse,
} from '../../../infra/blueprint/api.ts';

const isType = (name: string): name is GatewayResponseType => name in gatewayResponses;
const types = Object.keys(gatewayResponses).filter(isType);

describe("API Gateway's own answers", () => {
  test.each(types)('%s is a problem like any other', (type) => {
    const { problem, detail }: GatewayResponse = gatewayResponses[type];

    const { statusCode, headers, body } = renderGatewayResponse(type, 'request-1');

    expect(statusCode).toBe(problems[problem].status);
    expect(headers).toMatchObject({ 'Content-Type': 'application/problem+json' });
    expect(JSON.parse(body)).toEqual({
      type: `/problems/${problem}`,
      ...problems[problem],
      code: problem,
      detail,
      requestId: 'request-1',
      // API Gateway does not say what it could not read.
      ...(problem === 'invalid_request' && { errors: [{ path: '', message: 'could not be read' }] }),
    });
  });

  test.each(types)('%s has nothing in its template that API Gateway would replace, but the request id', (type) => {
    const template = gatewayResponseTemplate(type);

    expect(template.match(/[$#]/g)).toEqual(['$']);
    expect(JSON.parse(template)).toMatchObject({ requestId: '$context.requestId' });
  });

  test.each(types)('%s can be sent again exactly when it says so', (type) => {
    const { statusCode, headers } = gatewayResponseHead(type);

    expect('Retry-After' in headers).toBe(statusCode === 429 || statusCode === 503);
    expect('WWW-Authenticate' in headers).toBe(statusCode === 401);
  });

  test.each([
    ['UNAUTHORIZED', 401, 'unauthorized'],
    ['ACCESS_DENIED', 401, 'unauthorized'],
    ['MISSING_AUTHENTICATION_TOKEN', 404, 'route_not_found'],
    ['REQUEST_TOO_LARGE', 413, 'body_too_large'],
    ['INVALID_API_KEY', 403, 'forbidden'],
    ['THROTTLED', 429, 'too_many_requests'],
    ['QUOTA_EXCEEDED', 429, 'too_many_requests'],
    ['WAF_FILTERED', 429, 'too_many_requests'],
    ['AUTHORIZER_FAILURE', 503, 'temporarily_unavailable'],
    ['INTEGRATION_TIMEOUT', 504, 'gateway_timeout'],
    ['DEFAULT_5XX', 500, 'internal_error'],
  ] as const)('%s is %i %s', (type, status, code) => {
    expect(gatewayResponseHead(type).statusCode).toBe(status);
    expect(gatewayResponses[type].problem).toBe(code);
  });

  test('says the exact seconds where they are known', () => {
    const retryAfterOf = (seconds?: number) => renderGatewayResponse('THROTTLED', 'request-1', seconds).headers;

    expect(retryAfterOf()).toMatchObject({ 'Retry-After': '1' });
    expect(retryAfterOf(17)).toMatchObject({ 'Retry-After': '17', 'Content-Type': 'application/problem+json' });
  });

  test('keeps a request id as it is, whatever characters it has', () => {
    expect(JSON.parse(renderGatewayResponse('DEFAULT_4XX', "$&$'").body)).toMatchObject({ requestId: "$&$'" });
  });
});
