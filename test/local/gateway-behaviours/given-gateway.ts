import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import * as z from 'zod/mini';
import { authorizationForm } from '../../../functions/contract/credential.ts';
import type { GatewayFault, GatewayResponseType } from '../../../infra/local/aws/gateway/answer-request.ts';
import { startGateway } from '../../../infra/local/aws/gateway/gateway.ts';
import { createUsagePlans } from '../../../infra/local/aws/gateway/usage-plans.ts';
import { type LambdaRuntime, startLambdaRuntime } from '../../../infra/local/aws/lambda/lambda-runtime.ts';
import type { Listening } from '../../../infra/local/aws/loopback.ts';
import { writeFunctions } from '../arrange.ts';

/** A REST API that has some of everything. `/open/…` needs no credential. */
const routes = [
  { method: 'GET', path: '/things', function: 'echo' },
  { method: 'POST', path: '/things', function: 'echo' },
  { method: 'GET', path: '/things/named', function: 'echo' },
  { method: 'GET', path: '/things/{id}', function: 'echo' },
];
const publicRoutes = [
  { method: 'POST', path: '/open', function: 'echo' },
  { method: 'ANY', path: '/open/{proxy+}', function: 'echo' },
  { method: 'GET', path: '/open/mixed', function: 'mixed' },
  { method: 'ANY', path: '/open/mixed', function: 'echo' },
  { method: 'ANY', path: '/{proxy+}', function: 'echo' },
];

/** Answers by the keyId in the token. */
const authorizer = `exports.handler = async (event) => {
  const keyId = event.authorizationToken.split('_')[2].replace(/0+$/, '');
  if (keyId === 'wrong') throw new Error('Unauthorized');
  if (keyId === 'broken') throw new Error('Error: Invalid token');
  if (keyId === 'nopolicy') return { principalId: 'acme' };
  const [api, stage] = event.methodArn.split('/');
  const statement = (Effect, path) => ({ Action: 'execute-api:Invoke', Effect, Resource: api + '/' + stage + path });
  const all = { denied: [statement('Deny', '/*')], both: [statement('Allow', '/*'), statement('Deny', '/GET/*')],
    getonly: [statement('Allow', '/GET/things')], silent: [] };
  return { principalId: 'acme', policyDocument: { Version: '2012-10-17', Statement: all[keyId] ?? [statement('Allow', '/*')] },
    context: { text: 'value', number: 1, yes: true, seen: JSON.stringify(event) },
    usageIdentifierKey: keyId === 'planless' ? undefined : keyId === 'small' || keyId === 'little' ? keyId : 'large' };
};`;
/** Answers what the body asks for, else the event itself. */
const echo = `exports.handler = async (event) => {
  const wish = event.body?.startsWith('{"wish"') ? JSON.parse(event.body).wish : {};
  if (wish.hang) return new Promise(() => setInterval(() => undefined, 1000));
  if (wish.crash) process.exit(3);
  if (wish.fail) throw new Error(wish.fail);
  if (wish.bytes) return { statusCode: 200, body: 'x'.repeat(wish.bytes) };
  return 'answer' in wish ? wish.answer : { statusCode: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(event) };
};`;
const mixed = 'exports.handler = async () => ({ statusCode: 200, body: "the method itself" });';

/** The statuses that AWS documents for responses that were not customized; 502 is what a failed function gets. */
const defaultStatus: Readonly<Record<GatewayResponseType, number>> = {
  MISSING_AUTHENTICATION_TOKEN: 403,
  INVALID_SIGNATURE: 403,
  UNAUTHORIZED: 401,
  ACCESS_DENIED: 403,
  AUTHORIZER_FAILURE: 500,
  AUTHORIZER_CONFIGURATION_ERROR: 500,
  INVALID_API_KEY: 403,
  THROTTLED: 429,
  QUOTA_EXCEEDED: 429,
  REQUEST_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INTEGRATION_TIMEOUT: 504,
  DEFAULT_4XX: 400,
  DEFAULT_5XX: 502,
};

const eventSchema = z.looseObject({
  resource: z.string(),
  path: z.string(),
  httpMethod: z.string(),
  headers: z.record(z.string(), z.string()),
  multiValueHeaders: z.record(z.string(), z.array(z.string())),
  requestContext: z.looseObject({ identity: z.looseObject({}) }),
  body: z.nullable(z.string()),
});
export type SeenEvent = z.infer<typeof eventSchema>;

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly bytes: Buffer;
  readonly body: string;
  /** The type of the gateway's own answer, if it is one. */
  readonly refused: string | undefined;
}

/** The local gateway with a small API, without customized gateway responses, and what a row does with it. */
export interface TestedGateway {
  readonly call: (path: string, call?: Call) => Promise<Answer>;
  /** What the function got. */
  readonly event: (path: string, call?: Call) => Promise<SeenEvent>;
  /** What the client gets of a function's answer. @param wish see `echo` */
  readonly wish: (wish: object, headers?: Call['headers']) => Promise<Answer>;
  /** Bytes as they are. @returns the answer as text */
  readonly raw: (bytes: string) => Promise<string>;
  /** Which functions were called during the row. */
  readonly invoked: readonly string[];
  /** A credential. @param keyId see `authorizer` */
  readonly bearer: (keyId: string) => Record<string, string>;
  /** Lets time pass. */
  readonly wait: (ms: number) => void;
  /** Until the end of the row. */
  readonly fault: (fault: GatewayFault) => void;
}

/** Starts it for all tests of a file. Between two of them an hour passes. */
export function givenGateway(): TestedGateway {
  let lambda: LambdaRuntime;
  let gateway: Listening;
  let now = Date.UTC(2026, 1, 20, 22, 48, 57);
  let fault: GatewayFault | undefined;
  const invoked: string[] = [];
  const plans = {
    large: { ratePerSecond: 10_000, burst: 5_000, requestsPerDay: 1_000_000 },
    small: { ratePerSecond: 1, burst: 2, requestsPerDay: 1_000 },
    little: { ratePerSecond: 100, burst: 100, requestsPerDay: 1 },
  };

  const call: TestedGateway['call'] = (path, { method = 'GET', headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const { port } = new URL(gateway.url);
      const copied = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
      );
      const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: copied });
      request.on('error', reject);
      request.on('response', (response) => {
        const done = (bytes: Buffer) => {
          const { statusCode: status = 0, headers: got } = response;
          const refused = got['x-response-type'];
          resolve({ status, headers: got, bytes, body: bytes.toString(), refused: refused && String(refused) });
        };
        buffer(response).then(done, reject);
      });
      request.end(body);
    });

  beforeAll(async () => {
    lambda = startLambdaRuntime({ functions: writeFunctions({ authorizer, echo, mixed }, { timeoutMs: 700 }) });
    const usagePlans = createUsagePlans(plans, () => now);
    for (const plan of Object.keys(plans)) {
      usagePlans.assign(usagePlans.addKey({ name: plan, value: plan })?.id ?? '', plan);
    }
    gateway = await startGateway({
      routes,
      publicRoutes,
      authorizer: { function: 'authorizer', identityValidationExpression: authorizationForm, cacheSeconds: 60 },
      gatewayResponse: (type, _requestId, retryAfterSeconds) => ({
        statusCode: defaultStatus[type],
        headers: {
          'Content-Type': 'application/json',
          'X-Response-Type': type,
          'X-Seconds': String(retryAfterSeconds),
        },
        body: '{"message":"Refused"}',
      }),
      usagePlans,
      minimumCompressionBytes: 1_000,
      invoke: (functionName, event) => {
        invoked.push(functionName);
        return lambda.invoke(functionName, event);
      },
      fault: () => fault,
      now: () => now,
    });
    await call('/open', { method: 'POST', body: '{}' });
  });
  beforeEach(() => {
    invoked.length = 0;
    fault = undefined;
    now += 3_600_000;
  });
  afterAll(async () => {
    await gateway.close();
    await lambda.close();
  });

  return {
    call,
    event: async (path, options) => eventSchema.parse(JSON.parse((await call(path, options)).body)),
    wish: (wish, headers = {}) =>
      call('/open', {
        method: 'POST',
        body: JSON.stringify({ wish }),
        headers: { 'Content-Type': 'application/json', ...headers },
      }),
    raw: (bytes) => {
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      socket.write(bytes, 'latin1');
      return text(socket);
    },
    invoked,
    bearer: (keyId) => ({ Authorization: `Bearer pcg_local_${keyId.padEnd(12, '0')}_${'s'.repeat(43)}` }),
    wait: (ms) => {
      now += ms;
    },
    fault: (given) => {
      fault = given;
    },
  };
}
