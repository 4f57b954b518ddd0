import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { createSigner } from '../../local/aws/access-keys.ts';
import type { ServiceAccess } from '../places/place.ts';

/** An error answer of API Gateway's own API, marked as the SDK marks its errors. */
export class ApiGatewayError extends Error {
  readonly $metadata: { readonly httpStatusCode: number };
  constructor(name: string, message: string, status: number) {
    super(message);
    this.name = name;
    this.$metadata = { httpStatusCode: status };
  }
}

/** One call: `call('POST', '/apikeys', { body: … })`. @throws ApiGatewayError; the system's error without an answer */
export type CallApiGateway = (
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  what?: { readonly query?: Readonly<Record<string, string>>; readonly body?: object },
) => Promise<unknown>;

const TRIES = 4;
const TIME_LIMIT_MS = 15_000;

/**
 * API Gateway's control plane. Its client in the SDK is a package of 5.5 MB for the eight calls that `ops` makes; they are
 * signed by the SDK's own signer. A call is repeated when API Gateway has too many (429, which it answers at a few calls a
 * second) or fails.
 * @see https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
 */
export function createApiGateway(
  { endpoint, region, credentials }: ServiceAccess,
  { firstPauseMs = 500 } = {},
): CallApiGateway {
  const signer = createSigner(credentials, region, 'apigateway', true);
  return async (method, path, { query = {}, body } = {}) => {
    const { protocol, hostname, host } = new URL(endpoint);
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const unsigned = {
      method,
      protocol,
      hostname,
      path,
      query,
      headers: {
        Host: host,
        Accept: 'application/json',
        ...(sent !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(sent !== undefined && { body: sent }),
    };
    const url = `${endpoint}${path}${Object.keys(query).length > 0 ? `?${new URLSearchParams(query).toString()}` : ''}`;
    for (let tries = 1; ; tries += 1) {
      const { headers } = await signer.sign(unsigned);
      const signal = AbortSignal.timeout(TIME_LIMIT_MS);
      const request = { method, headers, signal, ...(sent !== undefined && { body: sent }) };
      const response = await fetch(url, request).catch((error: unknown) => {
        throw error instanceof TypeError ? (error.cause ?? error) : error;
      });
      const text = await response.text();
      if (response.ok) return text === '' ? undefined : JSON.parse(text);
      if (tries === TRIES || (response.status !== 429 && response.status < 500)) throw toError(response, text);
      await sleep(firstPauseMs * 2 ** (tries - 1));
    }
  };
}

function toError({ status, headers }: Response, text: string): ApiGatewayError {
  const name = headers.get('x-amzn-errortype')?.split(':', 1)[0] ?? `HTTP ${status}`;
  return new ApiGatewayError(name, messageIn(text), status);
}

const errorSchema = z.object({ message: z.string() });

function messageIn(text: string): string {
  try {
    return errorSchema.parse(JSON.parse(text)).message;
  } catch {
    return text;
  }
}
