import { createHmac } from 'node:crypto';
import { SECRET_PREFIX } from './callback-secret.ts';

export interface CallbackStamp {
  /** The event's id, the same in every repeat and replay. It must not contain a dot, which separates what is signed. */
  readonly id: string;
  /** When this attempt is made, in seconds since 1970. */
  readonly atSeconds: number;
  /** One signature for each, in this order: the receiver needs to know one of them. */
  readonly secrets: readonly string[];
}

/**
 * The headers that let a receiver verify a callback: Standard Webhooks, symmetric signatures (`v1`, HMAC-SHA256 over
 * `id.timestamp.body`).
 * @param body exactly as it is sent, in UTF-8
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signCallback(body: string, { id, atSeconds, secrets }: CallbackStamp): Record<string, string> {
  const signed = `${id}.${atSeconds}.${body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(atSeconds), 'webhook-signature': signatures.join(' ') };
}
