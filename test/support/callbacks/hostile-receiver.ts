import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { listenOnLoopback, readBody } from '../../../infra/local/aws/loopback.ts';
import { Random } from '../../proof/simulation/random.ts';

const HINTS = 'HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n'.repeat(100);

/** What the receiver does with a request, once it has read all of it. */
const behaviours = {
  ok: ({ answer }) => answer(200),
  created: ({ answer }) => answer(201, {}, '{"received":true}'),
  no_content: ({ answer }) => answer(204),
  /** Says nothing at all. */
  silent: () => undefined,
  slow_headers: ({ socket }) => repeat(socket, 'HTTP/1.1 200 OK\r\n', 'x-a: 1\r\n', 100),
  drip: ({ socket }) => repeat(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n', 'a', 100),
  moved: ({ answer }) => answer(301, { location: '/ok' }),
  moved_on: ({ answer }) => answer(307, { location: '/ok' }),
  huge: ({ answer }) => answer(200, {}, 'a'.repeat(65_537)),
  largest: ({ answer }) => answer(200, {}, 'a'.repeat(65_536)),
  huge_headers: ({ answer }) => answer(200, { 'x-a': 'a'.repeat(20_000) }),
  endless_chunks: ({ socket }) =>
    repeat(socket, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', `1000\r\n${'a'.repeat(4_096)}\r\n`),
  endless_hints: ({ socket }) => repeat(socket, HINTS, HINTS),
  gone: ({ answer }) => answer(410, {}, 'a'.repeat(100_000)),
  limited: ({ answer }) => answer(429, { 'retry-after': '7' }),
  limited_until: ({ answer }) =>
    answer(429, { date: 'Mon, 02 Nov 2026 09:00:00 GMT', 'retry-after': 'Mon, 02 Nov 2026 09:01:30 GMT' }),
  limited_soon: ({ answer }) => answer(429, { 'retry-after': 'soon' }),
  broken: ({ answer }) => answer(500, {}, '<h1>Internal Server Error</h1>'),
  unavailable: ({ answer }) => answer(503, { 'retry-after': '120' }),
  reset: ({ socket }) => socket.resetAndDestroy(),
  closes: ({ socket }) => socket.destroy(),
  closes_early: ({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nreceived'),
  not_http: ({ socket }) => socket.end('220 mail.partner.example ESMTP\r\n'),
  upgrades: ({ socket }) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n'),
} satisfies Record<string, (exchange: Exchange) => unknown>;
export type ReceiverBehaviour = keyof typeof behaviours;

interface Exchange {
  readonly socket: Socket;
  readonly answer: (status: number, headers?: Readonly<Record<string, string>>, body?: string) => unknown;
}

/** A request as it arrived. */
export interface Arrival {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly id: string;
  readonly path: string;
  readonly behaviour: ReceiverBehaviour;
  /** As sent: name, value, name, value … */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** What the published verifier has against it. */
  readonly objection: string | undefined;
}

export interface HostileReceiver {
  /** `http://127.0.0.1:…`, or https; a path names the behaviour: `/ok`, `/drip`. */
  readonly url: string;
  readonly port: number;
  /** All requests, in their order. */
  readonly arrivals: readonly Arrival[];
  /** Connections that were opened, also those over which no request came. */
  connections(): number;
  /** Connections that are open still. */
  open(): number;
  /** What it does from now on where the path names no behaviour. @default 'ok' */
  behave(next: ReceiverBehaviour | ((arrived: number, path: string) => ReceiverBehaviour)): void;
  close(): Promise<void>;
}

export interface HostileReceiverOptions {
  /** Each request must be signed with one of these (`whsec_…`); without, signatures are not looked at. */
  readonly secrets?: readonly string[];
  /** Serves https with this certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Opens connections and reads nothing: with https, no handshake begins. */
  readonly neverReads?: boolean;
}

/**
 * The one imitation of partners' endpoints: a real HTTP or HTTPS server on 127.0.0.1 that treats its callers badly, records
 * what arrives, and verifies each signature with the library that Standard Webhooks publishes.
 */
export async function startHostileReceiver(options: HostileReceiverOptions = {}): Promise<HostileReceiver> {
  const { secrets, tls, neverReads = false } = options;
  const arrivals: Arrival[] = [];
  const sockets = new Set<Socket>();
  let opened = 0;
  let behave: (arrived: number, path: string) => ReceiverBehaviour = () => 'ok';

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = await readBody(request, 1_000_000);
    const body = read.kind === 'read' ? read.bytes.toString('utf8') : read.kind;
    const { rawHeaders, headers, url: path = '' } = request;
    const [named = ''] = path.slice(1).split('?');
    const behaviour = isBehaviour(named) ? named : behave(arrivals.length, path);
    const id = String(headers['webhook-id']);
    arrivals.push({
      atMs: Date.now(),
      id,
      path,
      behaviour,
      rawHeaders,
      body,
      objection: secrets && objectionTo(body, headers, secrets),
    });
    const answer: Exchange['answer'] = (status, more, text) => response.writeHead(status, { ...more }).end(text);
    behaviours[behaviour]({ socket: request.socket, answer });
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => void receive(request, response);
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  if (neverReads) server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    opened += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (neverReads) socket.pause();
  });
  // A client that does not trust the certificate.
  server.on('tlsClientError', () => undefined);
  server.on('clientError', (_error, socket) => socket.destroy());
  const port = await listenOnLoopback(server);
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    arrivals,
    connections: () => opened,
    open: () => sockets.size,
    behave: (next) => (behave = typeof next === 'string' ? () => next : next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Works and fails by turns, by a seeded chance. */
export function flapping(seed: number, failing: number): () => ReceiverBehaviour {
  const random = new Random(seed);
  return () =>
    random.chance(failing)
      ? random.pick(['broken', 'unavailable', 'limited', 'reset', 'closes', 'closes_early'])
      : 'ok';
}

/** A name server that says something else each time it is asked, as in a rebinding attack; the last answer stays. */
export function createRebindingResolver(...answers: readonly (readonly string[])[]) {
  const asked: string[] = [];
  return {
    asked,
    resolve: async (hostname: string): Promise<readonly string[]> => {
      asked.push(hostname);
      return answers[Math.min(asked.length, answers.length) - 1] ?? [];
    },
  };
}

export function isBehaviour(name: string): name is ReceiverBehaviour {
  return Object.hasOwn(behaviours, name);
}

function objectionTo(
  body: string,
  headers: IncomingMessage['headers'],
  secrets: readonly string[],
): string | undefined {
  const objections = secrets.map((secret) => {
    try {
      new Webhook(secret).verify(body, headers as Record<string, string>);
      return undefined;
    } catch (error) {
      return String(error);
    }
  });
  return objections.includes(undefined) ? undefined : objections.join('; ');
}

function repeat(socket: Socket, first: string, then: string, everyMs = 5): void {
  socket.write(first);
  const timer = setInterval(() => socket.write(then), everyMs);
  socket.once('close', () => clearInterval(timer));
}
