import type { Door } from '../cancellation/events.ts';
import type { ExternalId, JobId, PartnerId, ProjectId, Timestamp } from '../identifiers.ts';
import type { Ports, Registered } from '../ports.ts';

/** "This Plangrep job is what I call …", as every door hands it to the core. */
export interface JobRegistration {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
  readonly jobId: JobId;
  readonly projectId?: ProjectId | undefined;
  /** When the partner said so: now, or the event's own `time`. */
  readonly registeredAt: Timestamp;
  readonly door: Door;
  readonly requestId: string;
}

/** Puts a job in the directory; idempotent. @throws DependencyUnavailable */
export const registerJob = async (
  { directory, report }: Pick<Ports, 'directory' | 'report'>,
  { partnerId, externalId, jobId, projectId, registeredAt, door, requestId }: JobRegistration,
): Promise<Registered> => {
  const registered = await directory.register(partnerId, externalId, { jobId, registeredAt, projectId });
  report('JOB_REGISTERED', { partnerId, jobId, door, requestId, result: registered.kind });
  return registered;
};
