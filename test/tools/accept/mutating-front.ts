import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Listening, serveOnLoopback } from '../../../infra/local/aws/loopback.ts';

export interface Passed {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Relayed {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a service does otherwise than ours. */
export interface Mutation {
  readonly request?: (request: Passed) => Passed;
  readonly answer?: (answer: Relayed, request: Passed) => Relayed;
}

/** A server on 127.0.0.1 that relays every byte to the service, and changes one thing on the way. */
export function startMutatingFront(
  target: string,
  { request: onRequest, answer: onAnswer }: Mutation = {},
): Promise<Listening> {
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = incoming;
    const received = { method, path, headers, body: await buffer(incoming) };
    const passed = onRequest?.(received) ?? received;
    const relayed = await relay(target, passed);
    const { status, headers: answered, body } = onAnswer?.(relayed, passed) ?? relayed;
    const rest = Object.fromEntries(
      Object.entries(answered).filter(([name, value]) => value !== undefined && name !== 'transfer-encoding'),
    );
    response.writeHead(status, method === 'HEAD' ? rest : { ...rest, 'content-length': body.length }).end(body);
  };
  // Its own limit for headers must not hide the service's.
  const server = createServer({ maxHeaderSize: 65_536 }, (incoming, response) => {
    handle(incoming, response).catch(() => response.destroy());
  });
  return serveOnLoopback(server);
}

function relay(target: string, { method, path, headers, body }: Passed): Promise<Relayed> {
  const { hostname, port } = new URL(target);
  const { connection: _, 'transfer-encoding': __, ...sent } = headers;
  return new Promise((resolve, reject) => {
    const length = body.length > 0 ? { 'content-length': body.length } : {};
    const options = { method, path, hostname, port, agent: false, headers: { ...sent, ...length } };
    const request = requestHttp(options, (response) => {
      buffer(response).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes }),
        reject,
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}
