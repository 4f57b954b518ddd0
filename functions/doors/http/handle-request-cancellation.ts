import type { APIGatewayProxyEvent } from 'aws-lambda';
import { cancelRequestSchema, idempotencyKeySchema } from '../../contract/requests.ts';
import { FAILURE_REMEMBERED_MS } from '../../core/find-job/list-projects.ts';
import type { PartnerId } from '../../core/identifiers.ts';
import type { Ports } from '../../core/ports.ts';
import { type CancelEnd, requestCancellation } from '../../core/use-cases/request-cancellation.ts';
import { presentCancellation } from './present-cancellation.ts';
import { headerValues, type Input, invalid, readBody } from './read-input.ts';
import { preferredWaitSeconds } from './read-preferences.ts';
import { type HttpAnswer, type HttpHandler, jobNotFound, problem, retryAfter, serve, unavailable } from './serve.ts';

/**
 * `POST /v1/cancellations`. With `Prefer: wait=N` the answer comes as soon as the cancellation is closed, or after N seconds.
 * No `Vary` is needed for that: no cache stores an answer (RFC 7240, section 2, wants it for caches).
 */
export function handleRequestCancellation(ports: Ports): HttpHandler {
  return serve('cancellations:write', ports, async (event, caller, reporting) => {
    const body = readBody(event, cancelRequestSchema);
    if (body.kind === 'problem') return body;
    const key = readRequestKey(event);
    if (key.kind === 'problem') return key;
    const waitSeconds = preferredWaitSeconds(event);
    const waitUntilMs = waitSeconds === undefined ? undefined : ports.clock.now() + waitSeconds * 1000;
    const request = { ...body.value, ...caller, waitUntilMs, requestKey: key.value };
    const end = await requestCancellation(reporting, { ...request, door: 'https', refusal: 'final' });
    reportDeferred(reporting, end);
    return answerFor(end, caller.partnerId, event.requestContext.path, waitSeconds);
  });
}

/** The `Idempotency-Key`, in the form that the core keeps apart from an event's id. */
function readRequestKey(event: APIGatewayProxyEvent): Input<string | undefined> {
  const keys = headerValues(event, 'idempotency-key');
  if (keys.length === 0) return { kind: 'input', value: undefined };
  const key = idempotencyKeySchema.safeParse(keys.length === 1 ? keys[0] : '');
  return key.success
    ? { kind: 'input', value: `idempotency-key:${key.data}` }
    : invalid(key.error.issues.map(({ message }) => ({ path: 'Idempotency-Key', message })));
}

/** The 503 of such an answer is not a failure: the alarm on 5xx subtracts it, because callers cause it. */
function reportDeferred({ report }: Pick<Ports, 'report'>, end: CancelEnd): void {
  if (end.kind === 'unresolved' && end.retryAfterMs !== undefined) report('REQUEST_DEFERRED');
}

/**
 * @param path the request's path as the caller wrote it, with the stage if there is one
 * @param waitSeconds the preference that was followed: where there is a cancellation to wait for, the answer says so
 */
function answerFor(end: CancelEnd, partnerId: PartnerId, path: string, waitSeconds?: number): HttpAnswer {
  switch (end.kind) {
    case 'open':
    case 'closed': {
      const answer = answerForCancellation(end, path);
      if (waitSeconds === undefined) return answer;
      return { ...answer, headers: { ...answer.headers, 'Preference-Applied': `wait=${waitSeconds}` } };
    }
    case 'job_not_found':
      return jobNotFound(partnerId);
    case 'ambiguous_external_id': {
      const { length } = end.candidates;
      const detail = `${length} of your jobs with this externalId have not ended. Repeat the request with the jobId of one of them.`;
      return problem(end.kind, detail, { candidates: end.candidates });
    }
    case 'idempotency_key_reused':
      return problem(end.kind, 'This key was first used with another body. Use a new key.');
    case 'unresolved':
      return answerForUnresolved(end);
  }
}

function answerForUnresolved({ listing, retryAfterMs }: Extract<CancelEnd, { kind: 'unresolved' }>): HttpAnswer {
  const nothingDone =
    'It cannot be found out at the moment which job is meant, or whether Plangrep has it. Nothing was done';
  switch (listing) {
    case 'impossible':
      return unavailable(
        `${nothingDone}, and repeating the request does not help: Plangrep's list of your jobs cannot be read, and the operator has been alerted. Register the job with PUT /v1/jobs/{jobId}, then repeat the request: a registered job is found without the list.`,
        retryAfterMs,
      );
    case 'failed':
      return unavailable(`${nothingDone}; repeat the request.`, FAILURE_REMEMBERED_MS);
    case undefined:
      return unavailable(`${nothingDone}; repeat the request.`, retryAfterMs);
  }
}

function answerForCancellation(end: Extract<CancelEnd, { kind: 'open' | 'closed' }>, path: string): HttpAnswer {
  const cancellation = presentCancellation(end.state, end.kind === 'open' ? end.wakeAt : undefined);
  const { jobId, jobStatus } = cancellation;
  const location = { Location: `${path.replace(/\/$/, '')}/${jobId}` };
  switch (cancellation.outcome) {
    case null: {
      const headers = { ...location, ...retryAfter(end.kind === 'open' ? end.retryAfterMs : 0) };
      return { kind: 'success', status: 202, body: cancellation, headers };
    }
    case 'cancelled':
      return { kind: 'success', status: 200, body: cancellation, headers: location };
    case 'too_late': {
      const detail = `The job is ${jobStatus}: it ended before a cancel reached it. Nothing is left to cancel.`;
      return problem('job_already_terminal', detail, { jobStatus, cancellation });
    }
    case 'job_not_found': {
      const detail =
        'The job is registered here, but Plangrep answered for minutes that it does not exist. A request begins anew once it does.';
      return problem('job_unknown_to_plangrep', detail, { cancellation });
    }
  }
}
