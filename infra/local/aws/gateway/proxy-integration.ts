import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import type { InvocationResult } from '../lambda/container.ts';
import { localAccount } from '../loopback.ts';
import type { MatchedRoute, RequestTarget } from './match-route.ts';

/** An answer for the client. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Buffer;
}

/** The API's id and its stage. */
export const apiId = 'local';
export const stage = 'local';

export interface ProxyEventInput {
  readonly request: IncomingMessage;
  readonly target: RequestTarget;
  readonly matched: MatchedRoute;
  readonly requestId: string;
  /** The authorizer's context. */
  readonly authorizer: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly nowMs: number;
}

/**
 * The event of a Lambda proxy integration: path and path parameters as received, the query decoded once, the last value of
 * a name in the single-value maps.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
 */
export function toProxyEvent(input: ProxyEventInput): APIGatewayProxyEvent {
  const { request, target, matched, requestId, body } = input;
  const resource = matched.route.path;
  const method = request.method ?? '';
  const headers = group(headerPairs(request)) ?? {};
  const query = group(new URLSearchParams(target.query));
  return {
    resource,
    path: target.path,
    httpMethod: method,
    headers: lastOf(headers),
    multiValueHeaders: headers,
    queryStringParameters: query === null ? null : lastOf(query),
    multiValueQueryStringParameters: query,
    pathParameters: matched.pathParameters,
    stageVariables: null,
    requestContext: {
      accountId: localAccount,
      apiId,
      authorizer: { ...input.authorizer },
      protocol: `HTTP/${request.httpVersion}`,
      httpMethod: method,
      identity: { ...noIdentity, sourceIp: request.socket.remoteAddress ?? '127.0.0.1' },
      path: target.path,
      requestId,
      requestTimeEpoch: input.nowMs,
      resourceId: 'local',
      resourcePath: resource,
      stage,
    },
    // The API has no binary media types: API Gateway decodes every body as UTF-8, and puts U+FFFD where it is not.
    body: body.length === 0 ? null : body.toString('utf8'),
    isBase64Encoded: false,
  };
}

const noIdentity = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userAgent: null,
  userArn: null,
};

function headerPairs({ rawHeaders, socket }: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) pairs.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  pairs.push(['X-Forwarded-For', socket.remoteAddress ?? '127.0.0.1'], ['X-Forwarded-Proto', 'http']);
  return pairs;
}

/** All values of each name in order of appearance; null when there are none. */
function group(pairs: Iterable<readonly [string, string]>): Record<string, string[]> | null {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  // `fromEntries` defines own properties: a parameter with the name `__proto__` is an ordinary one.
  return values.size > 0 ? Object.fromEntries(values) : null;
}

function lastOf(values: Record<string, string[]>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.at(-1)]));
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const answerSchema = z.object({
  statusCode: z.int().check(z.gte(200), z.lte(599)),
  headers: z.optional(z.nullable(z.record(z.string(), scalar))),
  multiValueHeaders: z.optional(z.nullable(z.record(z.string(), z.array(scalar)))),
  body: z.optional(z.nullable(z.string())),
  isBase64Encoded: z.optional(z.boolean()),
});

/** Only the gateway sets these: a function cannot. */
const framing = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade']);

/**
 * The answer of a Lambda proxy integration.
 * @param otherwise when the function failed, timed out, or answered in another form: to API Gateway these are the same
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function toHttpAnswer(result: InvocationResult, otherwise: () => HttpAnswer): HttpAnswer {
  const { success, data } = answerSchema.safeParse(result.kind === 'answered' ? result.payload : undefined);
  if (!success) return otherwise();
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = data;
  const all = Object.entries({ ...headers, ...multiValueHeaders })
    .filter(([name]) => !framing.has(name.toLowerCase()))
    .map(([name, value]): [string, string | string[]] => [
      name,
      Array.isArray(value) ? value.map(String) : String(value),
    ]);
  const isTyped = all.some(([name]) => name.toLowerCase() === 'content-type');
  return {
    statusCode,
    headers: Object.fromEntries(isTyped ? all : [...all, ['Content-Type', 'application/json']]),
    body: isBase64Encoded === true ? Buffer.from(body ?? '', 'base64') : (body ?? ''),
  };
}
