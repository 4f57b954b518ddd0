import type { NewRefusal } from './cancellation/events.ts';
import type { ExternalId, JobId, PartnerId, ProjectId, Timestamp } from './identifiers.ts';
import type { Records } from './records.ts';

/** A registration: the partner states that a job goes by an externalId. */
export interface DirectoryEntry {
  readonly jobId: JobId;
  readonly registeredAt: Timestamp;
  /** As Plangrep says; of an unverified registration, as the partner says. */
  readonly projectId?: ProjectId | undefined;
  /** When Plangrep confirmed that the job is the partner's. Absent: unverified, so it claims nothing and shows nothing. */
  readonly verifiedAt?: Timestamp | undefined;
  /**
   * Until then the registration counts: an unverified one for some days, a verified one from when the job has ended, and
   * Plangrep no longer shows it, for as long as the environment says. Absent while no end of the job is known.
   */
  readonly expiresAt?: Timestamp | undefined;
  /** Found in a listing, not registered: a newer job with the same externalId may still be unknown here. */
  readonly listed?: boolean | undefined;
  /** The terminal status that a job read showed. It never changes, so the job need not be read again. */
  readonly terminalStatus?: string | undefined;
  /** When Plangrep stops showing the job: from then on it may answer that it does not know the job. */
  readonly jobExpiresAt?: Timestamp | undefined;
  /** When Plangrep last answered that the partner has no such job. */
  readonly absentAt?: Timestamp | undefined;
  /** Since when it has answered so each time. */
  readonly absentSince?: Timestamp | undefined;
  /** When an operator took the job from the partner: only that it bore the externalId still counts. */
  readonly releasedAt?: Timestamp | undefined;
}
export type VerifiedEntry = DirectoryEntry & { readonly verifiedAt: Timestamp };

/** DynamoDB deletes an expired item some days later, so every reader checks it. A released job counts as expired. */
export function isExpired({ expiresAt, releasedAt }: DirectoryEntry, now: Timestamp): boolean {
  return releasedAt !== undefined || (expiresAt !== undefined && expiresAt <= now);
}

/** A part of the jobs that an externalId names, the highest jobId first. */
export interface JobPage extends Records<DirectoryEntry> {
  /** The next page begins after this jobId. Absent on the last page. */
  readonly next?: string | undefined;
}

/** The order in which the directory answers. */
export function newestFirst(a: DirectoryEntry, b: DirectoryEntry): number {
  return `${a.registeredAt}#${a.jobId}` < `${b.registeredAt}#${b.jobId}` ? 1 : -1;
}

/** Who a verified job belongs to, and what Plangrep said then. */
export interface JobOwner extends Pick<VerifiedEntry, 'projectId' | 'verifiedAt'> {
  readonly partnerId: PartnerId;
  /** Absent once it was erased: the job stays taken, and no request matches it. */
  readonly externalId?: ExternalId | undefined;
}

/** `taken`: the job has another owner, which no answer discloses. */
export type Claimed =
  | { readonly kind: 'claimed'; readonly entry: VerifiedEntry }
  | { readonly kind: 'taken'; readonly owner: Pick<JobOwner, 'partnerId' | 'externalId'> };

/** What an `Idempotency-Key` or an event's `id` stood for when first seen. */
export interface RequestBinding {
  /** Differs for another request with the same key. */
  readonly fingerprint: string;
  readonly firstSeenAt: Timestamp;
  /** Absent while the request has reached no job. */
  readonly jobId?: JobId | undefined;
}

/** What a job read shows that is worth remembering. */
export type JobFact =
  /** `expiresAt`: of the entry, where it has no date yet. */
  | { readonly terminalStatus: string; readonly expiresAt: Timestamp }
  /** Undefined: the job is there again. */
  | { readonly absentAt: Timestamp | undefined; readonly absentSince: Timestamp | undefined };

/** Which jobs a partner's externalId names. Reads are strongly consistent. */
export interface JobDirectory {
  /** Newest first. A record that is left out may be any job: who chooses among the others must take it into account. */
  find(partnerId: PartnerId, externalId: ExternalId): Promise<Records<DirectoryEntry>>;
  /** The owner of a verified job. */
  readOwner(jobId: JobId): Promise<JobOwner | undefined>;
  /** Keeps a registration that could not be verified: it claims nothing, and replaces no verified one. */
  keepUnverified(partnerId: PartnerId, externalId: ExternalId, entry: DirectoryEntry): Promise<void>;
  /**
   * Makes the partner the owner of a job that Plangrep has confirmed, and puts the entry under its externalId;
   * idempotent. Exactly one partner and one externalId own a job, until an operator releases it, or Plangrep no longer
   * shows it and the entry has expired before.
   */
  claim(partnerId: PartnerId, externalId: ExternalId, entry: VerifiedEntry): Promise<Claimed>;
  /** Sets in an entry what a job read showed. Nothing happens when there is no such entry. */
  remember(partnerId: PartnerId, externalId: ExternalId, jobId: JobId, fact: JobFact): Promise<void>;
  /** Keeps a refusal where its partner finds it by the externalId. The log's record of it comes first. */
  keepRefusal(record: NewRefusal): Promise<void>;
  readBinding(partnerId: PartnerId, requestKey: string): Promise<RequestBinding | undefined>;
  /** @returns the binding that is stored now: the given one, or the one that another request made first */
  bind(partnerId: PartnerId, requestKey: string, binding: RequestBinding): Promise<RequestBinding>;
}

/** The job directory as those see it who show it. */
export interface JobPages {
  /**
   * One page, in the order of the table's key: it costs the same however many jobs there are, and a job that is
   * registered between two pages moves no other job to another page.
   * @param page its `after` is the `next` of the page before
   */
  findPage(
    partnerId: PartnerId,
    externalId: ExternalId,
    page: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<JobPage>;
}
