import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayResponseType, renderGatewayResponse, type Route } from '../../../blueprint/api.ts';
import { compress } from './compress.ts';
import type { InvocationResult } from '../lambda/container.ts';
import type { InvocationFault } from '../lambda/lambda-runtime.ts';
import { listenOnLoopback } from '../listen-on-loopback.ts';
import type { ServiceFault, ServiceFaults } from '../service-faults.ts';
import { matchRoute } from './match-route.ts';
import { type HttpAnswer, toHttpAnswer } from './proxy-answer.ts';
import { accountId, apiId, readTarget, stage, toProxyEvent } from './proxy-event.ts';
import { readBody } from './read-body.ts';
import { createThrottle } from './throttle.ts';
import { type Authorization, createTokenAuthorizer } from './token-authorizer.ts';

export interface GatewayOptions {
  /** @default a free one */
  readonly port?: number | undefined;
  readonly region: string;
  readonly routes: readonly Route[];
  /** Those that want no credential. @default none */
  readonly publicRoutes?: readonly Route[] | undefined;
  /** The authorizer's function name. */
  readonly authorizer: string;
  readonly invoke: (functionName: string, event: unknown, fault?: InvocationFault) => Promise<InvocationResult>;
  /** What goes wrong with partners' requests. @default nothing */
  readonly faults?: Pick<ServiceFaults, 'current'> | undefined;
  /** What else answers on this port, and whether it took the request. @default nothing */
  readonly beside?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Milliseconds. @default 60_000 */
  readonly authorizerTtlMs?: number | undefined;
  /** Milliseconds. @default 29_000, a REST API's own */
  readonly integrationTimeoutMs?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  /** Told what broke in the gateway itself. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Told of every answer. */
  readonly onAnswer?: OnAnswer | undefined;
}

/** Method and path are empty for what was no HTTP request. */
export type OnAnswer = (request: { readonly method: string; readonly path: string }, answer: HttpAnswer) => void;

export interface Gateway {
  readonly url: string;
  /** Ends at once: requests under way lose their connection. */
  close(): Promise<void>;
}

/** A REST API's payload limit; Lambda's own, for the event as JSON, is lower. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
/** How long a refused body is still read and thrown away, so that its sender gets to the answer. */
const LINGER_MS = 1000;

const send = (request: IncomingMessage, response: ServerResponse, whole: HttpAnswer, requestId: string): void => {
  const answer = compress(whole, request.headers['accept-encoding']);
  response.writeHead(answer.statusCode, {
    ...answer.headers,
    'Content-Length': Buffer.byteLength(answer.body),
    'x-amzn-RequestId': requestId,
  });
  if (request.complete) {
    response.end(answer.body);
    return;
  }
  response.write(answer.body);
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.on('close', () => clearTimeout(timer));
  request.on('end', () => response.end());
  request.resume();
};

/** What is no HTTP never becomes a request; it still gets a problem that can be read. */
const refuseConnection = (socket: Duplex, type: GatewayResponseType, onAnswer?: OnAnswer): void => {
  const answer = renderGatewayResponse(type, randomUUID());
  const { statusCode, headers, body } = answer;
  onAnswer?.({ method: '', path: '' }, answer);
  const head = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' });
  const lines = [
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}`,
    ...head.map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
};

const invocationFault = (fault: ServiceFault | undefined): InvocationFault | undefined => {
  if (fault?.kind === 'functions_crash') return { kind: 'crash' };
  return fault?.kind === 'functions_late' ? { kind: 'late', delayMs: fault.delayMs } : undefined;
};

/**
 * A REST API on 127.0.0.1, stage `local`: TOKEN authorizer, Lambda proxy integrations, gateway responses.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 * @throws the system's error when the port cannot be had (`EADDRINUSE`)
 */
export const startGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { now = Date.now, integrationTimeoutMs = 29_000 } = options;
  const authorize = createTokenAuthorizer({
    invoke: (event) => options.invoke(options.authorizer, event),
    ttlMs: options.authorizerTtlMs,
    now,
  });

  const isLetThrough = createThrottle(now);

  const integrate = async (
    functionName: string,
    event: unknown,
    fault: ServiceFault | undefined,
  ): Promise<InvocationResult | undefined> => {
    const over = new AbortController();
    const waitMs = fault?.kind === 'functions_late' ? fault.gatewayWaitsMs : integrationTimeoutMs;
    const timeout = sleep(waitMs, undefined, { signal: over.signal });
    timeout.catch(() => undefined); // Aborted: the function answered first.
    try {
      return await Promise.race([options.invoke(functionName, event, invocationFault(fault)), timeout]);
    } finally {
      over.abort();
    }
  };

  const answer = async (request: IncomingMessage, requestId: string): Promise<HttpAnswer | undefined> => {
    const refuse = (type: GatewayResponseType) => renderGatewayResponse(type, requestId);
    const target = readTarget(request.url ?? '/');
    const open = matchRoute(options.publicRoutes ?? [], request.method ?? '', target.path);
    const matched = open ?? matchRoute(options.routes, request.method ?? '', target.path);
    if (matched === undefined) return refuse('MISSING_AUTHENTICATION_TOKEN');
    // The pages about a bad day stay open on a bad day; in AWS they have a throttle of their own.
    const isPublic = matched === open;
    const fault = isPublic ? undefined : options.faults?.current();
    const limit = fault?.kind === 'throttled' ? fault : undefined;
    if (!isPublic && !isLetThrough(limit)) return refuse('THROTTLED');
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return refuse('REQUEST_TOO_LARGE');

    const api = `arn:aws:execute-api:${options.region}:${accountId}:${apiId}/${stage}`;
    const authorization: Authorization = isPublic
      ? { kind: 'allowed', context: {} }
      : await authorize(request.headers.authorization, `${api}/${matched.route.method}${target.path}`);
    if (authorization.kind === 'refused') return refuse(authorization.response);

    const body = await readBody(request, MAX_BODY_BYTES);
    if (body.kind === 'lost') return undefined;
    if (body.kind === 'too_large') return refuse('REQUEST_TOO_LARGE');
    const { context: authorizer } = authorization;
    const event = toProxyEvent({ request, target, matched, requestId, authorizer, body: body.text, now: now() });
    if (Buffer.byteLength(JSON.stringify(event)) > MAX_EVENT_BYTES) return refuse('REQUEST_TOO_LARGE');
    const result = await integrate(matched.route.function, event, fault);
    return result === undefined ? refuse('INTEGRATION_TIMEOUT') : toHttpAnswer(result, requestId);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = randomUUID();
    const broken = (error: unknown): HttpAnswer => {
      options.onError?.(error);
      return renderGatewayResponse('DEFAULT_5XX', requestId);
    };
    const answered = await answer(request, requestId).catch(broken);
    if (answered === undefined || response.destroyed) return;
    options.onAnswer?.({ method: request.method ?? '', path: readTarget(request.url ?? '/').path }, answered);
    try {
      send(request, response, answered, requestId);
    } catch (error) {
      // A header that a function made up and HTTP does not know.
      send(request, response, broken(error), requestId);
    }
  };

  const server = createServer(
    { maxHeaderSize: 10_240, requireHostHeader: false, headersTimeout: 10_000, requestTimeout: 30_000 },
    (request, response) => {
      if (options.beside?.(request, response) === true) return;
      request.on('error', () => undefined); // A client that goes away is no event here.
      serve(request, response).catch((error: unknown) => options.onError?.(error));
    },
  );
  server.keepAliveTimeout = 60_000;
  server.on('connect', (_request, socket) =>
    refuseConnection(socket, 'MISSING_AUTHENTICATION_TOKEN', options.onAnswer),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else refuseConnection(socket, 'DEFAULT_4XX', options.onAnswer);
  });

  const port = await listenOnLoopback(server, options.port);
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
