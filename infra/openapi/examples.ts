import { type ProblemCode, problemBody } from '../../functions/contract/problems.ts';
import { wrongCursor } from '../../functions/contract/page-request.ts';
import { MOST_PREVIEWED } from '../../functions/contract/preview-request.ts';
import type { Scope } from '../../functions/core/identifiers.ts';
import { gatewayResponses, type GatewayResponseType, renderGatewayResponse } from '../blueprint/api.ts';
import type { Example, Examples } from './document.ts';
import {
  cancelled,
  cancelledWithTimeline,
  exampleCursor,
  externalId,
  jobId,
  pending,
  pendingWithTimeline,
  projectId,
  reason,
  refused,
  registered,
  previews,
  tooLate,
  twinCancelled,
  twins,
  unknownToPlangrep,
} from './example-cancellations.ts';

/**
 * The examples of requests and their answers. Tests hold each example to its schema, and play each answer at the local run:
 * only times and request ids may differ.
 */

/** The same for a job that Plangrep does not know, another's, and one that is not registered. */
const noSuchJob =
  'No job of yours (acme) has this externalId or jobId. Check the spelling. If the job is not registered, register it with PUT /v1/jobs/{jobId}, and repeat the request with a new Idempotency-Key. If registering answers this too, ask the operator whether the job is in a project of acme.';

/** A value for each parameter. */
export const parameterExamples: Readonly<Record<string, unknown>> = {
  jobId,
  externalId,
  limit: 10,
  cursor: exampleCursor,
  'Idempotency-Key': 'cancel-order-7890-1',
  Prefer: 'wait=10',
};

/** Bodies of requests, by operation. */
export const requestExamples: Readonly<Record<string, Examples>> = {
  requestCancellation: {
    by_external_id: { summary: 'By externalId, with a reason', value: { externalId, reason } },
    by_job_id: {
      summary: 'One of several jobs with the same externalId',
      value: { externalId: 'order-7893', jobId: 'job_twin20000000000000000007893' },
    },
  },
  previewCancellations: {
    three: { summary: 'Three orders', value: { externalIds: ['order-7890', 'order-7893', 'order-0000'] } },
  },
  registerJob: { register: { summary: 'A job of a project', value: { externalId, projectId } } },
};

/** Bodies of successful answers, by operation and status. */
export const successExamples: Readonly<Record<string, Readonly<Record<string, Examples>>>> = {
  requestCancellation: {
    200: { cancelled: { summary: 'Cancelled at once: 63 of 204 pages were processed, and billed', value: cancelled } },
    202: { pending: { summary: 'The job is still processing', value: pending } },
  },
  previewCancellations: { 200: { previews: { summary: 'One job, two jobs, no job', value: { previews } } } },
  listCancellations: {
    200: {
      cancelled: {
        summary: 'One job, cancelled',
        value: { cancellations: [cancelledWithTimeline], refusals: [], refusedCount: 0, nextCursor: null },
      },
      first_page: {
        summary: 'The first of two pages, with `limit=1`',
        value: {
          cancellations: [twinCancelled],
          refusals: [{ ...refused, why: 'ambiguous_external_id' }],
          refusedCount: 1,
          nextCursor: exampleCursor,
        },
      },
      none: {
        summary: 'No request has asked to cancel the job',
        value: { cancellations: [], refusals: [], refusedCount: 0, nextCursor: null },
      },
      refused: {
        summary: 'A request was refused: no job has the externalId',
        value: { cancellations: [], refusals: [refused], refusedCount: 1, nextCursor: null },
      },
    },
  },
  readCancellation: {
    200: {
      cancelled: { summary: 'Cancelled', value: cancelledWithTimeline },
      pending: { summary: 'The job is still processing', value: pendingWithTimeline },
    },
  },
  registerJob: { 200: { registered: { summary: 'Registered', value: registered } } },
};

export type ProblemExample = Example & { readonly name: string; readonly code: ProblemCode };

const problemRequestId = '4662431c-9fb5-4103-a741-92227b4331bc';

function fromFunction(
  code: ProblemCode,
  summary: string,
  detail: string,
  extra: Readonly<Record<string, unknown>> = {},
  name: string = code,
): ProblemExample {
  return { name, code, summary, value: problemBody(code, problemRequestId, detail, extra) };
}

/** @param wrong by the path of each field, or by an empty path for the whole body */
function invalid(summary: string, wrong: Readonly<Record<string, string>>, name?: string): ProblemExample {
  const errors = Object.entries(wrong).map(([path, message]) => ({ path, message }));
  const detail = errors.map(({ path, message }) => `${path || 'The body'} ${message}.`).join(' ');
  return fromFunction('invalid_request', summary, detail, { errors }, name);
}

/** API Gateway's answers, made by what makes the real ones. */
function fromGateway(type: GatewayResponseType, summary: string): ProblemExample {
  const value: unknown = JSON.parse(renderGatewayResponse(type, problemRequestId).body);
  return { name: type.toLowerCase(), code: gatewayResponses[type].problem, summary, value };
}

const malformedJobId = invalid('A jobId with a space in it', {
  jobId: 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -',
});

const latin1ExternalId = invalid(
  'An externalId in Latin-1',
  {
    externalId: 'must not contain U+FFFD, which stands for bytes that are not valid UTF-8: send the text as UTF-8',
  },
  'not_utf8',
);

const ofBodies: readonly ProblemExample[] = [
  invalid('The body is not JSON', { '': 'is not JSON' }, 'not_json'),
  latin1ExternalId,
  fromFunction('body_too_large', 'Over 8 KiB', 'The body has 9039 bytes; at most 8192 are allowed.'),
  fromFunction('unsupported_media_type', 'A form instead of JSON', 'Send Content-Type: application/json.'),
];

const ofOperation: Readonly<Record<string, readonly ProblemExample[]>> = {
  requestCancellation: [
    ...ofBodies,
    invalid('A misspelt field', { externalId: 'is required', externalid: 'is not a field of this request' }),
    fromFunction('job_not_found', 'No such job', noSuchJob),
    fromFunction(
      'job_already_terminal',
      'The job was completed first',
      'The job is completed: it ended before a cancel reached it. Nothing is left to cancel.',
      { jobStatus: 'completed', cancellation: tooLate },
    ),
    fromFunction(
      'ambiguous_external_id',
      'Two unfinished jobs',
      '2 of your jobs with this externalId have not ended. Repeat the request with the jobId of one of them.',
      { candidates: twins },
    ),
    fromFunction(
      'job_unknown_to_plangrep',
      'Registered here, unknown to Plangrep',
      'The job is registered here, but Plangrep answered for minutes that it does not exist. A request begins anew once it does.',
      { cancellation: unknownToPlangrep },
    ),
    fromFunction(
      'idempotency_key_reused',
      'The key of another request',
      'This key was first used with another body. Use a new key.',
    ),
    fromFunction(
      'temporarily_unavailable',
      'Plangrep did not list its jobs',
      'It cannot be found out at the moment which job is meant, or whether Plangrep has it. Nothing was done; repeat the request.',
      {},
      'unresolved',
    ),
  ],
  previewCancellations: [
    ...ofBodies.filter(({ name }) => name !== 'not_utf8'),
    invalid('Too many at once', { externalIds: `must have at most ${MOST_PREVIEWED} items` }),
  ],
  listCancellations: [
    invalid('No externalId', { externalId: 'is required' }),
    latin1ExternalId,
    invalid('A cursor of another externalId', { cursor: wrongCursor }, 'wrong_cursor'),
    fromFunction('job_not_found', 'No such job', noSuchJob),
  ],
  readCancellation: [malformedJobId, fromFunction('job_not_found', 'No cancellation was requested', noSuchJob)],
  registerJob: [
    ...ofBodies,
    malformedJobId,
    fromFunction('job_not_found', 'Plangrep does not show such a job as yours', noSuchJob),
    fromFunction(
      'job_registered_otherwise',
      'Already registered under another externalId',
      'A job keeps the externalId of its first registration.',
    ),
    fromFunction(
      'too_many_jobs',
      'Twenty jobs have not ended',
      '20 jobs with this externalId have not ended. Cancel one, or use another externalId.',
    ),
  ],
};

/** Every example of a problem that an operation can end with. */
export function problemExamples(operationId: string, scope: Scope): readonly ProblemExample[] {
  return [
    ...(ofOperation[operationId] ?? []),
    fromGateway('UNAUTHORIZED', 'No valid credential'),
    fromFunction(
      'forbidden',
      `A credential without ${scope}`,
      `This operation needs a credential with the scope ${scope}.`,
    ),
    fromGateway('INVALID_API_KEY', 'No usage plan is set up yet'),
    fromGateway('THROTTLED', 'Too fast'),
    fromGateway('QUOTA_EXCEEDED', "The plan's requests for today are used up"),
    fromGateway('WAF_FILTERED', 'The firewall counted too many'),
    fromFunction(
      'internal_error',
      'An error in the service',
      'This is an error in our service. We have a record of it.',
    ),
    fromGateway('DEFAULT_5XX', 'No clear answer'),
    fromFunction(
      'temporarily_unavailable',
      'A component of the service did not answer',
      'A component of this service did not answer, so the request may not be on record. Repeat it: no job is cancelled twice.',
    ),
    fromGateway('AUTHORIZER_FAILURE', 'The credential could not be checked'),
    fromGateway('INTEGRATION_TIMEOUT', 'No answer in time'),
  ];
}
