import type { CancelRequest } from '../cancel-request.ts';
import { foldEvents } from '../cancellation/state.ts';
import type { Candidate, FoundJob } from '../find-job/choose-job.ts';
import { findJob } from '../find-job/find-job.ts';
import { JOB_READS } from '../find-job/job-reads.ts';
import type { ExternalId, JobId } from '../identifiers.ts';
import type { Ports } from '../ports.ts';

/** What a cancel of an externalId would do now: a closed union. */
export type Preview =
  | { readonly state: 'will_cancel'; readonly jobId: JobId; readonly jobStatus: string }
  /** A cancellation of the job is open already. */
  | { readonly state: 'under_way'; readonly jobId: JobId; readonly jobStatus?: string | undefined }
  | { readonly state: 'already_ended'; readonly jobId: JobId; readonly jobStatus: string }
  /** The job is the caller's, and Plangrep does not show it at the moment, or any more. */
  | { readonly state: 'unknown_to_plangrep'; readonly jobId: JobId }
  | { readonly state: 'ambiguous'; readonly candidates: readonly Candidate[] }
  /** No job, another partner's, one that is not confirmed: the same for all of them. */
  | { readonly state: 'not_found' }
  /** Not known at the moment: a repeat gets further, `retryAfterMs` from now where that is known. */
  | { readonly state: 'unresolved'; readonly retryAfterMs?: number | undefined };

export type PreviewOf = Preview & { readonly externalId: ExternalId };

/** Who asks: the preview leaves no record of it, because nothing is done to a job. */
type Caller = Pick<CancelRequest, 'partnerId' | 'requestId' | 'keyId' | 'untilMs'>;

/**
 * Says for each externalId what a cancel would do, in their order, without doing it. It finds and verifies jobs exactly as a
 * cancel does, and shows nothing that a cancel would not show. All of them together make no more job reads than one cancel
 * may, one after another: single cancels come first at Plangrep.
 * @throws DependencyUnavailable
 */
export async function previewCancellations(
  ports: Ports,
  caller: Caller,
  externalIds: readonly ExternalId[],
): Promise<readonly PreviewOf[]> {
  const request = { ...caller, door: 'https', refusal: 'provisional', previewReads: { count: JOB_READS } } as const;
  const previews: PreviewOf[] = [];
  for (const externalId of externalIds) {
    const found = await findJob(ports, { ...request, externalId });
    const preview = found.kind === 'job' ? await previewJob(ports, caller, found) : withoutJob(found);
    previews.push({ externalId, ...preview });
  }
  return previews;
}

async function previewJob(
  { log }: Pick<Ports, 'log'>,
  { partnerId }: Caller,
  { jobId, jobStatus, firstCall }: Extract<FoundJob, { kind: 'job' }>,
): Promise<Preview> {
  const { events } = await log.read(partnerId, jobId);
  const step = foldEvents(events)?.step;
  if (step !== undefined && step.kind !== 'closed') return { state: 'under_way', jobId, jobStatus };
  if (jobStatus === undefined) return { state: 'unknown_to_plangrep', jobId };
  return { state: firstCall === 'cancel' ? 'will_cancel' : 'already_ended', jobId, jobStatus };
}

function withoutJob(found: Exclude<FoundJob, { kind: 'job' }>): Preview {
  if (found.kind === 'ambiguous_external_id') return { state: 'ambiguous', candidates: found.candidates };
  if (found.kind === 'unresolved') return { state: 'unresolved', retryAfterMs: found.retryAfterMs };
  // A preview has no Idempotency-Key that could be another request's.
  return { state: 'not_found' };
}
