import type { CancelRequest, Delivery } from '../cancel-request.ts';

/** A request makes at most so many job reads; an event as many, over all its deliveries. */
export const JOB_READS = 20;
/** Of these, the one attempt that may follow needs two. */
const READS_OF_ATTEMPT = 2;
/** A later delivery looks at two jobs: as long as both are alive, an externalId is ambiguous. */
const READS_LATER = 2;

export const onlyDelivery: Delivery = { number: 1, max: 1 };

/** A request and the job reads that are left for choosing among the jobs of its externalId. Each read is subtracted. */
export interface CountedRequest extends CancelRequest {
  readonly readsLeft: { count: number };
}

export function countReads(request: CancelRequest): CountedRequest {
  const { number, max } = request.delivery ?? onlyDelivery;
  const count = number > 1 ? READS_LATER : JOB_READS - READS_OF_ATTEMPT - READS_LATER * (max - 1);
  return { ...request, readsLeft: request.previewReads ?? { count } };
}

/**
 * Which jobs of an externalId that seems full this delivery of a registration reads, counted from the oldest: others than
 * the delivery before. Each delivery makes one read more, of the job that is registered.
 */
export function readsForRoom({ number, max }: Delivery): { readonly from: number; readonly to: number } {
  const atFirst = JOB_READS - max - READS_LATER * (max - 1);
  const to = atFirst + READS_LATER * (number - 1);
  return { from: number > 1 ? to - READS_LATER : 0, to };
}
