import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Listening, serveOnLoopback } from '../loopback.ts';
import { type ApiOptions, createRequestAnswerer, type GatewayResponseType } from './answer-request.ts';
import { chooseCoding, encodeBody } from './content-codings.ts';
import { readTarget } from './match-route.ts';
import type { HttpAnswer } from './proxy-integration.ts';

export interface GatewayOptions extends ApiOptions {
  /** @default a free one */
  readonly port?: number | undefined;
  /** Answers of this size and more are compressed for clients that accept gzip or deflate. */
  readonly minimumCompressionBytes: number;
  /** Another listener on the same port, asked first: whether it took the request. @default none */
  readonly beside?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  readonly onAnswer?: OnAnswer | undefined;
}

/** Receives every answer. Method and path are empty for bytes that were not an HTTP request. */
export type OnAnswer = (
  request: { readonly requestId: string; readonly method: string; readonly path: string },
  answer: HttpAnswer,
) => void;

/** How long a rejected body is still read and discarded, so that its sender receives the answer. */
const LINGER_MS = 1000;

/**
 * A REST API on 127.0.0.1, stage `local`: TOKEN authorizer, Lambda proxy integrations, gateway responses, compression.
 * @throws the system's error when the port cannot be used (`EADDRINUSE`)
 */
export function startGateway(options: GatewayOptions): Promise<Listening> {
  const server = createServer(
    { maxHeaderSize: 10_240, requireHostHeader: false, headersTimeout: 10_000, requestTimeout: 30_000 },
    (request, response) => {
      if (options.beside?.(request, response) === true) return;
      request.on('error', () => undefined); // A client that disconnects is not an error of the gateway.
      serve(request, response).catch(() => response.destroy());
    },
  );
  server.keepAliveTimeout = 60_000;
  server.on('connect', (_request, socket) => rejectConnection(socket, 'MISSING_AUTHENTICATION_TOKEN', options));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else rejectConnection(socket, 'DEFAULT_4XX', options);
  });

  const answerRequest = createRequestAnswerer(options);
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = randomUUID();
    const internalError = (): HttpAnswer => options.gatewayResponse('DEFAULT_5XX', requestId);
    const answer = await answerRequest(request, requestId).catch(internalError);
    if (answer === 'client_gone' || response.destroyed) return;
    const { path } = readTarget(request.url ?? '/');
    options.onAnswer?.({ requestId, method: request.method ?? '', path }, answer);
    try {
      send(request, response, compress(answer, request, options.minimumCompressionBytes), requestId);
    } catch {
      // The function's answer has a header that HTTP does not allow.
      send(request, response, internalError(), requestId);
    }
  };
  return serveOnLoopback(server, options.port);
}

function compress(answer: HttpAnswer, request: IncomingMessage, fromBytes: number): HttpAnswer {
  const { headers, body } = answer;
  const isEncoded = Object.keys(headers).some((name) => name.toLowerCase() === 'content-encoding');
  const coding = chooseCoding([request.headers['accept-encoding']].flat().join(','));
  if (isEncoded || Buffer.byteLength(body) < fromBytes || coding === undefined) return answer;
  return { ...answer, headers: { ...headers, 'Content-Encoding': coding }, body: encodeBody(body, coding) };
}

function send(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer, requestId: string): void {
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
}

/** Bytes that are not HTTP never become a request. Their sender still receives a readable problem. */
function rejectConnection(socket: Duplex, type: GatewayResponseType, options: GatewayOptions): void {
  const requestId = randomUUID();
  const answer = options.gatewayResponse(type, requestId);
  const { statusCode, headers, body } = answer;
  options.onAnswer?.({ requestId, method: '', path: '' }, answer);
  const lines = [
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}`,
    ...Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${String(body)}`, () => socket.destroy());
}
