import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WireRequest } from './replay.ts';

export type { WireRequest };

// Like `require` in the bundles: the ESM facade of node:https would load undici.
const { Agent, request } = process.getBuiltinModule('node:https');

const agent = new Agent({ keepAlive: true });
/** @returns what a warm `request-cancellation` sends */
export function readRequests(): readonly WireRequest[] {
  return JSON.parse(readFileSync(join(__dirname, 'requests.json'), 'utf8'));
}
const requests = readRequests();

export function send({ url, method, headers, body }: WireRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => resolve(bytes));
    });
    outgoing.end(body);
  });
}

/**
 * The least that a happy path can cost: the requests of a warm `request-cancellation`, byte for byte, one after the other
 * over kept connections, without an SDK, a signature or a check of the answers.
 */
export const handler = async (): Promise<object> => {
  for (const one of requests) await send(one);
  return { statusCode: 200, body: '{}' };
};
