import type { PartnerId } from '../identifiers.ts';
import type { CallbackRecord } from './callback-record.ts';
import { validVersions } from './callback-secret.ts';
import type { CallbackEndpoint, CallbackPorts } from './ports.ts';
import { signCallback } from './sign-callback.ts';

export interface Callback {
  readonly partnerId: PartnerId;
  /** The same on every attempt. */
  readonly webhookId: string;
  /** JSON */
  readonly body: string;
}

/** How an endpoint took a callback. */
export type Posted =
  | { readonly kind: 'delivered'; readonly httpStatus: number }
  | {
      readonly kind: 'failed';
      readonly why: CallbackRecord['why'];
      readonly httpStatus?: number | undefined;
      readonly retryAfterMs?: number | undefined;
    };

/**
 * Signs a callback by every secret that is valid now, and posts it, unless the endpoint has been slow just before.
 * @throws DependencyUnavailable when no secret can be had
 */
export async function postSigned(
  { post, secretOf, slowEndpoints, clock }: CallbackPorts,
  { url, ...secrets }: CallbackEndpoint,
  { partnerId, webhookId, body }: Callback,
): Promise<Posted> {
  if (slowEndpoints.isSlow(url)) return { kind: 'failed', why: 'endpoint_slow' };
  const startedMs = clock.now();
  const versions = validVersions(secrets, startedMs);
  const headers = signCallback(body, {
    id: webhookId,
    atSeconds: Math.floor(startedMs / 1_000),
    secrets: await Promise.all(versions.map((version) => secretOf(partnerId, version))),
  });
  const answer = await post({ url, headers, body });
  const isDelivered = answer.kind === 'answered' && answer.httpStatus >= 200 && answer.httpStatus < 300;
  slowEndpoints.note(url, isDelivered, clock.now() - startedMs);
  if (answer.kind === 'failed') return answer;
  const { httpStatus, retryAfterMs } = answer;
  return isDelivered
    ? { kind: 'delivered', httpStatus }
    : { kind: 'failed', why: 'http_status', httpStatus, retryAfterMs };
}
