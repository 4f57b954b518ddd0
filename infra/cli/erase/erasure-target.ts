import type { ExternalId, JobId, PartnerId } from '../../../functions/core/identifiers.ts';
import { fingerprintOf } from '../../../functions/core/find-job/find-job.ts';
import type { FoundRecord } from './find-records.ts';

/** Whose texts are erased: of everything under an externalId, or of one job's cancellation. */
export type ErasureTarget =
  | { readonly kind: 'externalId'; readonly partnerId: PartnerId; readonly externalId: ExternalId }
  | { readonly kind: 'job'; readonly partnerId: PartnerId; readonly jobId: JobId };

/** What leads from the texts of a target to the bindings of its request keys. */
export interface Traces {
  readonly jobs: ReadonlySet<JobId>;
  readonly fingerprints: ReadonlySet<string>;
}

/**
 * A request key is bound to the job that it reached, or to none. A binding has no text, but the unsalted hash of the
 * externalId, the jobId that was asked for and the reason: who knows two of them can try out the third.
 */
export function tracesOf(target: ErasureTarget, records: readonly FoundRecord[], jobs: Iterable<JobId>): Traces {
  const requests = records.flatMap(({ externalId, reason, jobId }) =>
    [undefined, jobId].map((named) => fingerprintOf({ externalId, jobId: named, reason })),
  );
  const bare = target.kind === 'job' ? [] : [fingerprintOf({ externalId: target.externalId })];
  const named = records.flatMap(({ stream }) => stream?.jobId ?? []);
  return { jobs: new Set([...jobs, ...named]), fingerprints: new Set([...requests, ...bare]) };
}
