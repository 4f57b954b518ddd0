import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Listening, serveOnLoopback } from '../../infra/local/aws/loopback.ts';

export interface FrontRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What happens instead of passing a request on. `pass` passes it on, and returns the answer that would be relayed. */
export type Misbehaviour = (response: ServerResponse, pass: () => Promise<Response>) => unknown;

export interface FrontServer extends Listening {
  /** Every request, in order of arrival. */
  readonly requests: readonly FrontRequest[];
  /** Each is for one of the next requests; later requests are passed on. */
  misbehave(...next: Misbehaviour[]): void;
}

/** Another answer than the service's. */
export function answer(status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Misbehaviour {
  return (response) => response.writeHead(status, headers).end(body);
}

/** A problem of this service, or of a newer version. */
export function problem(
  code: string,
  retryable: boolean,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Misbehaviour {
  return answer(
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
}

/** A 429 that asks for this wait. */
export function busy(seconds: number): Misbehaviour {
  return problem('too_many_requests', true, 429, { 'Retry-After': String(seconds) });
}

/** The connection is reset without an answer. */
export const reset: Misbehaviour = (response) => response.socket?.resetAndDestroy();

/** There is never an answer. */
export const hang: Misbehaviour = () => undefined;

/** The request takes effect, but its answer is lost. */
export const loseAnswer: Misbehaviour = async (response, pass) => {
  await pass();
  response.socket?.resetAndDestroy();
};

/** The connection is reset after half of the answer. */
export const cutAnswer: Misbehaviour = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 1000 });
  response.write('{"jobId":', () => response.socket?.resetAndDestroy());
};

/** Sends what the service answered. */
export async function relay(response: ServerResponse, passed: Response): Promise<void> {
  response.writeHead(passed.status, endToEnd(passed.headers)).end(await passed.text());
}

/** An HTTP server on 127.0.0.1 between a caller and the service, to play what can happen on the way. */
export async function startFrontServer(target: string): Promise<FrontServer> {
  const requests: FrontRequest[] = [];
  const script: Misbehaviour[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = incoming;
    const body = await text(incoming);
    requests.push({ method, path, headers, body });
    const pass = () =>
      fetch(target + path, { method, headers: endToEnd(Object.entries(headers)), ...(body !== '' && { body }) });
    const misbehaviour = script.shift();
    if (misbehaviour === undefined) await relay(response, await pass());
    else await misbehaviour(response, pass);
  };
  const server = createServer((incoming, response) => {
    // The caller has gone, or the service does not answer: end the connection.
    handle(incoming, response).catch(() => response.destroy());
  });
  return {
    ...(await serveOnLoopback(server)),
    requests,
    misbehave: (...next) => void script.push(...next),
  };
}

/** Headers of one connection only, or computed again for the next one: a body that was fetched is decompressed. */
const hopHeaders = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

function endToEnd(headers: Iterable<[string, unknown]>): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(([name]) => !hopHeaders.has(name)).map(([name, value]) => [name, String(value)]),
  );
}
