import type { ExternalId, JobId, PartnerId } from '../../../functions/core/identifiers.ts';
import type { DirectoryEntry, VerifiedEntry } from '../../../functions/core/job-directory.ts';
import type { FoundCancellations } from '../../../functions/core/use-cases/read-cancellations.ts';
import type { RegisterEnd } from '../../../functions/core/use-cases/register-job.ts';
import type { CancelEnd } from '../../../functions/core/use-cases/request-cancellation.ts';
import type { MemoryDirectory } from '../../support/memory-ports.ts';
import type { Journal } from './journal.ts';
import type { PartnerRecords } from './partner-records.ts';
import type { JobPlan, PlangrepModel } from './plangrep-model.ts';
import type { Process } from './process.ts';

/** A partner's record may be read that long after it was changed. */
const REMEMBERED_MS = 60_000;
/** "Plangrep has no such job" is not asked again for so long. */
const ABSENT_MS = 30_000;
const UNVERIFIED_MS = 7 * 86_400_000;

interface Name {
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
}

interface Known {
  readonly plangrep: PlangrepModel;
  readonly partners: PartnerRecords;
  readonly directory: MemoryDirectory;
  readonly now: () => number;
}

/**
 * Judges whose job it is, by Plangrep's model and the partners' records: what is done to a job, and what is shown of it,
 * is only ever its partner's. That its owner row stands is judged besides.
 */
export class OwnershipJudge {
  private readonly journal: Journal;
  private readonly known: Known;

  constructor(journal: Journal, known: Known) {
    this.journal = journal;
    this.known = known;
  }

  private violate(invariant: string, by: Process, { partnerId, externalId }: Name, jobId: JobId): void {
    const { plangrep, directory } = this.known;
    const job = plangrep.planOf(jobId);
    const owner = directory.owners.get(jobId);
    const shown = `in ${job?.projectId} as ${job?.externalId}, owner ${owner?.partnerId} ${owner?.externalId}`;
    this.journal.violate(invariant, `${partnerId} ${externalId} ${jobId} by ${by.name}: ${shown}`);
  }

  private isNamed(job: JobPlan, externalId: ExternalId): boolean {
    return job.externalId === undefined || job.externalId === externalId;
  }

  /** Whether a process that began when it did may take the job for the partner's. */
  private mayBe(by: Process, { partnerId, externalId }: Name, jobId: JobId): boolean {
    const job = this.known.plangrep.planOf(jobId);
    if (job === undefined || !this.isNamed(job, externalId)) return false;
    return this.known.partners.hadSince(partnerId, job.projectId, by.startedAt - REMEMBERED_MS);
  }

  private isOwner({ partnerId, externalId }: Name, jobId: JobId): boolean {
    const owner = this.known.directory.owners.get(jobId);
    return owner?.partnerId === partnerId && owner.externalId === externalId;
  }

  /** Whether a process that began when it did must take the job for the partner's. */
  mustBe(by: Process, partnerId: PartnerId, jobId: JobId): boolean {
    const job = this.known.plangrep.planOf(jobId);
    const since = by.startedAt - REMEMBERED_MS - ABSENT_MS;
    return job !== undefined && this.known.partners.hasAllSince(partnerId, job.projectId, since);
  }

  /** A live job of the partner's that is not registered: created by then, so a listing shows it. */
  unregisteredJob(by: Process, { partnerId, externalId }: Name, untilMs: number): JobId | undefined {
    const live = this.known.plangrep.liveJobsAs(externalId);
    const isUnregistered = ({ id, createdAt }: JobPlan): boolean =>
      createdAt <= untilMs &&
      !this.known.directory.owners.has(id) &&
      this.mustBe(by, partnerId, id) &&
      // A list is remembered for a while.
      !this.known.plangrep.wasHiddenSince(id, by.startedAt - REMEMBERED_MS);
    return live.find(isUnregistered)?.id;
  }

  claimed(by: Process, name: Name, entry: VerifiedEntry): void {
    const { jobId, registeredAt } = entry;
    const shown = by.container.shown.get(jobId);
    if (shown === undefined) this.violate('a job is claimed only after Plangrep has shown it', by, name, jobId);
    if (!this.mayBe(by, name, jobId)) this.violate('a job is claimed only for its partner', by, name, jobId);
    if (this.known.now() - Date.parse(registeredAt) > UNVERIFIED_MS) {
      this.violate('an expired registration counts for nothing', by, name, jobId);
    }
  }

  /** A cancellation has begun. */
  requested(by: Process, name: Name, jobId: JobId): void {
    if (!this.mayBe(by, name, jobId)) this.violate('only its partner’s request begins a job’s cancel', by, name, jobId);
    if (!this.isOwner(name, jobId))
      this.violate('a cancellation begins only once its job is verified', by, name, jobId);
  }

  answered(by: Process, name: Name, end: CancelEnd): void {
    const shown: JobId[] = [];
    if ('state' in end) shown.push(end.state.jobId);
    if (end.kind === 'ambiguous_external_id') shown.push(...end.candidates.map(({ jobId }) => jobId));
    for (const jobId of shown) {
      if (this.mayBe(by, name, jobId) && this.isOwner(name, jobId)) continue;
      this.violate('an answer shows only jobs of its partner', by, name, jobId);
    }
  }

  registered(by: Process, name: Name, jobId: JobId, end: RegisterEnd): void {
    if (end.kind !== 'registered') return;
    const { entry } = end;
    const isShown = entry.verifiedAt === undefined ? isTelling(entry) : !this.isOwner(name, jobId);
    if (isShown) this.violate('an answer shows only jobs of its partner', by, name, jobId);
    if (entry.verifiedAt === undefined && hasLearned(by, jobId)) {
      this.violate('only what Plangrep cannot be asked about is kept unverified', by, name, jobId);
    }
  }

  /** What the reading door found. What was on record when a partner lost a project stays its own to read. */
  found(by: Process, name: Name, found: FoundCancellations): void {
    if (found.kind !== 'cancellations') return;
    const { owners, jobs } = this.known.directory;
    for (const { state } of found.views) {
      if (owners.get(state.jobId)?.partnerId === name.partnerId) continue;
      this.violate('an answer shows only jobs of its partner', by, name, state.jobId);
    }
    // More registrations than a page covers: what comes later is not known yet.
    if (found.next !== undefined) return;
    const entries = jobs.get(`${name.partnerId}#${name.externalId}`) ?? [];
    const [entry] = entries;
    // Its own refused requests a partner may see, whatever it registered.
    if (found.views.length === 0 && found.refused.count > 0) return;
    if (entry !== undefined && entries.every(({ verifiedAt }) => verifiedAt === undefined)) {
      this.violate('nothing is shown of an unverified registration', by, name, entry.jobId);
    }
  }

  /** In the end, with nothing at fault, a partner's request reaches its job, whatever others did before. */
  mustReach(by: Process, name: Name, jobId: JobId, end: CancelEnd): void {
    const reached = 'state' in end ? end.state.jobId : undefined;
    const isMissed =
      end.kind === 'closed' && end.state.step.kind === 'closed' && end.state.step.outcome === 'job_not_found';
    if (reached === jobId && !isMissed) return;
    if (reached === jobId && !this.known.plangrep.isShown(jobId)) return;
    this.violate(`a partner’s request reaches its job (${end.kind})`, by, name, jobId);
  }
}

/** Whether an entry says more than the partner itself did: no simulated registration names a project. */
const isTelling = ({ projectId, terminalStatus }: DirectoryEntry): boolean =>
  projectId !== undefined || terminalStatus !== undefined;

/** Whether Plangrep told the process if there is such a job, and whose. */
const hasLearned = (by: Process, jobId: JobId): boolean => ['job', 'not_found'].includes(by.heard.get(jobId) ?? '');
