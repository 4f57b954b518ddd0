import type { RefusedRecord } from './cancellation/events.ts';
import type { ExternalId, PartnerId, Timestamp } from './identifiers.ts';
import type { Records } from './records.ts';

/** A request that reached no job, as its partner sees it. The log has the record of it, which no partner can search. */
export type Refusal = Pick<RefusedRecord, 'at' | 'why' | 'door' | 'requestId' | 'jobId'>;

/** So long a partner sees a refusal: as long as an event can still be sent again. */
export const REFUSALS_DAYS = 30;

/** A partner's refused requests for an externalId, as those see them who show them. */
export interface Refusals {
  /** Those since a time, the newest first, at most `limit`. */
  findRefusals(
    partnerId: PartnerId,
    externalId: ExternalId,
    which: { readonly since: Timestamp; readonly limit: number },
  ): Promise<Records<Refusal>>;
}
