import type { CallbackPorts } from '../callbacks/ports.ts';
import { postSigned } from '../callbacks/post-signed.ts';
import { type PartnerId, toTimestamp } from '../identifiers.ts';

/**
 * Posts a callback that tells of nothing, once, also while callbacks are paused: the operator who asked for it finds the
 * result beside the endpoint. It is not on record: nothing depends on it.
 * @param id of the test, which is also the callback's
 */
export async function testCallback(ports: CallbackPorts, partnerId: PartnerId, id: string): Promise<void> {
  const { endpoints, clock, present, report } = ports;
  const endpoint = await endpoints.read(partnerId);
  if (endpoint === undefined) return;
  const at = toTimestamp(clock.now());
  const body = present({ kind: 'test', at, id });
  const posted = await postSigned(ports, endpoint, { partnerId, webhookId: id, body });
  const isDelivered = posted.kind === 'delivered';
  const why = posted.kind === 'failed' ? posted.why : undefined;
  const { httpStatus } = posted;
  await endpoints.keepTest(partnerId, { id, at: toTimestamp(clock.now()), isDelivered, why, httpStatus });
  report('CALLBACK_TESTED', { partnerId, webhookId: id, isDelivered, why, httpStatus });
}
