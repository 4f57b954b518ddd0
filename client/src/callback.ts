import type { ClosedCancellation, OpenCancellation } from './contract.ts';
import type { Refusal } from './results.ts';

/** What happened, when, and the facts. */
interface CallbackOf<Type extends string, Data> {
  readonly type: Type;
  /** The `webhook-id`, the same on every repeat: if you have handled it, answer 2xx and do nothing. */
  readonly id: string;
  /** When it happened (RFC 3339, UTC), not when it was sent. */
  readonly timestamp: string;
  readonly data: Data;
}

/** A cancellation was closed: `data.outcome` says how. */
export type CancellationClosed = CallbackOf<'cancellation.closed', ClosedCancellation>;

/** A cancellation has been open for so long that the service's operators were alerted. Its end follows. */
export type CancellationEscalated = CallbackOf<'cancellation.escalated', OpenCancellation>;

/** A request of yours reached no job: nothing was done. */
export type CancellationRefused = CallbackOf<'cancellation.refused', RefusedRequest>;

/** A refused request, with the externalId that it asked for. */
export interface RefusedRequest extends Refusal {
  readonly externalId: string;
}

/** An operator tests your address. Nothing happened. */
export type CallbackTest = CallbackOf<'callback.test', { readonly testId: string }>;

/** Distinguished by `type`. Give your `switch` a default that answers 2xx: a newer service may have more types. */
export type Callback = CancellationClosed | CancellationEscalated | CancellationRefused | CallbackTest;
