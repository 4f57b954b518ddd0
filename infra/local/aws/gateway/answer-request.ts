import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationResult } from '../lambda/container.ts';
import type { InvocationOptions } from '../lambda/lambda-runtime.ts';
import { localArn, readBody } from '../loopback.ts';
import { matchRoute, readTarget, type Route } from './match-route.ts';
import { apiId, type HttpAnswer, stage, toHttpAnswer, toProxyEvent } from './proxy-integration.ts';
import { type Authorization, type AuthorizerDefinition, createTokenAuthorizer } from './token-authorizer.ts';
import { createTokenBucket } from './token-bucket.ts';
import type { LocalUsagePlans } from './usage-plans.ts';

/** The gateway's own answers that this emulator can give. */
export type GatewayResponseType =
  | Extract<Authorization, { kind: 'refused' }>['response']
  | 'MISSING_AUTHENTICATION_TOKEN'
  | 'INVALID_API_KEY'
  | 'THROTTLED'
  | 'QUOTA_EXCEEDED'
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

/** A REST API's payload limit. Lambda's limit, for the event as JSON, is lower. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
/** A REST API's default. */
const INTEGRATION_TIMEOUT_MS = 29_000;

/**
 * Answers one request after another as a REST API does: route, stage's throttle, authorizer, caller's plan, proxy
 * integration. What a plan refuses costs nothing but the answer: its body is not even read.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
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

  return async (request, requestId) => {
    const refuse = (type: GatewayResponseType, retryAfterSeconds?: number): HttpAnswer =>
      gatewayResponse(type, requestId, retryAfterSeconds);
    const target = readTarget(request.url ?? '/');
    const method = request.method ?? '';
    const matched = matchRoute(allRoutes, method, target.path);
    if (matched === undefined) return refuse('MISSING_AUTHENTICATION_TOKEN');
    const isOpen = publicRoutes.includes(matched.route);
    // Public pages have their own throttle in AWS, and stay available while a fault is set.
    const fault = isOpen ? undefined : currentFault();
    const waitMs = isOpen ? 0 : stageBucket.take(fault?.kind === 'throttled' ? fault : undefined);
    if (waitMs > 0) return refuse('THROTTLED', Math.ceil(waitMs / 1000));
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return refuse('REQUEST_TOO_LARGE');

    const methodArn = localArn('execute-api', `${apiId}/${stage}/${method}${target.path}`);
    const authorization: Authorization = isOpen
      ? { kind: 'allowed', context: {} }
      : await authorize(request.headers.authorization, methodArn);
    if (authorization.kind === 'refused') return refuse(authorization.response);
    if (!isOpen && usagePlans !== undefined) {
      const admission = usagePlans.admit(authorization.usageKey);
      if (admission.kind === 'no_plan') return refuse('INVALID_API_KEY');
      if (admission.kind === 'throttled') return refuse('THROTTLED', admission.retryAfterSeconds);
      if (admission.kind === 'quota_exceeded') return refuse('QUOTA_EXCEEDED', admission.retryAfterSeconds);
    }

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
