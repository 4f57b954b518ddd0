import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationResult } from '../lambda/container.ts';
import type { InvocationOptions } from '../lambda/lambda-runtime.ts';
import { localArn, readBody } from '../loopback.ts';
import {
  apiId,
  type HttpAnswer,
  matchRoute,
  readTarget,
  type Route,
  stage,
  toHttpAnswer,
  toProxyEvent,
} from './proxy-integration.ts';
import { type Authorization, type AuthorizerDefinition, createTokenAuthorizer } from './token-authorizer.ts';

/** The gateway's own answers that this emulator can give. */
export type GatewayResponseType =
  | Extract<Authorization, { kind: 'refused' }>['response']
  | 'MISSING_AUTHENTICATION_TOKEN'
  | 'THROTTLED'
  | 'REQUEST_TOO_LARGE'
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
  readonly gatewayResponse: (type: GatewayResponseType, requestId: string) => HttpAnswer;
  readonly invoke: (functionName: string, event: unknown, options?: InvocationOptions) => Promise<InvocationResult>;
  /** The current fault. @default none */
  readonly fault?: () => GatewayFault | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A REST API's payload limit. Lambda's limit, for the event as JSON, is lower. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
/** A REST API's default. */
const INTEGRATION_TIMEOUT_MS = 29_000;

/**
 * Answers one request after another as a REST API does: route, throttle, authorizer, proxy integration.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function createRequestAnswerer(
  options: ApiOptions,
): (request: IncomingMessage, requestId: string) => Promise<HttpAnswer | 'client_gone'> {
  const { routes, publicRoutes = [], gatewayResponse, fault: currentFault = () => undefined } = options;
  const { invoke, now = Date.now } = options;
  const authorize = createTokenAuthorizer(
    options.authorizer,
    (event) => invoke(options.authorizer.function, event),
    now,
  );
  const isLetThrough = createThrottle(now);

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

  return async (request, requestId) => {
    const refuse = (type: GatewayResponseType): HttpAnswer => gatewayResponse(type, requestId);
    const target = readTarget(request.url ?? '/');
    const method = request.method ?? '';
    const open = matchRoute(publicRoutes, method, target.path);
    const matched = open ?? matchRoute(routes, method, target.path);
    if (matched === undefined) return refuse('MISSING_AUTHENTICATION_TOKEN');
    // Public pages have their own throttle in AWS, and stay available while a fault is set.
    const fault = open === undefined ? currentFault() : undefined;
    if (open === undefined && !isLetThrough(fault?.kind === 'throttled' ? fault : undefined))
      return refuse('THROTTLED');
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return refuse('REQUEST_TOO_LARGE');

    const methodArn = localArn('execute-api', `${apiId}/${stage}/${matched.route.method}${target.path}`);
    const authorization: Authorization =
      open === undefined ? await authorize(request.headers.authorization, methodArn) : { kind: 'allowed', context: {} };
    if (authorization.kind === 'refused') return refuse(authorization.response);

    const body = await readBody(request, MAX_BODY_BYTES);
    if (body.kind === 'lost') return 'client_gone';
    if (body.kind === 'too_large') return refuse('REQUEST_TOO_LARGE');
    const event = toProxyEvent({
      request,
      target,
      matched,
      requestId,
      authorizer: authorization.context,
      body: body.bytes,
      nowMs: now(),
    });
    if (Buffer.byteLength(JSON.stringify(event)) > MAX_EVENT_BYTES) return refuse('REQUEST_TOO_LARGE');
    const result = await integrate(matched.route.function, event, fault);
    if (result === 'gateway_timeout') return refuse('INTEGRATION_TIMEOUT');
    return toHttpAnswer(result, () => refuse('DEFAULT_5XX'));
  };
}

export interface Throttle {
  readonly ratePerSecond: number;
  /** How many requests may come at once above that. */
  readonly burst: number;
}

/**
 * A stage's throttle: a bucket of `burst` tokens that fills at `ratePerSecond`. Another throttle starts with a full bucket.
 * @param now milliseconds since 1970
 * @returns whether one more request may pass
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
export function createThrottle(now: () => number): (throttle: Throttle | undefined) => boolean {
  let held: Throttle | undefined;
  let tokens = 0;
  let filledAtMs = 0;
  return (throttle) => {
    if (throttle === undefined) {
      held = undefined;
      return true;
    }
    const passedSeconds = throttle === held ? (now() - filledAtMs) / 1000 : Number.POSITIVE_INFINITY;
    tokens = Math.min(throttle.burst, tokens + passedSeconds * throttle.ratePerSecond);
    [held, filledAtMs] = [throttle, now()];
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
