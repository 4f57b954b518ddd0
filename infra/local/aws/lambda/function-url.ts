import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { LambdaFunctionURLEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { checkSource, type Listening, readBody, serveOnLoopback } from '../loopback.ts';
import type { InvocationResult } from './container.ts';

const MAX_BODY_BYTES = 6 * 1024 * 1024;
const answerSchema = z.object({
  statusCode: z.int().check(z.gte(200), z.lte(599)),
  headers: z.optional(z.record(z.string(), z.string())),
  body: z.optional(z.string()),
});

/**
 * A Lambda function URL without IAM, on 127.0.0.1: a request becomes an event of payload format 2.0, the function's
 * answer becomes the response, its failure a 502. The answer must have a `statusCode`, and cannot be base64.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 */
export function startFunctionUrl(
  invoke: (event: LambdaFunctionURLEvent) => Promise<InvocationResult>,
): Promise<Listening> {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const source = checkSource(request);
    if (source.kind === 'foreign') return send(response, 403, source.why);
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body.kind === 'lost') return;
    if (body.kind === 'too_large') return send(response, 413, 'Request Entity Too Large');
    const result = await invoke(toEvent(request, body.bytes));
    const { data } = answerSchema.safeParse(result.kind === 'answered' ? result.payload : undefined);
    if (data === undefined) return send(response, 502, 'Internal Server Error');
    response.writeHead(data.statusCode, data.headers).end(data.body);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  return serveOnLoopback(server);
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' }).end(text);
}

function toEvent({ method = '', url = '/', headers }: IncomingMessage, body: Buffer): LambdaFunctionURLEvent {
  const [rawPath = '/', rawQueryString = ''] = url.split(/\?(.*)/s);
  const now = new Date();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    // Format 2.0 joins several headers of one name, and has cookies in another field.
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
    ...(body.length > 0 && { body: body.toString() }),
    isBase64Encoded: false,
  };
}
