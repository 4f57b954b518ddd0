import { exampleJob } from '../../functions/simulator/plangrep-jobs.ts';

/** The cancellations in the examples: of jobs of the local run, above all the job in Plangrep's documentation. */

const requestId = 'e2e06f3e-0415-428d-9b6c-20e2f4ffb1f8';
const requestedAt = '2026-11-02T09:22:08.114Z';
const endedAt = '2026-11-02T09:22:08.312Z';
export const registeredAt = '2026-11-02T09:00:00.000Z';
export const reason = 'superseded by a newer upload';
export const { id: jobId, externalId, projectId } = exampleJob;

export const cancelled = {
  jobId,
  externalId,
  state: 'closed',
  outcome: 'cancelled',
  jobStatus: 'cancelled',
  pageCount: exampleJob.pageCount,
  successfulPageCount: exampleJob.successfulPageCount,
  creditsDebited: exampleJob.billing.creditsDebited,
  attempts: 1,
  requestedAt,
  escalatedAt: null,
  nextLookAt: null,
  closedAt: endedAt,
  ranMs: 171,
  spentMs: { us: 0, plangrep: 198, person: 0 },
  creditsDebitedMeanwhile: null,
};
export const pending = {
  ...cancelled,
  jobId: 'job_slow00000000000000000007891',
  externalId: 'order-7891',
  state: 'open',
  outcome: null,
  jobStatus: 'processing',
  pageCount: 120,
  successfulPageCount: 40,
  creditsDebited: 40,
  nextLookAt: '2026-11-02T09:22:13.305Z',
  closedAt: null,
  ranMs: null,
  spentMs: null,
};
export const tooLate = {
  ...cancelled,
  jobId: 'job_done00000000000000000007892',
  externalId: 'order-7892',
  outcome: 'too_late',
  jobStatus: 'completed',
  pageCount: 12,
  successfulPageCount: 12,
  creditsDebited: 12,
  ranMs: 0,
};
export const unknownToPlangrep = {
  ...cancelled,
  jobId: 'job_gone00000000000000000007895',
  externalId: 'order-7895',
  outcome: 'job_not_found',
  jobStatus: null,
  pageCount: null,
  successfulPageCount: null,
  creditsDebited: null,
  ranMs: null,
};
const requested = { at: requestedAt, type: 'requested', seq: 1, attempt: 1, requestId, keyId: 'acmelocal001' };
export const cancelledWithTimeline = {
  ...cancelled,
  looks: 1,
  lastLookedAt: requestedAt,
  joinedCount: 0,
  timeline: [
    { ...requested, reason },
    { at: endedAt, type: 'closed', seq: 2, outcome: 'cancelled', jobStatus: 'cancelled' },
  ],
};
export const pendingWithTimeline = {
  ...pending,
  looks: 1,
  lastLookedAt: requestedAt,
  joinedCount: 0,
  timeline: [
    requested,
    { at: endedAt, type: 'attempt_ended', seq: 2, attempt: 1, result: 'accepted', jobStatus: 'processing' },
  ],
};
export const twinCancelled = {
  ...cancelledWithTimeline,
  jobId: 'job_twin20000000000000000007893',
  externalId: 'order-7893',
  pageCount: 120,
  successfulPageCount: 40,
  creditsDebited: 40,
  timeline: [requested, ...cancelledWithTimeline.timeline.slice(1)],
};
/** The two unfinished jobs of order-7893. */
export const twins = ['job_twin20000000000000000007893', 'job_twin10000000000000000007893'].map((id) => ({
  jobId: id,
  registeredAt,
  jobStatus: 'processing',
}));
export const previews = [
  { externalId, state: 'will_cancel', jobId, jobStatus: 'processing', candidates: [] },
  { externalId: 'order-7893', state: 'ambiguous', jobId: null, jobStatus: null, candidates: twins },
  { externalId: 'order-0000', state: 'not_found', jobId: null, jobStatus: null, candidates: [] },
];
/** Where acme's jobs of order-7893 go on after the first of them. */
export const exampleCursor = '1OD82HaidkjJ7uQUXKcsu2pvYl90d2luMjAwMDAwMDAwMDAwMDAwMDAwMDc4OTM';
export const registered = { jobId, externalId, projectId, registeredAt, verifiedAt: registeredAt };
export const refused = { at: requestedAt, why: 'job_not_found', door: 'https', requestId, jobId: null };
