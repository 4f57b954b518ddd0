import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WireRequest } from './exchange.ts';

export type { WireRequest };

// As bundled: `require`, so that nothing but Node's own code stands between this and the socket.
const { Agent, request } = process.getBuiltinModule('node:https');

const agent = new Agent({ keepAlive: true });
/** What `request-cancellation` sends when warm. */
export const readRequests = (): readonly WireRequest[] =>
  JSON.parse(readFileSync(join(__dirname, 'requests.json'), 'utf8'));
const requests = readRequests();

export const send = ({ url, method, headers, body }: WireRequest): Promise<number> =>
  new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => resolve(bytes));
    });
    outgoing.end(body);
  });

/**
 * The least that a happy path can cost: the requests that `request-cancellation` sends when warm, byte for byte, one after
 * the other over kept connections; no SDK, no signature, no check of what comes back.
 */
export const handler = async (): Promise<object> => {
  for (const one of requests) await send(one);
  return { statusCode: 200, body: '{}' };
};
