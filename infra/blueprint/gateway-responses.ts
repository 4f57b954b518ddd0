import { type ProblemCode, problemBody, problemContentType, problems } from '../../functions/contract/problems.ts';

/** What API Gateway itself answers in place of a function: one problem, worded for whoever meets it. */
export interface GatewayResponse {
  readonly problem: ProblemCode;
  readonly detail: string;
  /** Besides Content-Type and Cache-Control, which every one carries. */
  readonly headers?: Readonly<Record<string, string>>;
}

const challenge = { 'WWW-Authenticate': 'Bearer' };
const retryAfter = (seconds: number) => ({ 'Retry-After': String(seconds) });

const noCredential = 'Send a valid key as "Authorization: Bearer pcg_...". The key is missing, malformed or revoked.';
const noSuchRoute = 'Check the path and the method: both must match exactly, without a trailing slash.';
const notAuthorizable = 'The credential could not be checked. Nothing was done; send the request again.';
const broken = 'The request got no clear answer. Sending it again is safe.';

/**
 * API Gateway's own answers, by response type: the stack and the local gateway both read them. What is not listed falls
 * back to `DEFAULT_4XX` or `DEFAULT_5XX`.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
export const gatewayResponses = {
  UNAUTHORIZED: { problem: 'unauthorized', detail: noCredential, headers: challenge },
  /** An AWS signature in `Authorization`, where a key of ours belongs. */
  INVALID_SIGNATURE: { problem: 'unauthorized', detail: noCredential, headers: challenge },
  EXPIRED_TOKEN: { problem: 'unauthorized', detail: noCredential, headers: challenge },
  ACCESS_DENIED: { problem: 'forbidden', detail: 'This key is valid, but not for this address.' },
  INVALID_API_KEY: { problem: 'forbidden', detail: 'This key has no usage plan here.' },
  WAF_FILTERED: { problem: 'forbidden', detail: 'The firewall in front of this service rejected the request.' },
  /** What a REST API says of a path or a method that it does not have, whatever the name suggests. */
  MISSING_AUTHENTICATION_TOKEN: { problem: 'route_not_found', detail: noSuchRoute },
  RESOURCE_NOT_FOUND: { problem: 'route_not_found', detail: noSuchRoute },
  BAD_REQUEST_BODY: { problem: 'invalid_request', detail: 'The body does not have the documented form.' },
  BAD_REQUEST_PARAMETERS: { problem: 'invalid_request', detail: 'A parameter is missing or malformed.' },
  REQUEST_TOO_LARGE: { problem: 'body_too_large', detail: 'Send a body of at most 8 KiB.' },
  UNSUPPORTED_MEDIA_TYPE: { problem: 'unsupported_media_type', detail: 'Send "Content-Type: application/json".' },
  THROTTLED: {
    problem: 'too_many_requests',
    detail: 'Slow down, then send the request again.',
    headers: retryAfter(1),
  },
  QUOTA_EXCEEDED: { problem: 'too_many_requests', detail: 'The quota is used up for now.', headers: retryAfter(900) },
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
  DEFAULT_4XX: { problem: 'invalid_request', detail: 'The request could not be read.' },
  DEFAULT_5XX: { problem: 'internal_error', detail: broken },
} as const satisfies Record<string, GatewayResponse>;

export type GatewayResponseType = keyof typeof gatewayResponses;

const contextRequestId = '$context.requestId';

/**
 * The body as API Gateway's mapping template: JSON with `$context.requestId` where the request's id goes.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
 */
export const gatewayResponseTemplate = (type: GatewayResponseType): string => {
  const { problem, detail } = gatewayResponses[type];
  return JSON.stringify(problemBody(problem, contextRequestId, detail));
};

/** Status and headers as sent. (CDK wants header values in single quotes of their own.) */
export const gatewayResponseHead = (
  type: GatewayResponseType,
): { readonly statusCode: number; readonly headers: Readonly<Record<string, string>> } => {
  const response: GatewayResponse = gatewayResponses[type];
  return {
    statusCode: problems[response.problem].status,
    headers: { 'Content-Type': problemContentType, 'Cache-Control': 'no-store', ...response.headers },
  };
};

/** The whole answer, from the same template, for a gateway of one's own. */
export const renderGatewayResponse = (
  type: GatewayResponseType,
  requestId: string,
): { readonly statusCode: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } => ({
  ...gatewayResponseHead(type),
  body: gatewayResponseTemplate(type).replace(contextRequestId, () => requestId),
});
