import { Agent as HttpAgent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { PlangrepOrigin } from './plangrep-origin.ts';

/** Connections to one origin, kept alive between requests. */
export interface Connections {
  /** Begins a request over an idle connection, the one that was opened ahead, or a new one. */
  request(options: Pick<RequestOptions, 'method' | 'path' | 'headers'>): ClientRequest;
  /** Whether a request's connection has opened: with TLS, after the check of the certificate. */
  hasOpened(request: ClientRequest): boolean;
  /**
   * Opens a connection ahead of a request that will probably come, beside other work, unless one is there: TCP and TLS
   * alone, without a byte of a request. At most one waits. If it fails, the request opens another.
   */
  openAhead(): void;
}

/**
 * A connection that was idle for longer is not used again: a Lambda is frozen between invocations, so it learns too late
 * that the other end has closed, or that a NAT has forgotten the connection, and a request on it ends as "unknown", never
 * as a retry. Among the usual servers Node's own closes idle connections first, after 5 s.
 */
const MAX_IDLE_MS = 4_000;

/** Node's defaults, which its command line could change; Plangrep is not trusted. */
const strictParsing = { maxHeaderSize: 16_384, insecureHTTPParser: false };

/**
 * Each connection has its own age, by `now`: others that are in use do not make it younger.
 * @param now milliseconds since 1970; a monotonic clock may stand still while a Lambda is frozen
 */
export function createConnections({ protocol, hostname, port }: PlangrepOrigin, now: () => number): Connections {
  const isTls = protocol === 'https:';
  const [request, agent] = isTls
    ? [httpsRequest, new HttpsAgent({ keepAlive: true })]
    : [httpRequest, new HttpAgent({ keepAlive: true })];
  const opened = new WeakSet<object>();
  /** When a connection was last known to be good: for one that waits for its first request, when it began to open. */
  const idleSince = new WeakMap<object, number>();
  let ahead: Socket | undefined;
  let session: Buffer | undefined;

  function open(): Socket {
    const where = { host: hostname, port, noDelay: true };
    const servername = isIP(hostname) === 0 ? hostname : '';
    const tls = { servername, session, rejectUnauthorized: true, ALPNProtocols: ['http/1.1'] };
    const socket = isTls ? connectTls({ ...where, ...tls }) : connectTcp(where);
    // Node writes nothing of a request before this event.
    socket.once(isTls ? 'secureConnect' : 'connect', () => opened.add(socket));
    // Resuming a session saves most of a handshake's CPU.
    socket.on('session', (newest) => (session = newest));
    socket.once('close', (hadError) => {
      if (hadError) session = undefined; // It may be the session that the server does not take.
    });
    return socket;
  }

  function isUsable(socket: Socket): boolean {
    const age = now() - Number(idleSince.get(socket));
    return !socket.destroyed && age >= 0 && age <= MAX_IDLE_MS;
  }

  /** The one that was idle for longest first. */
  function idleSockets(): Socket[] {
    return Object.values(agent.freeSockets)
      .flat()
      .filter((socket) => socket !== undefined);
  }

  function closeStale(): void {
    const idle = idleSockets();
    // The agent takes the last one, and those before it were idle for longer, even if the clock was set meanwhile.
    const last = idle.findLastIndex((socket) => !isUsable(socket));
    for (const socket of idle.slice(0, last + 1)) socket.destroy();
    if (ahead !== undefined && !isUsable(ahead)) takeAhead()?.destroy();
  }

  function takeAhead(): Socket | undefined {
    const taken = ahead;
    ahead = undefined;
    return taken;
  }

  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => {
    idleSince.set(socket, now());
    return keepSocketAlive(socket);
  };
  agent.createConnection = () => {
    const socket = takeAhead();
    // Bytes before any request are not an answer to it: some servers say 408 to a connection that only waits.
    if (socket?.readableLength === 0) return socket.ref();
    socket?.destroy();
    return open();
  };

  return {
    request(options) {
      closeStale();
      return request({ ...strictParsing, ...options, agent, hostname, port });
    },
    hasOpened: ({ socket }) => socket !== null && opened.has(socket),
    openAhead() {
      closeStale();
      if (ahead !== undefined || idleSockets().some(isUsable)) return;
      ahead = open().unref();
      ahead.on('error', () => undefined);
      idleSince.set(ahead, now());
    },
  };
}
