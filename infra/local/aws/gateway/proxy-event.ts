import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { MatchedRoute } from './match-route.ts';

export const stage = 'local';
export const apiId = 'local';
export const accountId = '000000000000';

export interface ProxyEventInput {
  readonly request: IncomingMessage;
  readonly target: RequestTarget;
  readonly matched: MatchedRoute;
  readonly requestId: string;
  /** What the authorizer told of the caller. */
  readonly authorizer: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Where a request goes, both parts as received. */
export interface RequestTarget {
  readonly path: string;
  readonly query: string;
}

/** Splits a request target; the absolute form (RFC 9112, section 3.2.2) counts as its path. */
export const readTarget = (url: string): RequestTarget => {
  const origin = /^https?:\/\/[^/?]*/i.exec(url)?.[0] ?? '';
  const [path = '', ...query] = url.slice(origin.length).split('?');
  return { path: path === '' ? '/' : path, query: query.join('?') };
};

/** Every value of every name in order of appearance; null when there is none. */
const group = (pairs: Iterable<readonly [string, string]>): Record<string, string[]> | null => {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  // `fromEntries` defines own properties, so that a parameter named `__proto__` is one like any other.
  return values.size > 0 ? Object.fromEntries(values) : null;
};

const lastOf = (values: Record<string, string[]>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.at(-1)]));

const headerPairs = ({ rawHeaders, socket }: IncomingMessage): [string, string][] => {
  const pairs: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) pairs.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  pairs.push(['X-Forwarded-For', socket.remoteAddress ?? '127.0.0.1'], ['X-Forwarded-Proto', 'http']);
  return pairs;
};

/**
 * A request as a REST API's Lambda proxy integration hands it over: path and path parameters as received, the query
 * decoded once, the last value of a name in the single-value maps.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export const toProxyEvent = (input: ProxyEventInput): APIGatewayProxyEvent => {
  const { request, target, matched, requestId, body, now } = input;
  const { method, path: resource } = matched.route;
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
      accountId,
      apiId,
      authorizer: { ...input.authorizer },
      protocol: `HTTP/${request.httpVersion}`,
      httpMethod: method,
      identity: { ...nobody, sourceIp: request.socket.remoteAddress ?? '127.0.0.1' },
      path: target.path,
      requestId,
      requestTimeEpoch: now,
      resourceId: 'local',
      resourcePath: resource,
      stage,
    },
    body,
    isBase64Encoded: false,
  };
};

const nobody = {
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
