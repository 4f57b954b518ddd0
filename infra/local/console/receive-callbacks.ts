import type { IncomingMessage } from 'node:http';
import { InvalidCallbackError, verifyCallback } from '../../../client/src/verify-callback.ts';
import { createCallbackEndpoints, endpointKey } from '../../../functions/adapters/dynamodb/callback-endpoints.ts';
import { type Table, updateItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { deriveSecret, validVersions } from '../../../functions/core/callbacks/callback-secret.ts';
import { type PartnerId, partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { readBody } from '../aws/loopback.ts';
import type { RunParts } from '../run.ts';

/** How the console's own endpoint answers, for those who have no receiver yet. */
export const endpoints = {
  confirms: {
    title: 'To this console, which confirms',
    what: '204: It verifies the signature of each, as a partner does.',
    status: 204,
  },
  fails: {
    title: 'To this console, which fails',
    what: '503: The service tries again after 5 s, then 5 min: ten times in three days.',
    status: 503,
  },
  gone: {
    title: 'To this console, which is gone',
    what: '410: The service pauses the callbacks of that partner, and keeps them.',
    status: 410,
  },
  none: { title: 'Nowhere', what: 'The partners have no endpoint.', status: 404 },
} as const;
export type EndpointId = keyof typeof endpoints;

const RECEIVER = '/console/callbacks/';
/** More than the largest callback has. */
const MAX_BYTES = 262_144;

/** Whether a request is for the console's own endpoint, which needs no key: a callback is signed. */
export function isForReceiver(path: string): boolean {
  return path.startsWith(RECEIVER);
}

/**
 * Sends the callbacks of every partner of the run to the console, or nowhere. An endpoint that an operator has set is replaced;
 * the secret of a partner stays, and a pause ends.
 * @param host of the console: `127.0.0.1:8787`
 */
export async function setEndpoint(id: EndpointId, host: string, parts: RunParts): Promise<void> {
  for (const { partnerId } of parts.partners) {
    await updateItem(tableOf(parts), endpointKey(partnerIdSchema.parse(partnerId)), {
      UpdateExpression:
        id === 'none'
          ? 'REMOVE #url, pausedAt, pausedWhy SET #version = if_not_exists(#version, :first)'
          : 'SET #url = :url, #version = if_not_exists(#version, :first) REMOVE pausedAt, pausedWhy',
      ExpressionAttributeNames: { '#url': 'url', '#version': 'version' },
      values: { ':first': 1, ...(id !== 'none' && { ':url': `http://${host}${RECEIVER}${partnerId}` }) },
    });
  }
}

/**
 * Takes one callback as a partner's receiver does.
 * @returns the status to answer; 400 with a message for what is not a callback of this run
 */
export async function receiveCallback(
  request: IncomingMessage,
  { path, id, parts }: { readonly path: string; readonly id: EndpointId; readonly parts: RunParts },
): Promise<{ readonly status: number; readonly message: string }> {
  const read = await readBody(request, MAX_BYTES);
  const partnerId = partnerIdSchema.safeParse(path.slice(RECEIVER.length));
  const secrets = partnerId.success ? await secretsOf(partnerId.data, parts) : [];
  if (read.kind !== 'read' || secrets.length === 0) return { status: 400, message: 'That is no callback of this run.' };
  try {
    await verifyCallback(request.headers, read.bytes, secrets);
    return { status: endpoints[id].status, message: '' };
  } catch (error) {
    if (error instanceof InvalidCallbackError) return { status: 400, message: error.message };
    throw error;
  }
}

async function secretsOf(partnerId: PartnerId, parts: RunParts): Promise<readonly string[]> {
  const { client, name } = tableOf(parts);
  const endpoint = await createCallbackEndpoints(client, name).read(partnerId);
  if (endpoint === undefined) return [];
  return validVersions(endpoint, Date.now()).map((version) => deriveSecret(parts.callbackSecret, partnerId, version));
}

function tableOf({ dynamodb }: RunParts): Table {
  return { client: dynamodb.client, name: dynamodb.tableNames.Partners, dependency: 'partners' };
}
