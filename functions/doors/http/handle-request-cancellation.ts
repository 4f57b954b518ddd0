import type { CancellationState } from '../../core/cancellation/state.ts';
import type { Ports } from '../../core/ports.ts';
import { type CancelEnd, requestCancellation } from '../../core/use-cases/request-cancellation.ts';
import { type Answer, retryAfter } from './answer.ts';
import { cancelRequestSchema, idempotencyKeySchema } from '../../contract/requests.ts';
import { presentCancellation } from './present-cancellation.ts';
import { headerValues, invalid, readBody } from './read-input.ts';
import { type HttpHandler, serve, unavailable } from './serve.ts';

/** `POST /v1/cancellations` */
export const handleRequestCancellation = (ports: Ports): HttpHandler =>
  serve('cancellations:write', ports, async (event, caller) => {
    const body = readBody(event, cancelRequestSchema);
    if (body.kind === 'problem') return body;
    const keys = headerValues(event, 'idempotency-key');
    const key = keys.length === 0 ? undefined : idempotencyKeySchema.safeParse(keys.length === 1 ? keys[0] : '');
    if (key?.success === false) {
      return invalid(key.error.issues.map(({ message }) => ({ path: 'Idempotency-Key', message })));
    }
    const requestKey = key === undefined ? undefined : `idempotency-key:${key.data}`;
    const end = await requestCancellation(ports, {
      ...body.value,
      ...caller,
      requestKey,
      door: 'https',
      refusal: 'final',
    });
    return answerFor(end, event.requestContext.path);
  });

/** @param path of the request as the caller wrote it, with the stage where there is one */
const answerFor = (end: CancelEnd, path: string): Answer => {
  switch (end.kind) {
    case 'open':
      return answerForCancellation(end.state, path, end.retryAfterMs);
    case 'closed':
      return answerForCancellation(end.state, path, 0);
    case 'job_not_found':
      return { kind: 'problem', code: 'job_not_found', detail: jobNotFound };
    case 'ambiguous_external_id': {
      const detail = `${end.candidates.length} of your jobs with this externalId have not ended. Repeat the request with the jobId of one of them.`;
      return { kind: 'problem', code: end.kind, detail, extra: { candidates: end.candidates } };
    }
    case 'idempotency_key_reused':
      return { kind: 'problem', code: end.kind, detail: 'This key was first used with another body. Use a new key.' };
    case 'unresolved':
      return unavailable('Plangrep did not answer which job is meant. Nothing was done; repeat the request.');
  }
};

const answerForCancellation = (state: CancellationState, path: string, retryAfterMs: number): Answer => {
  const cancellation = presentCancellation(state);
  const { jobId, jobStatus } = cancellation;
  const location = { Location: `${path.replace(/\/$/, '')}/${jobId}` };
  switch (cancellation.outcome) {
    case null:
      return {
        kind: 'success',
        status: 202,
        body: cancellation,
        headers: { ...location, ...retryAfter(retryAfterMs) },
      };
    case 'cancelled':
      return { kind: 'success', status: 200, body: cancellation, headers: location };
    case 'too_late': {
      const detail = `The job is ${jobStatus}: it ended before a cancel reached it. Nothing is left to cancel.`;
      return { kind: 'problem', code: 'job_already_terminal', detail, extra: { jobStatus, cancellation } };
    }
    case 'job_not_found': {
      const detail = 'The job is registered here, but Plangrep answers that it does not exist.';
      return { kind: 'problem', code: 'job_unknown_to_plangrep', detail, extra: { cancellation } };
    }
  }
};

/** The same whether the job is unknown, or another partner's, or came after the request. */
export const jobNotFound =
  'No job of yours has this externalId or jobId. If it was registered after this Idempotency-Key was first used, use a new key.';
