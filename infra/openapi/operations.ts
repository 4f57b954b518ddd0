import type * as z from 'zod/mini';
import type { ProblemCode } from '../../functions/contract/problems.ts';
import { readByExternalIdSchema } from '../../functions/contract/page-request.ts';
import { jobPathSchema } from '../../functions/contract/requests.ts';
import type { Scope } from '../../functions/core/identifiers.ts';

export interface Success {
  readonly status: 200 | 202;
  readonly description: string;
  /** The schema's name. */
  readonly schema: string;
  /** Besides the headers that every answer of a function has. */
  readonly headers?: readonly string[];
  /** Headers that the answer does not always have. */
  readonly optionalHeaders?: readonly string[];
}

export interface OperationDefinition {
  readonly operationId: string;
  readonly tag: 'cancellations' | 'jobs';
  readonly summary: string;
  readonly description: string;
  readonly scope: Scope;
  readonly path?: z.ZodMiniObject;
  readonly query?: z.ZodMiniObject;
  /** Headers that a request may have. */
  readonly requestHeaders?: readonly ('Idempotency-Key' | 'Prefer')[];
  /** The name of the body's schema. */
  readonly body?: string;
  readonly successes: readonly Success[];
  /** The operation's own problems, besides those of every operation. */
  readonly problems: readonly ProblemCode[];
  /** Headers that a problem of a status may have. */
  readonly problemHeaders?: Readonly<Record<number, readonly string[]>>;
}

/** What each route does, by method and path as in `infra/blueprint/api.ts`. */
export const operations: Readonly<Record<string, OperationDefinition>> = {
  'POST /v1/cancellations': {
    operationId: 'requestCancellation',
    tag: 'cancellations',
    summary: 'Cancel a job',
    description:
      'Cancels your job that is registered under this externalId. A job is cancelled at most once, however often you ask, so you may repeat a request safely. Once the service has accepted a cancel, it retries until the job has ended: it answers 200, 202 or 409, never a 5xx. Many jobs take some seconds to cancel: with `Prefer: wait=10` the answer comes when the cancellation is closed, which saves you the polling.',
    scope: 'cancellations:write',
    requestHeaders: ['Idempotency-Key', 'Prefer'],
    body: 'CancelRequest',
    successes: [
      {
        status: 200,
        description: 'The job is cancelled, by this request or by an earlier one.',
        schema: 'ClosedCancellation',
        headers: ['Location'],
        optionalHeaders: ['Preference-Applied'],
      },
      {
        status: 202,
        description:
          'Accepted, but the result is not certain: `state` is `open`. The service retries until the job has ended. Read `Location` after the seconds of `Retry-After`: by then the service has looked at the job again.',
        schema: 'OpenCancellation',
        headers: ['Location', 'Retry-After'],
        optionalHeaders: ['Preference-Applied'],
      },
    ],
    problems: [
      'job_not_found',
      'ambiguous_external_id',
      'job_already_terminal',
      'job_unknown_to_plangrep',
      'idempotency_key_reused',
    ],
    problemHeaders: { 409: ['Preference-Applied'] },
  },
  'POST /v1/cancellation-previews': {
    operationId: 'previewCancellations',
    tag: 'cancellations',
    summary: 'See what cancels would do',
    description:
      'Says for each externalId what a cancel would do now, and does none: for many cancels at once. Cancel a job that it shows by its externalId **and** its `jobId`: the request then never reaches a job that you submit after the preview. A preview is not recorded in the audit trail.',
    scope: 'cancellations:write',
    body: 'PreviewRequest',
    successes: [
      {
        status: 200,
        description:
          'One preview for each externalId, in their order. With `Retry-After` some are `unresolved`: ask for them again after so many seconds.',
        schema: 'PreviewList',
        optionalHeaders: ['Retry-After'],
      },
    ],
    problems: [],
  },
  'GET /v1/cancellations': {
    operationId: 'listCancellations',
    tag: 'cancellations',
    summary: 'Read the cancellations of an externalId',
    description:
      'The cancellations of the jobs that you registered under this externalId, or that the service found for it, each with its timeline. Several jobs may have the same externalId. The answer is one page. For the next one repeat the request with `cursor` set to `nextCursor`, until that is null. Pages are in the order of the jobIds, the highest first. No job is skipped or repeated while you register others; a job that you register between two pages may be missing.',
    scope: 'cancellations:read',
    query: readByExternalIdSchema,
    successes: [
      {
        status: 200,
        description: "One page, with the newest job's cancellation first.",
        schema: 'CancellationList',
      },
    ],
    problems: ['job_not_found'],
  },
  'GET /v1/cancellations/{jobId}': {
    operationId: 'readCancellation',
    tag: 'cancellations',
    summary: "Read one job's cancellation",
    description: 'The cancellation of one job, with its timeline. Reading never calls Plangrep, so you may poll it.',
    scope: 'cancellations:read',
    path: jobPathSchema,
    successes: [
      {
        status: 200,
        description: 'The cancellation. While it is `open`, `Retry-After` says when to read it again.',
        schema: 'CancellationWithTimeline',
        optionalHeaders: ['Retry-After'],
      },
    ],
    problems: ['job_not_found'],
  },
  'PUT /v1/jobs/{jobId}': {
    operationId: 'registerJob',
    tag: 'jobs',
    summary: 'Register a job',
    description:
      'Registers a job under your externalId, which must be the one that the job has at Plangrep, unless it has none there. The service asks Plangrep whether the job is in one of your projects. If Plangrep does not answer, the registration counts for 7 days, and your first cancel asks again. Idempotent: a job keeps the externalId of its first registration. At most 20 jobs that have not ended may have the same externalId. Not needed where the service may list your Plangrep project.',
    scope: 'jobs:write',
    path: jobPathSchema,
    body: 'RegisterJobRequest',
    successes: [
      {
        status: 200,
        description: 'The job is registered, by this request or by an earlier one.',
        schema: 'RegisteredJob',
      },
    ],
    problems: ['job_not_found', 'job_registered_otherwise', 'too_many_jobs'],
  },
};
