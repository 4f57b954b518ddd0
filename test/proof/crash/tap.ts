import {
  Agent,
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import * as z from 'zod/mini';
import { listenOnLoopback } from '../../../infra/local/aws/loopback.ts';

export const services = ['dynamodb', 'secretsmanager', 'sqs', 'eventbridge', 'plangrep'] as const;
export type Service = (typeof services)[number];

/** One request that a function sends into the world. */
export interface Effect {
  /** 1, 2, 3 … since `begin`, in the order of arrival. */
  readonly n: number;
  readonly service: Service;
  /** `PutItem CancellationLog requested`, `GetSecretValue`, `POST cancel`. */
  readonly name: string;
  /** As it was sent. */
  readonly body: Buffer;
  readonly head: Head;
}

/** A request's beginning, as it was sent. */
export interface Head {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

export interface Forwarded {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What can be done with an effect instead of passing it on and its answer back. */
export interface Handle {
  /** Lets it happen. Its answer goes nowhere by itself. */
  readonly forward: () => Promise<Forwarded>;
  /** Delivers an answer. */
  readonly answer: (forwarded: Forwarded) => void;
  readonly response: ServerResponse;
}
export type Play = (handle: Handle) => void | Promise<void>;
/** @returns what to do with an effect; nothing to pass it on */
export type Disturb = (effect: Effect) => Play | undefined;

/** Stands between a function's process and every endpoint it knows, on 127.0.0.1. */
export interface Tap {
  readonly urls: Readonly<Record<Service, string>>;
  /** Counts from 1 again, and treats each effect from now on as told. */
  begin(disturb?: Disturb): void;
  /** The effects since `begin`, in order. */
  readonly effects: readonly Effect[];
  /** Where a service is from now on. */
  direct(service: Service, url: string): void;
  /** Refuses every new connection to a service, until `accept`. */
  refuse(service: Service): void;
  accept(): Promise<void>;
  /** Resolves when no effect is under way: what was forwarded has happened. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const bodySchema = z.object({
  TableName: z.optional(z.string()),
  IndexName: z.optional(z.string()),
  Item: z.optional(z.object({ type: z.optional(z.object({ S: z.string() })) })),
});

const nameOf = (service: Service, { method = '', url = '', headers }: IncomingMessage, body: Buffer): string => {
  if (service === 'plangrep')
    return `${method} ${url.endsWith('/cancel') ? 'cancel' : url.includes('/projects/') ? 'list' : 'job'}`;
  const [, operation = ''] = String(headers['x-amz-target']).split('.');
  if (service !== 'dynamodb') return operation;
  const { TableName, IndexName, Item } = bodySchema.parse(JSON.parse(body.toString()));
  return [operation, TableName, IndexName, Item?.type?.S].filter((part) => part !== undefined).join(' ');
};

/** The response that it belongs to frames its own body. */
const framing = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length']);

export const startTap = async (targets: Readonly<Record<Service, string>>): Promise<Tap> => {
  const urls = { ...targets };
  const current = { ...targets };
  const agent = new Agent({ keepAlive: true });
  const servers = new Map<Service, { server: Server; port: number }>();
  /** Open connections, and those of them with a request under way. */
  const open = new Map<Service, Set<Socket>>(services.map((service) => [service, new Set()]));
  const busy = new Set<Socket>();
  const refused = new Set<Service>();
  let effects: Effect[] = [];
  let disturb: Disturb | undefined;
  let underWay = 0;
  let whenIdle: (() => void)[] = [];

  const send = (
    service: Service,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<Forwarded> =>
    new Promise((resolve, reject) => {
      const { method, url, headers } = request;
      const outgoing = httpRequest(`${current[service]}${url}`, { method, headers, agent });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        const read = (bytes: Buffer) =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: bytes });
        buffer(incoming).then(read, reject);
      });
      // Plangrep may be told never to answer; who asked has given up.
      if (service === 'plangrep') response.on('close', () => outgoing.destroy());
      outgoing.end(body);
    });

  const handle = async (service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const { method = '', url = '', headers: sentHeaders } = request;
    const head: Head = { method, url, headers: sentHeaders };
    const effect = { n: effects.length + 1, service, name: nameOf(service, request, body), body, head };
    effects.push(effect);
    const play = disturb?.(effect);
    const answer = ({ status, headers, body: bytes }: Forwarded): void => {
      // A connection that stays open would outlive the refusal.
      if (refused.has(service)) response.shouldKeepAlive = false;
      const kept = Object.entries(headers).filter(([name]) => !framing.has(name));
      response.writeHead(status, { ...Object.fromEntries(kept), 'content-length': bytes.length }).end(bytes);
    };
    const forward = () => send(service, request, body, response);
    if (play === undefined) answer(await forward());
    else await play({ forward, answer, response });
  };

  const listen = async (service: Service, port = 0): Promise<void> => {
    const server = createServer((request, response) => {
      underWay += 1;
      busy.add(request.socket);
      handle(service, request, response)
        // A reset upstream or a killed client: the connection goes the same way.
        .catch(() => response.destroy())
        .finally(() => {
          underWay -= 1;
          busy.delete(request.socket);
          if (underWay === 0) for (const resolve of whenIdle.splice(0)) resolve();
        })
        .catch(() => undefined);
    });
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      open.get(service)?.add(socket);
      socket.on('close', () => open.get(service)?.delete(socket));
    });
    const listening = await listenOnLoopback(server, port);
    servers.set(service, { server, port: listening });
    urls[service] = `http://127.0.0.1:${listening}`;
  };
  for (const service of services) await listen(service);

  return {
    urls,
    get effects() {
      return effects;
    },
    begin(next) {
      effects = [];
      disturb = next;
    },
    direct(service, url) {
      current[service] = url;
    },
    refuse(service) {
      refused.add(service);
      servers.get(service)?.server.close();
      // Those too that were opened before there was a request: for Node such a connection is not idle.
      for (const socket of open.get(service) ?? []) if (!busy.has(socket)) socket.destroy();
    },
    async accept() {
      for (const service of refused) {
        servers.get(service)?.server.closeAllConnections();
        await listen(service, servers.get(service)?.port);
      }
      refused.clear();
    },
    idle: () => (underWay === 0 ? Promise.resolve() : new Promise((resolve) => whenIdle.push(resolve))),
    close: async () => {
      agent.destroy();
      await Promise.all(
        [...servers.values()].map(
          ({ server }) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        ),
      );
    },
  };
};
