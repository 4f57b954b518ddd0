import type { IncomingMessage } from 'node:http';
import { InvalidCallbackError, verifyCallback } from '../../../client/src/verify-callback.ts';
import { createCallbackEndpoints, endpointKey } from '../../../functions/adapters/dynamodb/callback-endpoints.ts';
import { type Table, updateItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { deriveSecret, validVersions } from '../../../functions/core/callbacks/callback-secret.ts';
import type { CallbackEndpoints } from '../../../functions/core/callbacks/ports.ts';
import { type PartnerId, partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { readBody } from '../aws/loopback.ts';
import type { RunParts } from '../run.ts';

/** Where the partners' callbacks can go: to the console, for those who have no receiver yet, or nowhere. */
export const endpoints = {
  confirms: {
    title: 'To this console, which confirms',
    what: '204: It verifies the signature of each, as a partner does.',
  },
  fails: {
    title: 'To this console, which fails',
    what: '503: The service tries again after 5 s, then 5 min: ten times in three days.',
  },
  gone: {
    title: 'To this console, which is gone',
    what: '410: The service pauses the callbacks of that partner, and keeps them.',
  },
  none: { title: 'Nowhere', what: 'The partners have no endpoint.' },
} as const;
export type EndpointId = keyof typeof endpoints;

/** What the console answers to a callback whose signature it has verified. */
const statuses = { confirms: 204, fails: 503, gone: 410 } as const;
export type ReceiverAnswer = keyof typeof statuses;

const RECEIVER = '/console/callbacks/';
/** More than the largest callback has. */
const MAX_BYTES = 262_144;

const urlOf = (port: number, partnerId: string): string => `http://127.0.0.1:${port}${RECEIVER}${partnerId}`;

/** Whether a request is for the console's own endpoint, which needs no key: a callback is signed. */
export function isForReceiver(path: string): boolean {
  return path.startsWith(RECEIVER);
}

/**
 * Sends the callbacks of every partner of the run to the console, or nowhere. An endpoint that an operator has set is replaced;
 * the secret of a partner stays, and a pause ends.
 * @param port the console's
 */
export async function setEndpoint(id: EndpointId, port: number, parts: RunParts): Promise<void> {
  for (const { partnerId } of parts.partners) {
    await updateItem(tableOf(parts), endpointKey(partnerIdSchema.parse(partnerId)), {
      UpdateExpression:
        id === 'none'
          ? 'REMOVE #url, pausedAt, pausedWhy SET #version = if_not_exists(#version, :first)'
          : 'SET #url = :url, #version = if_not_exists(#version, :first) REMOVE pausedAt, pausedWhy',
      ExpressionAttributeNames: { '#url': 'url', '#version': 'version' },
      values: { ':first': 1, ...(id !== 'none' && { ':url': urlOf(port, partnerId) }) },
    });
  }
}

/** @returns where the callbacks of all partners go; null: an operator has given one of them another endpoint */
export async function readEndpoint(answer: ReceiverAnswer, port: number, parts: RunParts): Promise<EndpointId | null> {
  const read = parts.partners.map(async ({ partnerId }) => {
    const endpoint = await endpointOf(partnerIdSchema.parse(partnerId), parts);
    if (endpoint === undefined) return 'none';
    return endpoint.url === urlOf(port, partnerId) ? answer : null;
  });
  const [first = null, ...others] = await Promise.all(read);
  return others.every((other) => other === first) ? first : null;
}

/**
 * Takes one callback as a partner's receiver does.
 * @returns the status to answer; 400 with a message for what is not a callback of this run
 */
export async function receiveCallback(
  request: IncomingMessage,
  { path, answer, parts }: { readonly path: string; readonly answer: ReceiverAnswer; readonly parts: RunParts },
): Promise<{ readonly status: number; readonly message: string }> {
  const read = await readBody(request, MAX_BYTES);
  const partnerId = partnerIdSchema.safeParse(path.slice(RECEIVER.length));
  const secrets = partnerId.success ? await secretsOf(partnerId.data, parts) : [];
  if (read.kind !== 'read' || secrets.length === 0)
    return { status: 400, message: 'This is not a callback of this run.' };
  try {
    await verifyCallback(request.headers, read.bytes, secrets);
    return { status: statuses[answer], message: '' };
  } catch (error) {
    if (error instanceof InvalidCallbackError) return { status: 400, message: error.message };
    throw error;
  }
}

async function secretsOf(partnerId: PartnerId, parts: RunParts): Promise<readonly string[]> {
  const endpoint = await endpointOf(partnerId, parts);
  if (endpoint === undefined) return [];
  return validVersions(endpoint, Date.now()).map((version) => deriveSecret(parts.callbackSecret, partnerId, version));
}

function endpointOf(partnerId: PartnerId, parts: RunParts): ReturnType<CallbackEndpoints['read']> {
  const { client, name } = tableOf(parts);
  return createCallbackEndpoints(client, name).read(partnerId);
}

function tableOf({ dynamodb }: RunParts): Table {
  return { client: dynamodb.client, name: dynamodb.tableNames.Partners, dependency: 'partners' };
}
