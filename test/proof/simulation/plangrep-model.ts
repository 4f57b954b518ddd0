import type { ExternalId, JobId, ProjectId } from '../../../functions/core/identifiers.ts';
import type { CancelAnswer, PlangrepJob, ReadAnswer } from '../../../functions/core/plangrep.ts';
import { isWithin, type Stretch } from './troubles.ts';

/** A job's life as chance has laid it out; only a cancel changes it. */
export interface JobPlan {
  readonly id: JobId;
  /** As it was submitted. */
  readonly externalId: ExternalId | undefined;
  readonly projectId: ProjectId;
  readonly createdAt: number;
  readonly endsAt: number;
  readonly endStatus: 'completed' | 'completed_with_errors' | 'failed' | 'expired';
  /** From a cancel to its effect; nothing: it never comes to it, the job ends as it would have. */
  readonly cancelTakesMs: number | undefined;
  /** Its cancel fails each time, without effect. */
  readonly cancelFails?: boolean | undefined;
  /** What a cancel of the job answers once it is terminal. */
  readonly refusal: number;
  /** From then on Plangrep does not know the job any more. */
  readonly goneAt?: number | undefined;
  /** As Plangrep shows it: from then on it need not know the job. */
  readonly expiresAt?: number | undefined;
  /** Meanwhile Plangrep answers that it does not know the job. */
  readonly hidden: readonly Stretch[];
  /** Meanwhile it waits for credits. */
  readonly blocked?: Stretch | undefined;
}

interface Job extends JobPlan {
  cancelledAt?: number;
}

/** Plangrep's jobs, and what its three calls do to them (Plangrep's API reference, Jobs), without any fault. */
export class PlangrepModel {
  private readonly jobs = new Map<JobId, Job>();
  readonly now: () => number;
  private readonly keyForeign: Stretch | undefined;

  /** @param keyForeign when the key is another organization's: every job is unknown to it */
  constructor(now: () => number, keyForeign: Stretch | undefined) {
    this.now = now;
    this.keyForeign = keyForeign;
  }

  create(plan: JobPlan): void {
    this.jobs.set(plan.id, { ...plan });
  }

  forget(id: JobId): void {
    this.jobs.delete(id);
  }

  /** What was submitted, whether Plangrep still knows it or not. */
  planOf(id: JobId): JobPlan | undefined {
    return this.jobs.get(id);
  }

  /** Those that live now, of every partner. */
  liveJobsAs(externalId: ExternalId): readonly JobPlan[] {
    return [...this.jobs.values()].filter((job) => job.externalId === externalId && this.isAlive(job.id));
  }

  /** What a caller gets to see. */
  private find(id: JobId): Job | undefined {
    const job = this.jobs.get(id);
    return job === undefined || this.isHidden(job) || !this.exists(id) ? undefined : job;
  }

  isKeyForeign(): boolean {
    return isWithin(this.keyForeign, this.now());
  }

  private isHidden({ hidden }: Job): boolean {
    return this.isKeyForeign() || hidden.some((stretch) => isWithin(stretch, this.now()));
  }

  /**
   * For how many milliseconds no read need have shown the job, though it is there: since the first time that it was hidden,
   * because what lies between two reads that miss it is not seen.
   */
  hiddenForMs(id: JobId): number {
    const now = this.now();
    const stretches = [this.keyForeign, ...(this.jobs.get(id)?.hidden ?? [])].filter((one) => one !== undefined);
    const isHidden = stretches.some((stretch) => isWithin(stretch, now));
    return isHidden ? now - Math.min(...stretches.map(({ from }) => from)) : 0;
  }

  /** Whether a job is hidden that has expired, by a clock a minute ahead: nothing tells it from one that is gone. */
  isAsIfGone(id: JobId): boolean {
    const expiresAt = this.jobs.get(id)?.expiresAt ?? Number.POSITIVE_INFINITY;
    return this.hiddenForMs(id) > 0 && expiresAt <= this.now() + 60_000;
  }

  /** Whether Plangrep has answered since then that it does not know the job, though it is there. */
  wasHiddenSince(id: JobId, since: number): boolean {
    return [this.keyForeign, ...(this.jobs.get(id)?.hidden ?? [])].some(
      (stretch) => stretch !== undefined && stretch.from <= this.now() && stretch.to >= since,
    );
  }

  private exists(id: JobId): boolean {
    const job = this.jobs.get(id);
    return job !== undefined && (job.goneAt === undefined || this.now() < job.goneAt);
  }

  /** @returns nothing for a job that is not there, whatever Plangrep answers; a terminal status never changes again */
  statusOf(id: JobId): string | undefined {
    return this.exists(id) ? this.lastStatusOf(id) : undefined;
  }

  /** Whether a read shows the job now. */
  isShown(id: JobId): boolean {
    return this.find(id) !== undefined;
  }

  /** The status that Plangrep shows, or showed until it forgot the job. */
  lastStatusOf(id: JobId): string | undefined {
    const job = this.jobs.get(id);
    if (job === undefined) return undefined;
    const { cancelledAt = Number.POSITIVE_INFINITY, endsAt, endStatus, createdAt, goneAt } = job;
    const at = Math.min(this.now(), goneAt ?? Number.POSITIVE_INFINITY);
    if (at >= Math.min(cancelledAt, endsAt)) return cancelledAt < endsAt ? 'cancelled' : endStatus;
    if (isWithin(job.blocked, at)) return 'blocked_insufficient_credits';
    return at - createdAt < 2_000 ? 'uploading' : 'processing';
  }

  isAlive(id: JobId): boolean {
    return ['uploading', 'processing', 'blocked_insufficient_credits'].includes(this.statusOf(id) ?? '');
  }

  cancel(id: JobId): CancelAnswer {
    const job = this.find(id);
    if (job === undefined) return { kind: 'refused', httpStatus: 404 };
    if (!this.isAlive(id)) return { kind: 'refused', httpStatus: job.refusal, code: 'job_terminal' };
    if (job.cancelFails === true) return { kind: 'unknown', why: 'server_error', httpStatus: 500 };
    if (job.cancelTakesMs !== undefined) job.cancelledAt ??= this.now() + job.cancelTakesMs;
    return { kind: 'job', job: this.show(job) };
  }

  read(id: JobId): ReadAnswer {
    const job = this.find(id);
    return job === undefined ? { kind: 'not_found' } : { kind: 'job', job: this.showShort(job) };
  }

  list(projectId: ProjectId): readonly PlangrepJob[] {
    const jobs = [...this.jobs.values()].filter((job) => job.projectId === projectId && this.find(job.id) === job);
    return jobs.toSorted((a, b) => b.createdAt - a.createdAt).map((job) => this.show(job));
  }

  /** Some job reads show less than a listing, as some documented examples do. */
  private showShort(job: Job): PlangrepJob {
    return /[13579]$/.test(job.id) ? { ...this.show(job), createdAt: undefined } : this.show(job);
  }

  private show({ id, externalId, projectId, createdAt, expiresAt }: Job): PlangrepJob {
    const status = this.statusOf(id) ?? 'processing';
    const times = {
      createdAt: new Date(createdAt).toISOString(),
      expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
    };
    return { id, status, externalId, projectId, pageCount: 204, ...times };
  }
}
