import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenOnLoopback } from '../listen-on-loopback.ts';

/** One invocation on its way to a container. */
export interface Invocation {
  readonly requestId: string;
  readonly functionArn: string;
  /** JSON. */
  readonly event: string;
  readonly timeoutMs: number;
}

/** What the container tells of itself, in the words of the Runtime API. */
export interface RuntimeApiEvents {
  /** The first request for an invocation: initialisation is over. */
  readonly onReady: () => void;
  /** The invocation has left for the container: its time runs. */
  readonly onDelivered: (invocation: Invocation) => void;
  readonly onResponse: (requestId: string, payload: string) => void;
  readonly onError: (requestId: string, error: string) => void;
  readonly onInitError: (error: string) => void;
}

export interface RuntimeApi {
  /** `127.0.0.1:port`, for `AWS_LAMBDA_RUNTIME_API`. */
  readonly address: string;
  /** Hands an invocation to the container as soon as it asks for one. */
  deliver(invocation: Invocation): void;
  close(): void;
}

const prefix = '/2018-06-01/runtime/';

/**
 * Lambda's Runtime API for one container, on loopback.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export const startRuntimeApi = async (events: RuntimeApiEvents): Promise<RuntimeApi> => {
  let waiting: ServerResponse | undefined;
  let pending: Invocation | undefined;

  const meet = (): void => {
    if (waiting === undefined || pending === undefined) return;
    const [response, invocation] = [waiting, pending];
    waiting = pending = undefined;
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': invocation.requestId,
      'Lambda-Runtime-Deadline-Ms': String(Date.now() + invocation.timeoutMs),
      'Lambda-Runtime-Invoked-Function-Arn': invocation.functionArn,
    });
    response.end(invocation.event);
    events.onDelivered(invocation);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.startsWith(prefix) === true ? request.url.slice(prefix.length) : '';
    if (request.method === 'GET' && path === 'invocation/next') {
      waiting = response;
      events.onReady();
      meet();
      return;
    }
    const body = await text(request);
    const [, requestId, kind] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (request.method !== 'POST' || (requestId === undefined && path !== 'init/error')) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(202).end();
    if (requestId === undefined) events.onInitError(body);
    else if (kind === 'response') events.onResponse(requestId, body);
    else events.onError(requestId, body);
  };

  const server = createServer((request, response) => {
    // A container that dies while it speaks is noticed by its exit.
    handle(request, response).catch(() => response.destroy());
  });
  // A container may wait for its next invocation for hours.
  server.keepAliveTimeout = 0;

  return {
    address: `127.0.0.1:${await listenOnLoopback(server)}`,
    deliver: (invocation) => {
      pending = invocation;
      meet();
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
