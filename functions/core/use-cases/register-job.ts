import type { Door } from '../cancellation/events.ts';
import type { DirectoryEntry, Ports, Registered } from '../ports.ts';
import type { ExternalId, PartnerId } from '../identifiers.ts';

/** "This Plangrep job has this externalId", as every door hands it to the core. */
export interface JobRegistration extends Pick<DirectoryEntry, 'jobId' | 'projectId' | 'registeredAt'> {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
  readonly door: Door;
  readonly requestId: string;
}

/** Puts a job into the directory; idempotent. @throws DependencyUnavailable */
export async function registerJob(
  { directory, report }: Pick<Ports, 'directory' | 'report'>,
  { partnerId, externalId, jobId, projectId, registeredAt, door, requestId }: JobRegistration,
): Promise<Registered> {
  const registered = await directory.register(partnerId, externalId, { jobId, registeredAt, projectId });
  report('JOB_REGISTERED', { partnerId, jobId, door, requestId, result: registered.kind });
  return registered;
}
