import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { expect, test } from 'vitest';
import { serve } from '../../../functions/doors/http/serve.ts';
import { createMemoryPorts } from '../../support/memory-ports.ts';

const { clock } = createMemoryPorts();
const caller = { partnerId: 'acme', keyId: 'acmelocal001', scopes: 'cancellations:read' };

/** One request, after an authorizer that answered `authorizer`. */
async function request(authorizer: unknown) {
  const callers: unknown[] = [];
  const handler = serve('cancellations:read', { clock, report: () => undefined }, async (_event, by) => {
    callers.push(by);
    return { kind: 'success', status: 200, body: {} };
  });
  const event = { requestContext: { requestId: 'request-1', authorizer } } as unknown as APIGatewayProxyEvent;
  const { statusCode } = await handler(event, { getRemainingTimeInMillis: () => 15_000 } as Context);
  return { statusCode, callers };
}

test('a request is served as the partner and the key that the authorizer names', async () => {
  const { statusCode, callers } = await request(caller);

  expect(statusCode).toBe(200);
  expect(callers).toMatchObject([{ partnerId: 'acme', keyId: 'acmelocal001' }]);
});

test.each([
  ['no keyId', { ...caller, keyId: undefined }],
  ['a keyId that is the text undefined', { ...caller, keyId: 'undefined' }],
  ['an empty keyId', { ...caller, keyId: '' }],
  ['no partnerId', { ...caller, partnerId: undefined }],
  ['nothing', null],
])('a request whose authorizer names %s is not served, so the log never holds such a name', async (_, authorizer) => {
  const { statusCode, callers } = await request(authorizer);

  expect(statusCode).toBe(500);
  expect(callers).toEqual([]);
});
