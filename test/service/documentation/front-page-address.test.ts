import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { expect, test } from 'vitest';

/** The bundle: only esbuild imports files as text. */
const bundle = new URL('../../../dist/functions/read-documentation/index.mjs', import.meta.url).href;
const { handler }: { handler: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult> } = await import(bundle);

/** API Gateway's event for the front page: `requestContext.path` begins with the stage, or with the path of a domain. */
function eventFor(path: string): APIGatewayProxyEvent {
  const requestContext = { requestId: 'r-1', path };
  return { resource: '/', path: '/', httpMethod: 'GET', headers: {}, multiValueHeaders: {}, requestContext } as never;
}

test.each(['/', '/live/', '/cancel/v2/'])('the front page is served at %s', async (path) => {
  const { statusCode } = await handler(eventFor(path));

  expect(statusCode).toBe(200);
});

test.each([
  ['/live', '/live/'],
  ['/cancel/v2', '/cancel/v2/'],
])('%s leads to %s, where its relative links are right', async (path, to) => {
  const { statusCode, headers } = await handler(eventFor(path));

  expect(statusCode).toBe(308);
  expect(new URL(String(headers?.['Location']), `https://host${path}`).pathname).toBe(to);
});
