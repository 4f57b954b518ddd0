import { authorizationForm } from '../../functions/contract/credential.ts';
import type { OwnMembers, PlainCode } from '../../functions/contract/problem-answers.ts';
import { problemBody, problemContentType, problems } from '../../functions/contract/problems.ts';
import { documentationOperations, type Operation, partnerOperations } from '../../functions/contract/routes.ts';
import type { FunctionName } from './functions.ts';
import { firewallWindowSeconds } from './usage-plans.ts';

/**
 * The REST API, defined once for the stack and the local gateway: routes, authorizer, compression, and API Gateway's own
 * answers.
 */

/** `{x}` in a path is a parameter. */
export interface Route extends Operation {
  readonly function: FunctionName;
}

/** The partners' operations. Each needs a credential. */
export const routes: readonly Route[] = partnerOperations;
/** The documentation's pages. They need no credential and show no partner's data. */
export const documentationRoutes: readonly Route[] = documentationOperations;

/** Takes what no route takes: 404 for an address, 405 with `Allow` for a method. */
export const unknownRouteFunction = 'answer-unknown-route' satisfies FunctionName;

export interface UnknownRoute {
  /** Every method that the address does not have by itself. */
  readonly method: 'ANY';
  /** May end in `{proxy+}`, which stands for one or more segments. */
  readonly path: string;
  readonly function: typeof unknownRouteFunction;
}

/**
 * The routes for every other address and method. Without them a REST API looks for an AWS signature: it answers 403, or,
 * to a request with a Bearer credential, that its signature is incomplete, which a caller would take for a bad credential.
 *
 * One `/{proxy+}` is not enough. It does not stand for what is under a named sibling, nor for the sibling itself, so each
 * address and each address above one gets the method ANY and a `{proxy+}` under it. Where a parameter is
 * under it, there can be no `{proxy+}` beside that, and need not be: the parameter takes every segment.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html#api-gateway-proxy-resource
 */
export function unknownRoutes(known: readonly { readonly path: string }[]): readonly UnknownRoute[] {
  const addresses = new Set(['/', ...known.flatMap(({ path }) => withParents(path))]);
  const hasParameter = new Set([...addresses].filter((path) => path.endsWith('}')).map(parentOf));
  const everything = [...addresses].flatMap((path) =>
    hasParameter.has(path) ? [path] : [path, `${path === '/' ? '' : path}/{proxy+}`],
  );
  return everything.map((path) => ({ method: 'ANY', path, function: unknownRouteFunction }));
}

function withParents(path: string): readonly string[] {
  return path === '/' ? [] : [path, ...withParents(parentOf(path))];
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** API Gateway compresses answers from this size, when the caller accepts it: scripts, the API description, long lists. */
export const compressFromBytes = 10_000;

/** The Lambda authorizer in front of `routes`. */
export const partnerAuthorizer = {
  function: 'authorize-partner',
  /** API Gateway answers 401 to everything else by itself, without starting the function. */
  identityValidationExpression: authorizationForm,
  /** A revoked credential stops working within this time. */
  cacheSeconds: 60,
} as const;

/** An answer that API Gateway gives in place of a function. */
export interface GatewayResponse {
  readonly problem: PlainCode | 'invalid_request';
  readonly detail: string;
  /** Besides Content-Type and Cache-Control, which every answer has. */
  readonly headers?: Readonly<Record<string, string>>;
}

const challenge = { 'WWW-Authenticate': 'Bearer' };
const retryAfter = (seconds: number) => ({ 'Retry-After': String(seconds) });

const noCredential = 'Send a valid key as "Authorization: Bearer pcg_...". The key is missing, malformed or revoked.';
const noSuchRoute = 'Check the path and the method: the API has no such address, or not with this method.';
const noPlan =
  'Your key is valid, but no usage plan is set up for you here yet. Only the operator can do that: give them the requestId.';
const notAuthorizable = 'The credential could not be checked. Nothing was done; send the request again.';
const broken = 'The request got no clear answer. Sending it again is safe.';

/**
 * API Gateway's own answers, by response type. Their headers are fixed, so `Retry-After` is a time after which a request
 * can succeed: at 1 request a second and more a bucket has a token after 1 s, and the firewall looks back at its window
 * of 5 minutes. A quota may last longer: who asks every hour loses at most an hour of the next day. (The local gateway
 * computes the seconds.) A type that is not listed falls back to `DEFAULT_4XX` or `DEFAULT_5XX`.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
export const gatewayResponses = {
  UNAUTHORIZED: { problem: 'unauthorized', detail: noCredential, headers: challenge },
  /** The authorizer denies a credential that is unknown, wrong, expired or revoked. */
  ACCESS_DENIED: { problem: 'unauthorized', detail: noCredential, headers: challenge },
  /** The authorizer named a usage key that is in no usage plan: no operator has added the partner. */
  INVALID_API_KEY: { problem: 'forbidden', detail: noPlan },
  /** The firewall's rate rules. (A request that its other rules block gets a 403 from the firewall itself.) */
  WAF_FILTERED: {
    problem: 'too_many_requests',
    detail: 'Too many requests in five minutes from this credential or address. Send fewer.',
    headers: retryAfter(firewallWindowSeconds),
  },
  /** In spite of its name, this is the answer for a path or method that not even {@link unknownRoutes} have. */
  MISSING_AUTHENTICATION_TOKEN: { problem: 'route_not_found', detail: noSuchRoute },
  /** The same with an `Authorization` header: no method of this API takes an AWS signature, which these are about. */
  INVALID_SIGNATURE: { problem: 'route_not_found', detail: noSuchRoute },
  EXPIRED_TOKEN: { problem: 'route_not_found', detail: noSuchRoute },
  RESOURCE_NOT_FOUND: { problem: 'route_not_found', detail: noSuchRoute },
  BAD_REQUEST_BODY: { problem: 'invalid_request', detail: 'The body does not have the documented form.' },
  BAD_REQUEST_PARAMETERS: { problem: 'invalid_request', detail: 'A parameter is missing or malformed.' },
  REQUEST_TOO_LARGE: { problem: 'body_too_large', detail: 'Send a body of at most 8 KiB.' },
  UNSUPPORTED_MEDIA_TYPE: { problem: 'unsupported_media_type', detail: 'Send "Content-Type: application/json".' },
  /** By the partner's plan, or by the stage's limit of the method for all partners together. */
  THROTTLED: {
    problem: 'too_many_requests',
    detail: 'Slow down, then send the request again.',
    headers: retryAfter(1),
  },
  QUOTA_EXCEEDED: {
    problem: 'too_many_requests',
    detail: "Your plan's requests for today are used up. They are counted anew every day.",
    headers: retryAfter(3600),
  },
  AUTHORIZER_FAILURE: { problem: 'temporarily_unavailable', detail: notAuthorizable, headers: retryAfter(5) },
  AUTHORIZER_CONFIGURATION_ERROR: {
    problem: 'temporarily_unavailable',
    detail: notAuthorizable,
    headers: retryAfter(5),
  },
  INTEGRATION_TIMEOUT: {
    problem: 'gateway_timeout',
    detail: 'The request may have taken effect. Sending it again is safe: a job is never cancelled twice.',
  },
  INTEGRATION_FAILURE: { problem: 'internal_error', detail: broken },
  API_CONFIGURATION_ERROR: { problem: 'internal_error', detail: broken },
  DEFAULT_4XX: {
    problem: 'invalid_request',
    detail: 'The request could not be read. Check its address, and the length of the address and of the headers.',
  },
  DEFAULT_5XX: { problem: 'internal_error', detail: broken },
} as const satisfies Record<string, GatewayResponse>;

/**
 * What the firewall answers by itself where a rule other than a rate blocks: a problem in all but its media type, which
 * WAF does not know. It cannot put an id of the request into a body, so `requestId` says that there is none.
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-for-blocked-requests.html
 */
export const firewallRefusal = {
  statusCode: problems.forbidden.status,
  headers: { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' },
  body: JSON.stringify(problemBody('forbidden', 'none', 'The firewall in front of this service rejected the request.')),
} as const;

export type GatewayResponseType = keyof typeof gatewayResponses;
export const gatewayResponseTypes = Object.keys(gatewayResponses).filter(
  (name): name is GatewayResponseType => name in gatewayResponses,
);

interface Head {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

const contextRequestId = '$context.requestId';

/**
 * The body as API Gateway's mapping template: JSON with `$context.requestId` in place of the request's id.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
 */
export function gatewayResponseTemplate(type: GatewayResponseType): string {
  const { problem, detail } = gatewayResponses[type];
  // API Gateway does not name the field.
  const own: OwnMembers<'invalid_request'> = { errors: [{ path: '', message: 'could not be read' }] };
  return JSON.stringify(problemBody(problem, contextRequestId, detail, problem === 'invalid_request' ? own : {}));
}

/** Status and headers as sent. (CDK wants each header value in single quotes.) */
export function gatewayResponseHead(type: GatewayResponseType): Head {
  const { problem, headers }: GatewayResponse = gatewayResponses[type];
  return {
    statusCode: problems[problem].status,
    headers: { 'Content-Type': problemContentType, 'Cache-Control': 'no-store', ...headers },
  };
}

/**
 * The whole answer, from the same template: what the local gateway sends.
 * @param retryAfterSeconds in place of the fixed ones
 */
export function renderGatewayResponse(
  type: GatewayResponseType,
  requestId: string,
  retryAfterSeconds?: number,
): Head & { readonly body: string } {
  const body = gatewayResponseTemplate(type).replace(contextRequestId, () => requestId);
  const { statusCode, headers } = gatewayResponseHead(type);
  const exact = retryAfterSeconds === undefined ? {} : retryAfter(retryAfterSeconds);
  return { statusCode, headers: { ...headers, ...exact }, body };
}
