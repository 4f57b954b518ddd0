import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { compressFromBytes, partnerAuthorizer, renderGatewayResponse, routes } from '../../infra/blueprint/api.ts';
import { startGateway } from '../../infra/local/aws/gateway/gateway.ts';
import { createUsagePlans } from '../../infra/local/aws/gateway/usage-plans.ts';
import { type LambdaRuntime, startLambdaRuntime } from '../../infra/local/aws/lambda/lambda-runtime.ts';
import type { Listening } from '../../infra/local/aws/loopback.ts';
import { writeFunctions } from './arrange.ts';

/** Answers by the keyId in the token. */
const authorizer = `exports.handler = async ({ type, authorizationToken, methodArn }) => {
  const keyId = authorizationToken.split('_')[2].replace(/0+$/, '');
  if (keyId === 'wrong') throw new Error('Unauthorized');
  if (keyId === 'broken') throw new Error('the table is gone');
  if (keyId === 'nonsense') return { hello: 'world' };
  const [api, stage] = methodArn.split('/');
  const Effect = keyId === 'denied' ? 'Deny' : 'Allow';
  const Resource = keyId === 'getonly' ? api + '/' + stage + '/GET/*' : api + '/' + stage + '/*';
  return { principalId: 'acme', policyDocument: { Version: '2012-10-17',
    Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] },
    context: { partnerId: 'acme', keyId, scopes: 'a b', type, count: 3 },
    usageIdentifierKey: keyId === 'planless' ? undefined : keyId === 'smaller' ? 'small' : 'large' };
};`;
/** Answers what the body asks for, else the event itself. */
const echo = `exports.handler = async (event) => {
  const wish = event.body?.startsWith('{') ? JSON.parse(event.body) : {};
  if (wish.hang) return new Promise(() => setInterval(() => undefined, 1000));
  if (wish.fail) throw new Error(wish.fail);
  return wish.answer ?? { statusCode: 200, headers: { 'X-Length': event.body?.length }, body: JSON.stringify(event) };
};`;

const eventSchema = z.looseObject({ body: z.nullable(z.string()), requestContext: z.record(z.string(), z.unknown()) });
const bearer = (keyId: string) => `Bearer pcg_local_${keyId.padEnd(12, '0')}_${'s'.repeat(43)}`;

interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

describe('the local gateway', () => {
  let lambda: LambdaRuntime;
  let gateway: Listening;
  let invoked: string[];
  let now = 0;
  const plans = {
    large: { ratePerSecond: 10_000, burst: 5_000, requestsPerDay: 1_000_000 },
    small: { ratePerSecond: 0.5, burst: 2, requestsPerDay: 3 },
  };

  /** By node:http: it sends the path as it is. */
  const call = (path: string, { method = 'GET', headers = {}, body, agent }: Call = {}) =>
    new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
      const { port } = new URL(gateway.url);
      const sent = { authorization: bearer('good'), ...headers };
      const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: sent, agent });
      request.on('error', reject);
      request.on('response', (response) => {
        const answer = (read: string) =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: read });
        text(response).then(answer, reject);
      });
      request.end(body);
    });
  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    call('/v1/cancellations', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  const seen = async (path: string, options?: Call) => eventSchema.parse(JSON.parse((await call(path, options)).body));
  const problem = ({ status, headers, body }: Awaited<ReturnType<typeof call>>) => ({
    status,
    type: headers['content-type'],
    code: z.object({ code: z.string(), requestId: z.uuid() }).parse(JSON.parse(body)).code,
  });
  const raw = (bytes: string): Promise<string> => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.write(bytes, 'latin1');
    return text(socket);
  };

  beforeAll(async () => {
    const sources = { 'authorize-partner': authorizer, 'request-cancellation': echo, 'read-cancellations': echo };
    lambda = startLambdaRuntime({ functions: writeFunctions(sources, { timeoutMs: 400 }) });
    const usagePlans = createUsagePlans(plans, () => now);
    for (const plan of Object.keys(plans))
      usagePlans.assign(usagePlans.addKey({ name: plan, value: plan })?.id ?? '', plan);
    gateway = await startGateway({
      routes,
      authorizer: partnerAuthorizer,
      gatewayResponse: renderGatewayResponse,
      usagePlans,
      minimumCompressionBytes: compressFromBytes,
      invoke: (functionName, event) => {
        invoked.push(functionName);
        return lambda.invoke(functionName, event);
      },
      now: () => now,
    });
    invoked = [];
    await post('{}');
  });
  beforeEach(() => {
    invoked = [];
    now += 60_000; // What an earlier test cached has expired.
  });
  afterAll(async () => {
    await gateway.close();
    await lambda.close();
  });

  test('passes a request on as a REST API does', async () => {
    const event = await seen('/v1/cancellations?externalId=order-7890', {
      headers: { 'X-Custom': 'One', 'X-Two': ['a', 'b'] },
    });

    expect(event).toMatchObject({
      resource: '/v1/cancellations',
      path: '/v1/cancellations',
      httpMethod: 'GET',
      headers: { 'X-Custom': 'One', 'X-Two': 'b', 'X-Forwarded-For': '127.0.0.1' },
      multiValueHeaders: { 'X-Custom': ['One'], 'X-Two': ['a', 'b'] },
      queryStringParameters: { externalId: 'order-7890' },
      pathParameters: null,
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
      requestContext: {
        authorizer: { partnerId: 'acme', keyId: 'good', scopes: 'a b', principalId: 'acme', count: '3' },
        httpMethod: 'GET',
        identity: { sourceIp: '127.0.0.1' },
        path: '/v1/cancellations',
        resourcePath: '/v1/cancellations',
        stage: 'local',
      },
    });
    expect(event.requestContext['requestId']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each(['job_1', '%2e%2e', 'a%2Fb', '..', 'a%20b', 'é', '%zz', '__proto__'])(
    'passes the path parameter %s on as received',
    async (id) => {
      const sent = Buffer.from(id, 'utf8').toString('latin1');
      const event = await seen(`/v1/cancellations/${sent}`.replace('Ã©', '%C3%A9'));

      expect(event).toMatchObject({
        resource: '/v1/cancellations/{jobId}',
        pathParameters: { jobId: id.replace('é', '%C3%A9') },
      });
    },
  );

  test('decodes the query once, and takes the last of several values', async () => {
    const event = await seen('/v1/cancellations?a=1&a=2&externalId=x%2By+z%2525%26%C3%A9&__proto__=p&empty=&bare');

    const values = { a: '2', externalId: 'x+y z%25&é', empty: '', bare: '' };
    expect(event['queryStringParameters']).toMatchObject(values);
    expect(JSON.stringify(event['queryStringParameters'])).toContain('"__proto__":"p"');
    expect(event['multiValueQueryStringParameters']).toMatchObject({ a: ['1', '2'], externalId: ['x+y z%25&é'] });
    expect((await seen('/v1/cancellations?'))['queryStringParameters']).toBeNull();
  });

  test('puts U+FFFD in the place of percent-encoded bytes that are not UTF-8', async () => {
    const event = await seen('/v1/cancellations?externalId=commande-%E9&mark=%EF%BB%BFa&odd=%zz%');

    const values = { externalId: 'commande-\ufffd', mark: '\ufeffa', odd: '%zz%' };
    expect(event['queryStringParameters']).toMatchObject(values);
  });

  test('passes the body on as text', async () => {
    const answer = await post('"π\u0000 \ud83d\ude00"');

    expect(eventSchema.parse(JSON.parse(answer.body)).body).toBe('"π\u0000 😀"');
  });

  test.each([
    ['bytes that are not UTF-8, each as U+FFFD', Buffer.from('"commande-é è"', 'latin1'), '"commande-\ufffd \ufffd"'],
    ['a byte order mark unchanged', Buffer.from('\ufeff{}'), '\ufeff{}'],
  ])('passes %s on', async (_what, bytes, body) => {
    const event = eventSchema.parse(JSON.parse((await post(bytes)).body));

    expect(event).toMatchObject({ body, isBase64Encoded: false });
  });

  test.each([
    ['a missing credential', ''],
    ['another scheme', 'Basic YTpi'],
    ['a malformed key', 'Bearer pcg_local_only'],
    ['a key with something behind it', `${bearer('good')} x`],
  ])('rejects %s without calling the authorizer', async (_what, authorization) => {
    const answer = await call('/v1/cancellations', { headers: { authorization } });

    expect(problem(answer)).toMatchObject({ status: 401, type: 'application/problem+json', code: 'unauthorized' });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(invoked).toEqual([]);
  });

  test.each([
    ['wrong', 401, 'unauthorized'],
    ['denied', 401, 'unauthorized'],
    ['broken', 503, 'temporarily_unavailable'],
    ['nonsense', 503, 'temporarily_unavailable'],
  ])('answers for the authorizer when a key is %s, without calling the function', async (keyId, status, code) => {
    const answer = await call('/v1/cancellations', { headers: { authorization: bearer(keyId) } });

    expect(problem(answer)).toMatchObject({ status, code });
    expect('retry-after' in answer.headers).toBe(status === 503);
    expect(invoked).toEqual(['authorize-partner']);
  });

  test('evaluates the cached policy for each method', async () => {
    const headers = { authorization: bearer('getonly') };
    const read = await call('/v1/cancellations', { headers });
    const write = await call('/v1/cancellations', { method: 'POST', headers });

    expect([read.status, write.status]).toEqual([200, 401]);
    expect(invoked).toEqual(['authorize-partner', 'read-cancellations']);
  });

  test('caches a policy for 60 seconds by credential, and caches no refusal', async () => {
    await call('/v1/cancellations');
    now += 59_999;
    await call('/v1/cancellations');
    const asked = () => invoked.filter((name) => name === 'authorize-partner').length;
    expect(asked()).toBe(1);

    now += 1;
    await call('/v1/cancellations');
    expect(asked()).toBe(2);

    await call('/v1/cancellations', { headers: { authorization: bearer('wrong') } });
    await call('/v1/cancellations', { headers: { authorization: bearer('wrong') } });
    expect(asked()).toBe(4);
  });

  test('refuses what is over the plan, without a call of the function, and says when a request passes again', async () => {
    const headers = { authorization: bearer('smaller') };
    const send = () => call('/v1/cancellations', { headers });
    expect([(await send()).status, (await send()).status]).toEqual([200, 200]);

    const throttled = await send();
    expect(problem(throttled)).toMatchObject({ status: 429, code: 'too_many_requests' });
    expect(throttled.headers['retry-after']).toBe('2');
    expect(invoked.filter((name) => name === 'read-cancellations')).toHaveLength(2);

    now += 2_000;
    expect((await send()).status).toBe(200);
    now += 2_000;
    const used = await send();
    expect(problem(used)).toMatchObject({ status: 429, code: 'too_many_requests' });
    expect(used.headers['retry-after']).toBe(String((86_400_000 - (now % 86_400_000)) / 1000));
    expect((await call('/v1/cancellations')).status).toBe(200);
  });

  test('refuses a body over the plan before it has arrived', async () => {
    const headers = { authorization: bearer('smaller'), 'content-type': 'application/json' };
    for (let request = 0; request < 3; request += 1) await call('/v1/cancellations', { headers });
    const refused = await call('/v1/cancellations', { method: 'POST', body: Buffer.alloc(1024 * 1024, 'a'), headers });

    expect(problem(refused)).toMatchObject({ status: 429, code: 'too_many_requests' });
  });

  test('tells a caller for whom there is no plan so', async () => {
    const answer = await call('/v1/cancellations', { headers: { authorization: bearer('planless') } });

    expect(problem(answer)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(answer.body).toContain('no usage plan is set up');
    expect(invoked).toEqual(['authorize-partner']);
  });

  test.each([
    ['GET', '/'],
    ['GET', '/v2/cancellations'],
    ['GET', '//v1/cancellations'],
    ['GET', '/v1/cancellations/a/b'],
    ['PUT', '/v1/cancellations'],
    ['DELETE', '/v1/cancellations/job_1'],
    ['OPTIONS', '/v1/cancellations'],
    ['OPTIONS', '*'],
    ['GET', '/v1//cancellations'],
  ])('does not have the route %s %s', async (method, path) => {
    expect(problem(await call(path, { method }))).toMatchObject({ status: 404, code: 'route_not_found' });
    expect(invoked).toEqual([]);
  });

  test('answers HEAD without a body', async () => {
    expect(await call('/v1/cancellations', { method: 'HEAD' })).toMatchObject({ status: 404, body: '' });
  });

  test('takes a request target in absolute form as its path', async () => {
    expect(await seen('http://elsewhere.example/v1/cancellations?a=b')).toMatchObject({
      path: '/v1/cancellations',
      queryStringParameters: { a: 'b' },
    });
    expect((await call('http://')).status).toBe(404);
  });

  test('sends the answer of the function', async () => {
    const answer = await post(
      JSON.stringify({
        answer: {
          statusCode: 202,
          headers: { Location: '/v1/cancellations/job_1', 'Retry-After': 5, 'Content-Length': '3', 'X-A': 'one' },
          multiValueHeaders: { 'X-A': ['1', '2'] },
          body: '{"é":1}',
        },
      }),
    );

    expect(answer).toMatchObject({
      status: 202,
      body: '{"é":1}',
      headers: {
        location: '/v1/cancellations/job_1',
        'retry-after': '5',
        'x-a': '1, 2',
        'content-type': 'application/json',
        'content-length': '8',
      },
    });
  });

  test.each([
    ['throws', { fail: 'secret thing' }, 500, 'internal_error'],
    ['answers without a status', { answer: { body: 'secret thing' } }, 500, 'internal_error'],
    ['answers a body that is not text', { answer: { statusCode: 200, body: { a: 1 } } }, 500, 'internal_error'],
    ['answers 101', { answer: { statusCode: 101 } }, 500, 'internal_error'],
    [
      'answers a header that HTTP does not allow',
      { answer: { statusCode: 200, headers: { 'a b': 'c\n' } } },
      500,
      'internal_error',
    ],
    ['takes too long', { hang: true }, 500, 'internal_error'],
  ])('sends its own answer when the function %s', async (_what, wish, status, code) => {
    const answer = await post(JSON.stringify(wish));

    expect(problem(answer)).toMatchObject({ status, code });
    expect(answer.body).not.toContain('secret thing');
  });

  test('rejects a body over 10 MB, or over the size limit of an invocation', async () => {
    const declared = await post(Buffer.alloc(10 * 1024 * 1024 + 1, 'a'));
    const streamed = await post(Buffer.alloc(10 * 1024 * 1024 + 1, 'a'), { 'transfer-encoding': 'chunked' });
    const forLambda = await post(Buffer.alloc(7 * 1024 * 1024, 'a'));
    const large = await post(Buffer.alloc(64 * 1024, 'a'));

    for (const answer of [declared, streamed, forLambda]) {
      expect(problem(answer)).toMatchObject({ status: 413, code: 'body_too_large' });
    }
    expect(large).toMatchObject({ status: 200, headers: { 'x-length': '65536' } });
    expect(invoked.filter((name) => name === 'request-cancellation')).toHaveLength(1);
  });

  test.each([
    ['bytes that are not HTTP', 'hello\r\n\r\n'],
    ['bytes in its path that are not ASCII', 'GET /v1/cancellations?externalId=\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an unknown method', 'FROB / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['headers over 10 KB', `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'a'.repeat(11_000)}\r\n\r\n`],
    ['two lengths', 'POST /v1/cancellations HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ])('answers %s with a problem, and still serves the next request', async (_what, bytes) => {
    const answer = await raw(bytes);

    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('"code":"invalid_request"');
    expect((await call('/v1/cancellations')).status).toBe(200);
  });

  test('is not a proxy', async () => {
    expect(await raw('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n')).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('keeps a connection for the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const first = await call('/nowhere', { method: 'POST', body: 'some body', agent });
    const second = await call('/v1/cancellations', { agent });
    agent.destroy();

    expect([first.status, second.status]).toEqual([404, 200]);
    expect(second.headers['connection']).toBe('keep-alive');
  });

  test('serves a thousand clients at once, and asks the authorizer once', async () => {
    const answers = await Promise.all(Array.from({ length: 1000 }, () => post('{}')));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1000);
    expect(invoked.filter((name) => name === 'authorize-partner')).toHaveLength(1);
  });
});
