import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenOnLoopback } from '../../infra/local/aws/loopback.ts';

export interface FrontRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What it does in place of passing a request on; `pass` does pass it on, and gives what would have been answered. */
export type Misbehaviour = (response: ServerResponse, pass: () => Promise<Response>) => unknown;

export interface FrontServer {
  readonly url: string;
  /** Every request, in the order in which they came. */
  readonly requests: readonly FrontRequest[];
  /** What meets the next requests, one each; after these they are passed on. */
  misbehave(...next: Misbehaviour[]): void;
  close(): Promise<void>;
}

/** An answer that is not the service's. */
export const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Misbehaviour =>
  (response) =>
    response.writeHead(status, headers).end(body);
/** A problem of the service's, or of a newer one's. */
export const problem = (
  code: string,
  retryable: boolean,
  status: number,
  headers: Readonly<Record<string, string>> = {},
) =>
  answer(
    status,
    { 'Content-Type': 'application/problem+json', ...headers },
    JSON.stringify({
      type: 'about:blank',
      title: code,
      status,
      detail: `It is ${code}.`,
      code,
      requestId: 'r',
      retryable,
    }),
  );
/** A 429 that asks for these seconds. */
export const busy = (seconds: number) => problem('too_many_requests', true, 429, { 'Retry-After': String(seconds) });
/** The connection is reset without an answer. */
export const reset: Misbehaviour = (response) => response.socket?.resetAndDestroy();
/** No answer, ever. */
export const hang: Misbehaviour = () => undefined;
/** The request is done, and its answer lost. */
export const loseAnswer: Misbehaviour = async (response, pass) => {
  await pass();
  response.socket?.resetAndDestroy();
};
/** Half of the answer arrives. */
export const cutAnswer: Misbehaviour = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 1000 });
  response.write('{"jobId":', () => response.socket?.resetAndDestroy());
};

/** Of one connection, or worked out anew on the next. */
const hopHeaders = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);
const endToEnd = (headers: Iterable<[string, unknown]>): Record<string, string> =>
  Object.fromEntries(
    [...headers].filter(([name]) => !hopHeaders.has(name)).map(([name, value]) => [name, String(value)]),
  );

/** Answers what the service answered. */
export const relay = async (response: ServerResponse, passed: Response): Promise<void> => {
  response.writeHead(passed.status, endToEnd(passed.headers)).end(await passed.text());
};

/** An HTTP server on 127.0.0.1 between a caller and the service, for what stands between them in life. */
export const startFrontServer = async (target: string): Promise<FrontServer> => {
  const requests: FrontRequest[] = [];
  const script: Misbehaviour[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = incoming;
    const body = await text(incoming);
    requests.push({ method, path, headers, body });
    const content = body === '' ? {} : { body };
    const pass = () => fetch(target + path, { method, headers: endToEnd(Object.entries(headers)), ...content });
    const misbehaviour = script.shift();
    if (misbehaviour === undefined) await relay(response, await pass());
    else await misbehaviour(response, pass);
  };
  const server = createServer((incoming, response) => {
    // A caller that has gone, or a service that is not there: the connection says so.
    handle(incoming, response).catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    misbehave: (...next) => void script.push(...next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
