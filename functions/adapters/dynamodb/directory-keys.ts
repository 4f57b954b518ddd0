import type { ExternalId, JobId, PartnerId } from '../../core/identifiers.ts';
import { sha256 } from '../../core/sha256.ts';

// The keys of the job directory.

/** @param externalId '' for what the keys of all of the partner's entries begin with */
export function jobsKey(partnerId: PartnerId, externalId: ExternalId | ''): string {
  return `${partnerId}#job#${externalId}`;
}

/** A job's one owner. The only key without a partner in front: it is claimed by a conditional put, never searched. */
export function ownerKey(jobId: JobId) {
  return { pk: `job#${jobId}`, sk: 'owner' };
}

/** What the keys of a partner's bindings begin with. */
export function bindingsPrefix(partnerId: PartnerId): string {
  return `${partnerId}#request#`;
}

/** Hashed, because a caller's key may be long or confidential. */
export function bindingKey(partnerId: PartnerId, requestKey: string) {
  return { pk: `${bindingsPrefix(partnerId)}${sha256(requestKey)}`, sk: 'binding' };
}

/** An externalId may have to be forgotten, so it is in a key of this table and in none of the log's. */
export function refusalsKey(partnerId: PartnerId, externalId: ExternalId): string {
  return `${partnerId}#refused#${externalId}`;
}
