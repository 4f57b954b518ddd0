import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import type { InvocationResult } from '../lambda/container.ts';
import { localAccount } from '../loopback.ts';
import type { MatchedRoute, RequestTarget } from './match-route.ts';
import { type HeaderPair, headersForFunction, nameInAnswer, newTraceId } from './message-headers.ts';

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
  /** The request's own, unless it names another. */
  readonly method: string;
  readonly target: RequestTarget;
  readonly matched: MatchedRoute;
  readonly requestId: string;
  /** The authorizer's context. @default the method has no authorizer */
  readonly authorizer?: Readonly<Record<string, string>> | undefined;
  readonly body: Buffer;
  readonly nowMs: number;
}

/**
 * The event of a Lambda proxy integration: path and path parameters as received, the query decoded once and split at `&`
 * and `;`, the last value of a name in the single-value maps.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html#api-gateway-known-issues-rest-apis
 */
export function toProxyEvent(input: ProxyEventInput): APIGatewayProxyEvent {
  const { request, method, target, matched, requestId, authorizer, body, nowMs } = input;
  const resource = matched.route.path;
  const sourceIp = request.socket.remoteAddress ?? '127.0.0.1';
  const added = {
    address: sourceIp,
    port: String(request.socket.localPort ?? ''),
    traceId: newTraceId(nowMs, randomBytes(12).toString('hex')),
  };
  const headers = group(headersForFunction(headerPairs(request), added)) ?? {};
  const query = group(new URLSearchParams(target.query.replaceAll(';', '&')));
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
      authorizer: authorizer === undefined ? undefined : { ...authorizer },
      protocol: `HTTP/${request.httpVersion}`,
      httpMethod: method,
      identity: { ...noIdentity, sourceIp, userAgent: request.headers['user-agent'] ?? null },
      path: target.path,
      requestId,
      requestTime: commonLogTime(nowMs),
      requestTimeEpoch: nowMs,
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
  userArn: null,
};

function headerPairs({ rawHeaders }: IncomingMessage): readonly HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) pairs.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  return pairs;
}

/** As in `20/Feb/2018:22:48:57 +0000`. */
function commonLogTime(ms: number): string {
  const [, day, month, year, time] = new Date(ms).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
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
  /** Without binary media types API Gateway sends the Base64 text as it is. */
  isBase64Encoded: z.optional(z.boolean()),
});

/** @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

/**
 * The answer of a Lambda proxy integration.
 * @param otherwise when the function failed, timed out, or answered too much or in another form: to API Gateway these are
 * the same
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function toHttpAnswer(result: InvocationResult, otherwise: () => HttpAnswer): HttpAnswer {
  const { success, data } = answerSchema.safeParse(result.kind === 'answered' ? result.payload : undefined);
  if (!success || isTooLarge(data)) return otherwise();
  const { statusCode, headers, multiValueHeaders, body } = data;
  const all = Object.entries({ ...headers, ...multiValueHeaders })
    .map(([name, value]) => [nameInAnswer(name), Array.isArray(value) ? value.map(String) : String(value)] as const)
    .filter((pair): pair is [string, string | string[]] => pair[0] !== undefined);
  const isTyped = all.some(([name]) => name.toLowerCase() === 'content-type');
  return {
    statusCode,
    headers: Object.fromEntries(isTyped ? all : [...all, ['Content-Type', 'application/json']]),
    body: body ?? '',
  };
}

function isTooLarge(answer: z.infer<typeof answerSchema>): boolean {
  // No function of ours answers this much: most answers need not be written out once more.
  return (answer.body?.length ?? 0) > 1_000_000 && Buffer.byteLength(JSON.stringify(answer)) > MAX_PAYLOAD_BYTES;
}
