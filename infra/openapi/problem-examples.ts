import type * as z from 'zod/mini';
import type { Scope } from '../../functions/core/identifiers.ts';
import type { problemSchema } from '../../functions/contract/answers.ts';
import { type ProblemCode, problemBody } from '../../functions/contract/problems.ts';
import { gatewayResponses, type GatewayResponseType, renderGatewayResponse } from '../blueprint/api.ts';
import { registeredAt, tooLate, unknownToPlangrep } from './examples.ts';

/**
 * The examples of problems. API Gateway's are made by what makes the real ones; the functions' are played by a test at the
 * local run.
 */
export interface ProblemExample {
  readonly name: string;
  readonly code: ProblemCode;
  readonly summary: string;
  readonly value: unknown;
}

const requestId = '4662431c-9fb5-4103-a741-92227b4331bc';
type Extra = Pick<z.input<typeof problemSchema>, 'errors' | 'jobStatus' | 'cancellation' | 'candidates'>;

const fromFunction = (code: ProblemCode, summary: string, detail: string, extra: Extra = {}, name: string = code) => ({
  name,
  code,
  summary,
  value: problemBody(code, requestId, detail, { ...extra }),
});

const fromGateway = (type: GatewayResponseType, summary: string): ProblemExample => ({
  name: type.toLowerCase(),
  code: gatewayResponses[type].problem,
  summary,
  value: JSON.parse(renderGatewayResponse(type, requestId).body),
});

const invalid = (summary: string, path: string, message: string, name?: string): ProblemExample =>
  fromFunction('invalid_request', summary, `${path || 'The body'} ${message}.`, { errors: [{ path, message }] }, name);

const malformedJobId = invalid(
  'A jobId with a space in it',
  'jobId',
  'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -',
);

const everywhere = (scope: Scope): readonly ProblemExample[] => [
  fromGateway('UNAUTHORIZED', 'No valid credential'),
  fromFunction(
    'forbidden',
    `A credential without ${scope}`,
    `This operation needs a credential with the scope ${scope}.`,
  ),
  fromGateway('WAF_FILTERED', 'Stopped by the firewall'),
  fromGateway('THROTTLED', 'Too fast'),
  fromGateway('QUOTA_EXCEEDED', 'The quota is used up'),
  fromFunction('internal_error', 'An error in the service', 'This is an error in our service. We have a record of it.'),
  fromGateway('DEFAULT_5XX', 'No clear answer'),
  fromFunction(
    'temporarily_unavailable',
    'A component of the service did not answer',
    'A component of this service did not answer, so the request may not be on record. Repeat it: no job is cancelled twice.',
  ),
  fromGateway('AUTHORIZER_FAILURE', 'The credential could not be checked'),
  fromGateway('INTEGRATION_TIMEOUT', 'No answer in time'),
];

const withBody: readonly ProblemExample[] = [
  invalid('The body is not JSON', '', 'is not JSON', 'not_json'),
  fromFunction('body_too_large', 'Over 8 KiB', 'The body has 9039 bytes; at most 8192 are allowed.'),
  fromFunction('unsupported_media_type', 'A form instead of JSON', 'Send Content-Type: application/json.'),
];

const own: Readonly<Record<string, readonly ProblemExample[]>> = {
  requestCancellation: [
    ...withBody,
    fromFunction(
      'invalid_request',
      'A misspelt field',
      'externalId is required. externalid is not a field of this request.',
      {
        errors: [
          { path: 'externalId', message: 'is required' },
          { path: 'externalid', message: 'is not a field of this request' },
        ],
      },
    ),
    fromFunction(
      'job_not_found',
      'No such job',
      'No job of yours has this externalId or jobId. If it was registered after this Idempotency-Key was first used, use a new key.',
    ),
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
      {
        candidates: [
          { jobId: 'job_twin20000000000000000007893', registeredAt, jobStatus: 'processing' },
          { jobId: 'job_twin10000000000000000007893', registeredAt, jobStatus: 'processing' },
        ],
      },
    ),
    fromFunction(
      'job_unknown_to_plangrep',
      'Registered here, unknown to Plangrep',
      'The job is registered here, but Plangrep answers that it does not exist.',
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
      'Plangrep did not answer which job is meant. Nothing was done; repeat the request.',
      {},
      'unresolved',
    ),
  ],
  listCancellations: [
    invalid('No externalId', 'externalId', 'is required'),
    fromFunction('job_not_found', 'No such job', 'No job of yours has this externalId or jobId.'),
  ],
  readCancellation: [
    malformedJobId,
    fromFunction('job_not_found', 'No cancellation was requested', 'No job of yours has this externalId or jobId.'),
  ],
  registerJob: [
    ...withBody,
    malformedJobId,
    fromFunction(
      'job_registered_otherwise',
      'Already registered under another externalId',
      'A job keeps the partner and the externalId of its first registration.',
    ),
  ],
};

/** Every example of a problem that an operation can end with. */
export const problemExamples = (operationId: string, scope: Scope): readonly ProblemExample[] => [
  ...(own[operationId] ?? []),
  ...everywhere(scope),
];
