import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { LambdaFunctionURLEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { readBody } from '../gateway/read-body.ts';
import { listenOnLoopback } from '../listen-on-loopback.ts';
import type { InvocationResult } from './container.ts';

export interface FunctionUrlOptions {
  /** @default a free one */
  readonly port?: number;
  readonly invoke: (event: LambdaFunctionURLEvent) => Promise<InvocationResult>;
}

export interface FunctionUrl {
  /** An origin, as `PLANGREP_BASE_URL` is one; http on this machine. */
  readonly url: string;
  /** Ends at once: requests under way lose their connection. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 6 * 1024 * 1024;
const answerSchema = z.object({
  statusCode: z.int().check(z.gte(200), z.lte(599)),
  headers: z.optional(z.record(z.string(), z.string())),
  body: z.optional(z.string()),
});

/**
 * A Lambda function URL without IAM on 127.0.0.1: a request becomes an event of payload format 2.0, the function's answer
 * the response, and its failure a 502. Of that format's answers it takes those with a `statusCode` alone, and no base64.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 */
export const startFunctionUrl = async ({ port, invoke }: FunctionUrlOptions): Promise<FunctionUrl> => {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body.kind === 'lost') return;
    if (body.kind === 'too_large') return send(response, 413, 'Request Entity Too Large');
    const result = await invoke(toEvent(request, body.text));
    const { data } = answerSchema.safeParse(result.kind === 'answered' ? result.payload : undefined);
    if (data === undefined) return send(response, 502, 'Internal Server Error');
    response.writeHead(data.statusCode, data.headers).end(data.body);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const listening = await listenOnLoopback(server, port);
  return {
    url: `http://127.0.0.1:${listening}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const send = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { 'Content-Type': 'text/plain' }).end(text);
};

const toEvent = ({ method = '', url = '/', headers }: IncomingMessage, body: string | null): LambdaFunctionURLEvent => {
  const [rawPath = '/', rawQueryString = ''] = url.split(/\?(.*)/s);
  const now = new Date();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    // Several of one name are one, and cookies stand elsewhere.
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined || name === 'cookie' ? [] : [[name, value.toString()]],
      ),
    ),
    requestContext: {
      accountId: 'anonymous',
      apiId: 'local',
      domainName: 'local.lambda-url.localhost',
      domainPrefix: 'local',
      http: {
        method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(body !== null && { body }),
    isBase64Encoded: false,
  };
};
