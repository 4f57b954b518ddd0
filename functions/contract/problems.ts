/**
 * Every problem that a caller can get: for the functions, API Gateway's own answers, the local gateway and the
 * documentation. The form is RFC 9457 (Problem Details for HTTP APIs).
 */
export const problems = {
  invalid_request: { status: 400, title: 'The request is not valid', retryable: false },
  unauthorized: { status: 401, title: 'No valid credential', retryable: false },
  forbidden: { status: 403, title: 'Request not permitted', retryable: false },
  job_not_found: { status: 404, title: 'Job not found', retryable: false },
  route_not_found: { status: 404, title: 'No such address', retryable: false },
  method_not_allowed: { status: 405, title: 'No such method at this address', retryable: false },
  ambiguous_external_id: { status: 409, title: 'Several unfinished jobs have this externalId', retryable: false },
  job_already_terminal: { status: 409, title: 'The job ended before it could be cancelled', retryable: false },
  job_unknown_to_plangrep: { status: 409, title: 'Plangrep has no such job', retryable: false },
  job_registered_otherwise: { status: 409, title: 'Job already registered under another externalId', retryable: false },
  too_many_jobs: { status: 409, title: 'Too many unfinished jobs have this externalId', retryable: false },
  body_too_large: { status: 413, title: 'The body is over 8 KiB', retryable: false },
  unsupported_media_type: { status: 415, title: 'The body is not application/json', retryable: false },
  idempotency_key_reused: { status: 422, title: 'Idempotency-Key already used for another request', retryable: false },
  too_many_requests: { status: 429, title: 'Too many requests', retryable: true },
  internal_error: { status: 500, title: 'Internal error', retryable: true },
  temporarily_unavailable: { status: 503, title: 'Temporarily unavailable', retryable: true },
  gateway_timeout: { status: 504, title: 'No answer in time; the request may have taken effect', retryable: true },
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>;

export type ProblemCode = keyof typeof problems;

export const problemContentType = 'application/problem+json';

/** The body of a problem answer, with the members that every problem has; `extra` adds those of its code. */
export function problemBody(
  code: ProblemCode,
  requestId: string,
  detail: string,
  extra: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const { status, title, retryable } = problems[code];
  return { type: `/problems/${code}`, title, status, detail, code, requestId, retryable, ...extra };
}
