import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import type { OwnMembers, PlainCode } from '../../contract/problem-answers.ts';
import { type ProblemCode, problemBody, problemContentType, problems } from '../../contract/problems.ts';
import { jobIdSchema, keyIdSchema, type PartnerId, partnerIdSchema, type Scope } from '../../core/identifiers.ts';
import type { Clock } from '../../core/ports.ts';
import { DependencyUnavailable, type Report, type ReportFields, reportFailure, reportWith } from '../../core/report.ts';

/** Who calls: known by the credential alone. */
export interface Caller {
  readonly partnerId: PartnerId;
  readonly keyId: string;
  readonly requestId: string;
  /** Milliseconds since 1970: calls to Plangrep end by then. */
  readonly untilMs: number;
}

/** What is answered, without `requestId` and the headers that every answer has. */
export type HttpAnswer =
  | { readonly kind: 'success'; readonly status: 200 | 202; readonly body: object; readonly headers?: Headers }
  | Problem;

export interface Problem {
  readonly kind: 'problem';
  readonly code: ProblemCode;
  readonly detail: string;
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Headers;
}

type Headers = Readonly<Record<string, string>>;

export type HttpHandler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/** Kept free at the end of an invocation for the last put, with the SDK's repeats, and the answer. */
const RESERVE_MS = 5_000;

/**
 * A handler behind the REST API's proxy integration and the Lambda authorizer (API Gateway Developer Guide, Lambda
 * proxy integrations): checks the scope, acts, and answers, also when it failed. No stack and no cause is ever sent. Every
 * request leaves a line, and every line that it causes has its `requestId`.
 * @param act its ports report for this request
 */
export function serve<Ports extends { readonly clock: Clock; readonly report: Report }>(
  scope: Scope,
  ports: Ports,
  act: (event: APIGatewayProxyEvent, caller: Caller, ports: Ports) => Promise<HttpAnswer>,
): HttpHandler {
  const { clock } = ports;
  return async (event, context) => {
    const { requestId, authorizer } = event.requestContext;
    const { httpMethod: method, resource: route } = event;
    const beganMs = clock.now();
    let report = reportWith(ports.report, { requestId });
    const answer = (answered: HttpAnswer): APIGatewayProxyResult => {
      const tookMs = clock.now() - beganMs;
      report('REQUEST_ANSWERED', { method, route, ...describe(event, answered), tookMs });
      return send(answered, requestId);
    };
    try {
      // Both are on record with the request: without them it is not served.
      const partnerId = partnerIdSchema.parse(authorizer?.['partnerId']);
      const keyId = keyIdSchema.parse(authorizer?.['keyId']);
      report = reportWith(ports.report, { partnerId, keyId, requestId });
      const scopes = String(authorizer?.['scopes']).split(' ');
      if (!scopes.includes(scope)) {
        return answer(problem('forbidden', `This operation needs a credential with the scope ${scope}.`));
      }
      const untilMs = beganMs + context.getRemainingTimeInMillis() - RESERVE_MS;
      return answer(await act(event, { partnerId, keyId, requestId, untilMs }, { ...ports, report }));
    } catch (error) {
      reportFailure(report, error, {});
      return answer(answerForFailure(error));
    }
  };
}

/** Status, problem code and job of an answer, for the log. Of a job that is not the caller's, only what the path names. */
function describe({ pathParameters }: APIGatewayProxyEvent, answered: HttpAnswer): ReportFields {
  const isProblem = answered.kind === 'problem';
  const { status } = isProblem ? problems[answered.code] : answered;
  const shown = isProblem ? answered.extra?.['cancellation'] : answered.body;
  const { data } = jobIdSchema.safeParse(
    typeof shown === 'object' && shown !== null && 'jobId' in shown ? shown.jobId : pathParameters?.['jobId'],
  );
  return { status, problem: isProblem ? answered.code : undefined, jobId: data };
}

function answerForFailure(error: unknown): Problem {
  return error instanceof DependencyUnavailable
    ? unavailable(
        'A component of this service did not answer, so the request may not be on record. Repeat it: no job is cancelled twice.',
      )
    : problem('internal_error', 'This is an error in our service. We have a record of it.');
}

/** @param own what its code adds to a problem: nothing, or all of it */
export function problem<Code extends ProblemCode>(
  code: Code,
  detail: string,
  ...[own]: Code extends PlainCode ? [] : [own: OwnMembers<Code>]
): Problem {
  return { kind: 'problem', code, detail, extra: own };
}

/**
 * One answer for an unknown job, another partner's job, a job that is not confirmed to be the caller's, and one registered
 * after the request: it tells a caller nothing about jobs that are not its own.
 */
export function jobNotFound(partnerId: PartnerId): Problem {
  const next = `Check the spelling. If the job is not registered, register it with PUT /v1/jobs/{jobId}, and repeat the request with a new Idempotency-Key. If registering answers this too, ask the operator whether the job is in a project of ${partnerId}.`;
  return problem('job_not_found', `No job of yours (${partnerId}) has this externalId or jobId. ${next}`);
}

/** 503: the request may not be on record, and a repeat is safe. @param retryAfterMs milliseconds */
export function unavailable(detail: string, retryAfterMs = 2_000): Problem {
  return { ...problem('temporarily_unavailable', detail), headers: retryAfter(retryAfterMs) };
}

/** Seconds, whole, at least 1. @see RFC 9110, section 10.2.3 */
export function retryAfter(ms: number): Headers {
  return { 'Retry-After': String(Math.max(1, Math.ceil(ms / 1000))) };
}

/** An answer in the form that API Gateway expects. */
export function send(answer: HttpAnswer, requestId: string): APIGatewayProxyResult {
  const isProblem = answer.kind === 'problem';
  return {
    statusCode: isProblem ? problems[answer.code].status : answer.status,
    headers: {
      'Content-Type': isProblem ? problemContentType : 'application/json',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': requestId,
      ...answer.headers,
    },
    body: JSON.stringify(isProblem ? problemBody(answer.code, requestId, answer.detail, answer.extra) : answer.body),
  };
}
