import type { ExternalId, JobId, ProjectId } from '../../../functions/core/identifiers.ts';
import type { CancelAnswer, ListAnswer, PlangrepJob, ReadAnswer } from '../../../functions/core/plangrep.ts';

/** A job's life as chance has laid it out; only a cancel changes it. */
export interface JobPlan {
  readonly id: JobId;
  readonly externalId: ExternalId;
  readonly projectId: ProjectId;
  readonly createdAt: number;
  readonly endsAt: number;
  readonly endStatus: 'completed' | 'completed_with_errors' | 'failed' | 'expired';
  /** From a cancel to its effect; nothing: it never comes to it, the job ends as it would have. */
  readonly cancelTakesMs: number | undefined;
  /** What a cancel of the job answers once it is terminal. */
  readonly refusal: number;
}

interface Job extends JobPlan {
  cancelledAt?: number;
}

/** Plangrep's jobs, and what its three calls do to them (Plangrep's API reference, Jobs), without any fault. */
export class PlangrepModel {
  private readonly jobs = new Map<JobId, Job>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  create(plan: JobPlan): void {
    this.jobs.set(plan.id, { ...plan });
  }

  forget(id: JobId): void {
    this.jobs.delete(id);
  }

  /** @returns nothing for a job that Plangrep does not know; a terminal status never changes again */
  statusOf(id: JobId): string | undefined {
    const job = this.jobs.get(id);
    if (job === undefined) return undefined;
    const { cancelledAt = Number.POSITIVE_INFINITY, endsAt, endStatus, createdAt } = job;
    const now = this.now();
    if (now >= Math.min(cancelledAt, endsAt)) return cancelledAt < endsAt ? 'cancelled' : endStatus;
    return now - createdAt < 2_000 ? 'uploading' : 'processing';
  }

  isAlive(id: JobId): boolean {
    const status = this.statusOf(id);
    return status === 'uploading' || status === 'processing';
  }

  cancel(id: JobId): CancelAnswer {
    const job = this.jobs.get(id);
    if (job === undefined) return { kind: 'refused', httpStatus: 404 };
    if (!this.isAlive(id)) return { kind: 'refused', httpStatus: job.refusal, code: 'job_terminal' };
    if (job.cancelTakesMs !== undefined) job.cancelledAt ??= this.now() + job.cancelTakesMs;
    return { kind: 'job', job: this.show(job) };
  }

  read(id: JobId): ReadAnswer {
    const job = this.jobs.get(id);
    return job === undefined ? { kind: 'not_found' } : { kind: 'job', job: this.show(job) };
  }

  list(projectId: ProjectId): ListAnswer {
    const jobs = [...this.jobs.values()].filter((job) => job.projectId === projectId);
    return { kind: 'jobs', jobs: jobs.toSorted((a, b) => b.createdAt - a.createdAt).map((job) => this.show(job)) };
  }

  private show({ id, externalId, projectId, createdAt }: Job): PlangrepJob {
    const status = this.statusOf(id) ?? 'processing';
    return { id, status, externalId, projectId, pageCount: 204, createdAt: new Date(createdAt).toISOString() };
  }
}
