import type { Asked } from './cancellation/events.ts';
import type { JobId, PartnerId, Timestamp } from './identifiers.ts';

/** Which delivery of a request this is: an event may come several times, a request over HTTPS once. */
export interface Delivery {
  /** From 1 on. */
  readonly number: number;
  /** The request is delivered at most so often. */
  readonly max: number;
}

/** "Cancel this job", as every door hands it to the core: validated, the partner known by its credential or rule. */
export interface CancelRequest extends Asked {
  readonly partnerId: PartnerId;
  /** Which of several jobs with the externalId. */
  readonly jobId?: JobId | undefined;
  /** The `Idempotency-Key`, or the event's `id`. */
  readonly requestKey?: string | undefined;
  /** The event's own `time`: which jobs it means follows from that, unless `jobId` names one (`find-job/reach.ts`). */
  readonly eventTime?: Timestamp | undefined;
  /** When the queue took the event, by AWS's clock. @default when this delivery came */
  readonly sentAt?: Timestamp | undefined;
  /** `provisional`: the queue delivers the request again, so a refusal is not on record yet. */
  readonly refusal: 'final' | 'provisional';
  /** @default the only one */
  readonly delivery?: Delivery | undefined;
  /** Milliseconds since 1970: the answer must be ready by then. */
  readonly untilMs: number;
  /**
   * Of a preview, after which no attempt follows: how many job reads are left for it and those that are asked with it. A
   * job that is not known to have ended is read in any case.
   */
  readonly previewReads?: { count: number } | undefined;
  /** Milliseconds since 1970: until then the answer may wait for the end of the cancellation. @default it does not wait */
  readonly waitUntilMs?: number | undefined;
}
