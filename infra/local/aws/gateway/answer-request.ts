import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationResult } from '../lambda/container.ts';
import type { InvocationOptions } from '../lambda/lambda-runtime.ts';
import { localArn, readBody } from '../loopback.ts';
import { decodePayload } from './content-codings.ts';
import { matchRoute, readTarget, type Route } from './match-route.ts';
import { apiId, type HttpAnswer, MAX_PAYLOAD_BYTES, stage, toHttpAnswer, toProxyEvent } from './proxy-integration.ts';
import { type Authorization, type AuthorizerDefinition, createTokenAuthorizer } from './token-authorizer.ts';
import { createTokenBucket } from './token-bucket.ts';
import type { LocalUsagePlans } from './usage-plans.ts';

/** The gateway's own answers that this emulator can give. */
export type GatewayResponseType =
  | Extract<Authorization, { kind: 'refused' }>['response']
  | 'MISSING_AUTHENTICATION_TOKEN'
  | 'INVALID_SIGNATURE'
  | 'INVALID_API_KEY'
  | 'THROTTLED'
  | 'QUOTA_EXCEEDED'
  | 'REQUEST_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'INTEGRATION_TIMEOUT'
  | 'DEFAULT_4XX'
  | 'DEFAULT_5XX';

/** What goes wrong with requests to the routes that need a credential. */
export type GatewayFault =
  /** The stage's throttle lets this many through. */
  | { readonly kind: 'throttled'; readonly ratePerSecond: number; readonly burst: number }
  /** The process of a request is killed as soon as it has the event. */
  | { readonly kind: 'functions_crash' }
  /** A request reaches its function this much later, and the gateway waits only this long. */
  | { readonly kind: 'functions_late'; readonly delayMs: number; readonly gatewayWaitsMs: number };

/** The REST API as the stack defines it, and what is behind it. */
export interface ApiOptions {
  readonly routes: readonly Route[];
  /** Those without a credential. @default none */
  readonly publicRoutes?: readonly Route[];
  readonly authorizer: AuthorizerDefinition;
  /** @param retryAfterSeconds in place of the type's own `Retry-After` */
  readonly gatewayResponse: (type: GatewayResponseType, requestId: string, retryAfterSeconds?: number) => HttpAnswer;
  /** What each caller may send. The routes that need a credential need a plan too. @default no limits */
  readonly usagePlans?: Pick<LocalUsagePlans, 'admit'>;
  readonly invoke: (functionName: string, event: unknown, options?: InvocationOptions) => Promise<InvocationResult>;
  /** The current fault. @default none */
  readonly fault?: () => GatewayFault | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

type Admission =
  | {
      readonly kind: 'admitted';
      /** The authorizer's context; a public method has none. */
      readonly authorizer?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'refused'; readonly response: GatewayResponseType; readonly retryAfterSeconds?: number };
const admitted: Admission = { kind: 'admitted' };

/** A REST API's payload limit. Lambda's limit, for the event as JSON, is lower. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** A REST API's default. */
const INTEGRATION_TIMEOUT_MS = 29_000;
/** Of a method with an authorizer. */
const MAX_METHOD_ARN_BYTES = 1600;

/**
 * Answers one request after another as a REST API does: route, authorizer, caller's plan, stage's throttle, proxy
 * integration. What a plan refuses costs nothing but the answer: its body is not even read.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
export function createRequestAnswerer(
  options: ApiOptions,
): (request: IncomingMessage, requestId: string) => Promise<HttpAnswer | 'client_gone'> {
  const { routes, publicRoutes = [], gatewayResponse, fault: currentFault = () => undefined } = options;
  const { invoke, usagePlans, now = Date.now } = options;
  const authorize = createTokenAuthorizer(
    options.authorizer,
    (event) => invoke(options.authorizer.function, event),
    now,
  );
  const stageBucket = createTokenBucket(now);
  const allRoutes = [...routes, ...publicRoutes];

  const integrate = async (
    functionName: string,
    event: unknown,
    fault: GatewayFault | undefined,
  ): Promise<InvocationResult | 'gateway_timeout'> => {
    const answered = new AbortController();
    const { delayMs, gatewayWaitsMs } =
      fault?.kind === 'functions_late' ? fault : { delayMs: 0, gatewayWaitsMs: INTEGRATION_TIMEOUT_MS };
    const timeout = sleep(gatewayWaitsMs, 'gateway_timeout' as const, { signal: answered.signal });
    timeout.catch(() => undefined); // Aborted: the function answered first.
    const invocation = async (): Promise<InvocationResult> => {
      if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
      return invoke(functionName, event, { crashes: fault?.kind === 'functions_crash' });
    };
    try {
      return await Promise.race([invocation(), timeout]);
    } finally {
      answered.abort();
    }
  };

  /** Authorizer, caller's plan, stage's throttle: in this order, as AWS documents for the throttles. */
  const admit = async (
    { headers }: IncomingMessage,
    method: string,
    path: string,
    fault: GatewayFault | undefined,
  ): Promise<Admission> => {
    const methodArn = localArn('execute-api', `${apiId}/${stage}/${method}${path}`);
    if (Buffer.byteLength(methodArn) > MAX_METHOD_ARN_BYTES) return { kind: 'refused', response: 'DEFAULT_4XX' };
    const authorization = await authorize(headers.authorization, methodArn);
    if (authorization.kind === 'refused') return authorization;
    const share = usagePlans?.admit(authorization.usageKey) ?? { kind: 'admitted' };
    switch (share.kind) {
      case 'no_plan':
        return { kind: 'refused', response: 'INVALID_API_KEY' };
      case 'throttled':
        return { kind: 'refused', response: 'THROTTLED', retryAfterSeconds: share.retryAfterSeconds };
      case 'quota_exceeded':
        return { kind: 'refused', response: 'QUOTA_EXCEEDED', retryAfterSeconds: share.retryAfterSeconds };
      case 'admitted':
    }
    const waitMs = stageBucket.take(fault?.kind === 'throttled' ? fault : undefined);
    if (waitMs > 0) return { kind: 'refused', response: 'THROTTLED', retryAfterSeconds: Math.ceil(waitMs / 1000) };
    return { kind: 'admitted', authorizer: authorization.context };
  };

  return async (request, requestId) => {
    const refuse = (type: GatewayResponseType, retryAfterSeconds?: number): HttpAnswer =>
      gatewayResponse(type, requestId, retryAfterSeconds);
    const target = readTarget(request.url ?? '/');
    // AWS documents that a raw `|` in a query is not supported, and not how it is answered.
    if (target.query.includes('|')) return refuse('DEFAULT_4XX');
    const method = [request.headers['x-http-method-override'] ?? request.method ?? ''].flat()[0] ?? '';
    const matched = matchRoute(allRoutes, method, target.path);
    if (matched === undefined) {
      // Any credential is taken for an AWS signature, and ours is not one.
      return refuse(request.headers.authorization === undefined ? 'MISSING_AUTHENTICATION_TOKEN' : 'INVALID_SIGNATURE');
    }
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return refuse('REQUEST_TOO_LARGE');
    const isOpen = publicRoutes.includes(matched.route);
    // Public pages have a separate throttle in AWS, and stay available while a fault is set.
    const fault = isOpen ? undefined : currentFault();
    const admission = isOpen ? admitted : await admit(request, method, target.path, fault);
    if (admission.kind === 'refused') return refuse(admission.response, admission.retryAfterSeconds);

    const body = await readBody(request, MAX_BODY_BYTES);
    if (body.kind === 'lost') return 'client_gone';
    if (body.kind === 'too_large') return refuse('REQUEST_TOO_LARGE');
    const payload = decodePayload(body.bytes, request.headers['content-encoding'], MAX_BODY_BYTES);
    if (payload.kind === 'unsupported') return refuse('UNSUPPORTED_MEDIA_TYPE');
    if (payload.kind === 'too_large') return refuse('REQUEST_TOO_LARGE');
    const { authorizer } = admission;
    const { bytes } = payload;
    const event = toProxyEvent({ request, method, target, matched, requestId, authorizer, body: bytes, nowMs: now() });
    if (Buffer.byteLength(JSON.stringify(event)) > MAX_PAYLOAD_BYTES) return refuse('REQUEST_TOO_LARGE');
    const result = await integrate(matched.route.function, event, fault);
    if (result === 'gateway_timeout') return refuse('INTEGRATION_TIMEOUT');
    return toHttpAnswer(result, () => refuse('DEFAULT_5XX'));
  };
}
