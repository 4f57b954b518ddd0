import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { problemSchema } from '../../functions/contract/problem-answers.ts';
import { routes, unknownRouteFunction } from '../../infra/blueprint/api.ts';
import { serviceFunctions } from '../../infra/blueprint/functions.ts';
import { permissionsOf } from '../../infra/blueprint/access/roles.ts';
import { localArn } from '../../infra/local/aws/loopback.ts';
import { givenService } from '../support/given-service.ts';

const service = givenService();

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** By node:http: it sends the path as it is. */
function send(path: string, { method = 'GET', headers = {}, body }: Sent = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const { port } = new URL(service.run.baseUrl);
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers });
    request.on('error', reject);
    request.on('response', (response) => {
      const done = (read: string) =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: read });
      text(response).then(done, reject);
    });
    request.end(body);
  });
}

function tokenOf(partnerId: string): string {
  return service.run.partners.find((partner) => partner.partnerId === partnerId)?.token ?? '';
}

const credentials: readonly (readonly [string, () => Record<string, string>])[] = [
  ['without a credential', () => ({})],
  ['with a credential', () => ({ Authorization: `Bearer ${tokenOf('acme')}` })],
  ['with another credential', () => ({ Authorization: 'Basic YTpi' })],
  ['with an AWS signature', () => ({ Authorization: `AWS4-HMAC-SHA256 Credential=${localArn('iam', 'x')}` })],
];

describe.each(credentials)('%s', (_with, headers) => {
  test.each([
    '/v1',
    '/v2/cancellations',
    '/v1/no-such-address',
    '/v1/jobs',
    '/v1/cancellations/job_1/events',
    '/v1/jobs/job_1/a/b/c',
    '/v1/jobs/%2e%2e/x%2Fy',
    '//v1/cancellations',
    '/v1//cancellations',
    '/v1/cancellations//',
    '/V1/CANCELLATIONS',
    '/cancellations?externalId=order-7890',
    '/live/v1/cancellations',
    '/docs/a/b',
    '/openapi.json/x',
  ])('%s is 404 with every method', async (path) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await send(path, { method, headers: headers() });
      const problem = problemSchema.parse(JSON.parse(answer.body));

      expect([method, answer.status, problem.code]).toEqual([method, 404, 'route_not_found']);
      expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  test.each([
    ['/v1/cancellations', 'POST, GET', ['PUT', 'PATCH', 'DELETE', 'OPTIONS']],
    ['/v1/cancellations/', 'POST, GET', ['PUT']],
    ['/v1/cancellations/job_1', 'GET', ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']],
    ['/v1/jobs/job_1', 'PUT', ['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS']],
    ['/', 'GET', ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']],
    ['/docs', 'GET', ['POST', 'OPTIONS']],
    ['/problems/forbidden', 'GET', ['DELETE']],
  ])('%s is 405 with Allow: %s', async (path, allow, methods) => {
    for (const method of methods) {
      const answer = await send(path, { method, headers: headers() });
      const problem = problemSchema.parse(JSON.parse(answer.body));

      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, allow]);
      expect(problem).toMatchObject({ code: 'method_not_allowed', retryable: false });
      expect(answer.headers).toMatchObject({
        'content-type': 'application/problem+json',
        'x-content-type-options': 'nosniff',
        'x-request-id': problem.requestId,
      });
    }
  });

  test('HEAD is answered with the status and the headers alone', async () => {
    const unknown = await send('/nowhere', { method: 'HEAD', headers: headers() });
    const known = await send('/v1/cancellations', { method: 'HEAD', headers: headers() });

    expect([unknown.status, unknown.body]).toEqual([404, '']);
    expect([known.status, known.headers['allow'], known.body]).toEqual([405, 'POST, GET', '']);
  });
});

describe('whatever the body is', () => {
  test.each([
    ['text', 'text/plain', 'hello'],
    ['JSON that is broken', 'application/json', '{"a":'],
    ['XML', 'application/xml', '<a/>'],
    ['bytes', 'application/octet-stream', Buffer.from([0, 255, 254, 1])],
    ['a form', 'multipart/form-data; boundary=x', '--x--'],
    ['a content type that is none', 'x', ''],
    ['1 MB', 'application/json', Buffer.alloc(1024 * 1024, 'a')],
  ])('%s', async (_what, type, body) => {
    const headers = { Authorization: `Bearer ${tokenOf('acme')}`, 'Content-Type': type };
    const unknown = await send('/v1/cancel', { method: 'POST', headers, body });
    const known = await send('/v1/cancellations', { method: 'PATCH', headers, body });

    expect([unknown.status, known.status, known.headers['allow']]).toEqual([404, 405, 'POST, GET']);
  });
});

describe('the function behind them', () => {
  test('has no permission but for its own log lines and traces, and no variable', () => {
    expect(permissionsOf(unknownRouteFunction).map(({ resource }) => resource)).toEqual(['OwnLogGroup', 'Everything']);
    expect(serviceFunctions[unknownRouteFunction].environment).toEqual([]);
  });

  test('serves no route of a partner', () => {
    expect(routes.map((route) => route.function)).not.toContain(unknownRouteFunction);
  });
});

test('a slash at the end makes no difference to an operation', async () => {
  const headers = { Authorization: `Bearer ${tokenOf('acme')}`, 'Content-Type': 'application/json' };
  const { externalId, jobId } = await service.newJob();
  const register = await send(`/v1/jobs/${jobId}/`, { method: 'PUT', headers, body: JSON.stringify({ externalId }) });
  const cancel = await send('/v1/cancellations/', { method: 'POST', headers, body: JSON.stringify({ externalId }) });
  const show = await send(`/v1/cancellations/${jobId}/`, { headers });
  const list = await send(`/v1/cancellations/?externalId=${encodeURIComponent(externalId)}`, { headers });

  expect([register.status, cancel.status, show.status, list.status]).toEqual([200, 200, 200, 200]);
  expect(JSON.parse(show.body)).toMatchObject({ jobId, outcome: 'cancelled' });
});
