import type * as z from 'zod/mini';
import type { Scope } from '../../functions/core/identifiers.ts';
import { jobPathSchema, readByExternalIdSchema } from '../../functions/contract/requests.ts';
import type { ProblemCode } from '../../functions/contract/problems.ts';

export interface Success {
  readonly status: 200 | 202;
  readonly description: string;
  /** The schema's name. */
  readonly schema: string;
  /** Besides those that every answer of a function has; the optional ones after them. */
  readonly headers?: readonly string[];
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
  readonly takesIdempotencyKey?: boolean;
  /** The name of the body's schema. */
  readonly body?: string;
  readonly successes: readonly Success[];
  /** Its own problems, besides those of every operation. */
  readonly problems: readonly ProblemCode[];
}

/** What every operation can end with. */
export const commonProblems: readonly ProblemCode[] = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'too_many_requests',
  'internal_error',
  'temporarily_unavailable',
  'gateway_timeout',
];

/** What every operation with a body can end with, too. */
export const bodyProblems: readonly ProblemCode[] = ['body_too_large', 'unsupported_media_type'];

/** What each route does, by method and path as in `infra/blueprint/routes.ts`. */
export const operations: Readonly<Record<string, OperationDefinition>> = {
  'POST /v1/cancellations': {
    operationId: 'requestCancellation',
    tag: 'cancellations',
    summary: 'Cancel a job',
    description:
      'Cancels the one job of yours that goes by this externalId. A job is cancelled at most once, however often you ask, so a request may be repeated freely. Once a cancel is accepted, the service sees it through: it answers 200, 202 or 409, never a 5xx.',
    scope: 'cancellations:write',
    takesIdempotencyKey: true,
    body: 'CancelRequest',
    successes: [
      {
        status: 200,
        description: 'The job is cancelled: by this request, or before it.',
        schema: 'Cancellation',
        headers: ['Location'],
      },
      {
        status: 202,
        description:
          'Accepted, and not yet certain: `state` is `open`. The service sees it through; look at `Location` after the seconds of `Retry-After`.',
        schema: 'Cancellation',
        headers: ['Location', 'Retry-After'],
      },
    ],
    problems: [
      'job_not_found',
      'ambiguous_external_id',
      'job_already_terminal',
      'job_unknown_to_plangrep',
      'idempotency_key_reused',
    ],
  },
  'GET /v1/cancellations': {
    operationId: 'listCancellations',
    tag: 'cancellations',
    summary: 'Read the cancellations of an externalId',
    description:
      'The cancellations of the newest 20 jobs that you registered under this externalId, or that the service found for it, each with its timeline. Several jobs may bear one externalId.',
    scope: 'cancellations:read',
    query: readByExternalIdSchema,
    successes: [
      {
        status: 200,
        description: "The newest job's cancellation first. Empty: nobody has asked to cancel any of these jobs.",
        schema: 'CancellationList',
      },
    ],
    problems: ['job_not_found'],
  },
  'GET /v1/cancellations/{jobId}': {
    operationId: 'readCancellation',
    tag: 'cancellations',
    summary: "Read one job's cancellation",
    description: 'The cancellation of one job, with its timeline. Reading never calls Plangrep, so it may be polled.',
    scope: 'cancellations:read',
    path: jobPathSchema,
    successes: [
      {
        status: 200,
        description: 'The cancellation. While it is `open`, `Retry-After` says when there may be news.',
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
      'Says which externalId a job goes by. Idempotent: a job keeps the partner and the externalId that it was first registered with. Not needed where the service may list your Plangrep project.',
    scope: 'jobs:write',
    path: jobPathSchema,
    body: 'RegisterJobRequest',
    successes: [
      { status: 200, description: 'The job is registered: by this request, or before it.', schema: 'RegisteredJob' },
    ],
    problems: ['job_registered_otherwise'],
  },
};
