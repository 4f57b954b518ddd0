import type * as z from 'zod/mini';
import type {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  registeredJobSchema,
} from '../../functions/contract/answers.ts';
import type { cancelRequestSchema, registerJobSchema } from '../../functions/contract/requests.ts';
import { exampleJob } from '../../functions/simulator/plangrep-jobs.ts';
import type { Example } from './document.ts';

/**
 * The examples of requests and of what they bring: jobs of the local run, above all Plangrep's documented one. A test
 * plays each of them there; only times and request ids may differ.
 */

const requestId = 'e2e06f3e-0415-428d-9b6c-20e2f4ffb1f8';
const requestedAt = '2026-11-02T09:22:08.114Z';
const endedAt = '2026-11-02T09:22:08.312Z';
export const registeredAt = '2026-11-02T09:00:00.000Z';
const keyId = 'acmelocal001';
const reason = 'superseded by a newer upload';
const { id: jobId, externalId, projectId } = exampleJob;

type CancellationExample = z.input<typeof cancellationSchema>;
type TimelineExample = z.input<typeof cancellationWithTimelineSchema>['timeline'];

const cancelled: CancellationExample = {
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
  closedAt: endedAt,
};

const pending: CancellationExample = {
  ...cancelled,
  jobId: 'job_slow00000000000000000007891',
  externalId: 'order-7891',
  state: 'open',
  outcome: null,
  jobStatus: 'processing',
  pageCount: 120,
  successfulPageCount: 40,
  creditsDebited: 40,
  closedAt: null,
};

/** As `job_already_terminal` shows it. */
export const tooLate: CancellationExample = {
  ...cancelled,
  jobId: 'job_done00000000000000000007892',
  externalId: 'order-7892',
  outcome: 'too_late',
  jobStatus: 'completed',
  pageCount: 12,
  successfulPageCount: 12,
  creditsDebited: 12,
};

/** As `job_unknown_to_plangrep` shows it. */
export const unknownToPlangrep: CancellationExample = {
  ...cancelled,
  jobId: 'job_gone00000000000000000007895',
  externalId: 'order-7895',
  outcome: 'job_not_found',
  jobStatus: null,
  pageCount: null,
  successfulPageCount: null,
  creditsDebited: null,
};

const cancelledTimeline: TimelineExample = [
  { at: requestedAt, type: 'requested', seq: 1, attempt: 1, requestId, keyId, reason },
  { at: endedAt, type: 'closed', seq: 2, outcome: 'cancelled', jobStatus: 'cancelled' },
];
const pendingTimeline: TimelineExample = [
  { at: requestedAt, type: 'requested', seq: 1, attempt: 1, requestId, keyId },
  { at: endedAt, type: 'attempt_ended', seq: 2, attempt: 1, result: 'accepted', jobStatus: 'processing' },
];

const cancelRequests = {
  by_external_id: { summary: 'By externalId, with a reason', value: { externalId, reason } },
  by_job_id: {
    summary: 'One of several jobs with the same externalId',
    value: { externalId: 'order-7893', jobId: 'job_twin20000000000000000007893' },
  },
} satisfies Record<string, Example & { value: z.input<typeof cancelRequestSchema> }>;

const registrations = {
  register: { summary: 'A job of a project', value: { externalId, projectId } },
} satisfies Record<string, Example & { value: z.input<typeof registerJobSchema> }>;

/** Bodies by operation. */
export const requestExamples: Readonly<Record<string, Readonly<Record<string, Example>>>> = {
  requestCancellation: cancelRequests,
  registerJob: registrations,
};

const emptyList: z.input<typeof cancellationListSchema> = { cancellations: [] };
const list: z.input<typeof cancellationListSchema> = {
  cancellations: [{ ...cancelled, timeline: cancelledTimeline }],
};
const registered: z.input<typeof registeredJobSchema> = { jobId, externalId, projectId, registeredAt };

/** Bodies of answers that are no problems, by operation and status. */
export const successExamples: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Example>>>>>> = {
  requestCancellation: {
    200: { cancelled: { summary: 'Cancelled at once: 63 of 204 pages were processed, and billed', value: cancelled } },
    202: { pending: { summary: 'The job is still processing', value: pending } },
  },
  listCancellations: {
    200: {
      cancelled: { summary: 'One job, cancelled', value: list },
      none: { summary: 'Nobody has asked to cancel the job', value: emptyList },
    },
  },
  readCancellation: {
    200: {
      cancelled: { summary: 'Cancelled', value: { ...cancelled, timeline: cancelledTimeline } },
      pending: { summary: 'The job is still processing', value: { ...pending, timeline: pendingTimeline } },
    },
  },
  registerJob: { 200: { registered: { summary: 'Registered', value: registered } } },
};

/** A value for each parameter. */
export const parameterExamples: Readonly<Record<string, string>> = {
  jobId,
  externalId,
  'Idempotency-Key': 'cancel-order-7890-1',
};
