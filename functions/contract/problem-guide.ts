import type { ProblemCode } from './problems.ts';

/** What a problem tells its reader beyond its title. */
export interface ProblemGuide {
  /** What happened, and what did not. */
  readonly meaning: string;
  /** What the caller does next. */
  readonly toDo: string;
}

/**
 * For every problem what it means and what to do about it. The OpenAPI description and the problem pages read it; no
 * function does, so it is in no bundle.
 */
export const problemGuide: Readonly<Record<ProblemCode, ProblemGuide>> = {
  invalid_request: {
    meaning:
      'The request does not have the documented form: a field is missing, malformed, given twice or not known, or the body is no JSON. Nothing was done.',
    toDo: 'Read `errors`: each entry names a field (`path`) and what is wrong with it (`message`). Correct the request; repeating it unchanged cannot succeed.',
  },
  unauthorized: {
    meaning:
      'The `Authorization` header is missing, or its credential is malformed, unknown, expired, revoked or of another environment. It is not said which. Nothing was done.',
    toDo: 'Send `Authorization: Bearer pcg_…` with a live credential of this environment. If yours used to work, it has expired or was revoked: ask the operator for a new one.',
  },
  forbidden: {
    meaning:
      'The credential is valid, yet lacks the scope that this operation needs (`detail` names it); or the firewall refused the request. Nothing was done.',
    toDo: 'Use a credential with that scope, or ask the operator for one. Where `detail` names the firewall, show the operator the `requestId`.',
  },
  job_not_found: {
    meaning:
      'No job of yours goes by that name: it was never registered, belongs to another partner, or was registered only after this `Idempotency-Key` was first used. When reading, it can also be that nobody has asked to cancel the job yet. Nothing was done.',
    toDo: 'Check the spelling: an externalId is compared byte for byte. Register the job with `PUT /v1/jobs/{jobId}` if you have not, then repeat the cancel with a new `Idempotency-Key`, or without one.',
  },
  route_not_found: {
    meaning:
      'This address does not exist, or not with this method. A trailing slash is another address. Nothing was done.',
    toDo: 'Compare method and path with this description.',
  },
  ambiguous_external_id: {
    meaning:
      'Several of your jobs with this externalId have not ended. The service never guesses which one you mean. Nothing was done.',
    toDo: 'Pick the job you mean from `candidates` and repeat the request with its `jobId`, under a new `Idempotency-Key` if you send one.',
  },
  job_already_terminal: {
    meaning:
      'The job ended before a cancel reached it; `jobStatus` says how. The attempt is on record, and `cancellation` is what came of it: its outcome is `too_late`.',
    toDo: 'There is nothing left to cancel. Collect its results from Plangrep if you want them.',
  },
  job_unknown_to_plangrep: {
    meaning:
      'The job is registered here, yet Plangrep answers that it does not exist. The attempt is on record, and `cancellation` is what came of it: its outcome is `job_not_found`.',
    toDo: 'Check that the jobId is the one that Plangrep gave you, and of the same Plangrep organization. Repeating the request cannot succeed.',
  },
  job_registered_otherwise: {
    meaning:
      'This jobId is registered already, under another externalId or by another partner. A job keeps the partner and the externalId that it was first registered with. Nothing was changed.',
    toDo: 'Check the jobId. To cancel a job that you registered earlier, use the externalId that you gave it then.',
  },
  body_too_large: {
    meaning: 'The body has more than 8192 bytes. Nothing was done.',
    toDo: 'Send less: the documented fields fit easily. A `reason` has at most 500 characters.',
  },
  unsupported_media_type: {
    meaning: 'The body is not declared as JSON. Nothing was done.',
    toDo: 'Send `Content-Type: application/json` and a JSON body.',
  },
  idempotency_key_reused: {
    meaning:
      'This `Idempotency-Key` was first used for a request with another externalId, jobId or reason. Nothing was done for this one; the first is not affected.',
    toDo: 'Use a new key for every new request, and the same key only to repeat the very same request.',
  },
  too_many_requests: {
    meaning: 'You send faster than the service takes, or have used up your quota. Nothing was done.',
    toDo: 'Wait for the seconds of `Retry-After`, then send the same request again, spreading repeats with some jitter.',
  },
  internal_error: {
    meaning:
      'Something is broken on our side, and it is on our records under `requestId`. The request may or may not have taken effect.',
    toDo: 'Repeat the same request, with the same `Idempotency-Key` if you sent one and with growing pauses: no job is cancelled twice. If it goes on, show the operator the `requestId`.',
  },
  temporarily_unavailable: {
    meaning: 'A part that the service needs did not answer. Nothing is known to be on record.',
    toDo: 'Repeat the same request, with the same `Idempotency-Key` if you sent one, after the seconds of `Retry-After`: no job is cancelled twice.',
  },
  gateway_timeout: {
    meaning: 'No answer came in time. The request may have taken effect.',
    toDo: 'Repeat the same request, with the same `Idempotency-Key` if you sent one: no job is cancelled twice. Or read the cancellation to see whether it is there.',
  },
};
