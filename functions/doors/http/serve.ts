import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { type PartnerId, partnerIdSchema, type Scope } from '../../core/identifiers.ts';
import type { Clock } from '../../core/ports.ts';
import { DependencyUnavailable, type Report } from '../../core/report.ts';
import { reportFailure } from '../../core/report.ts';
import { type Answer, retryAfter, send } from './answer.ts';

/** Who calls: known by the credential alone. */
export interface Caller {
  readonly partnerId: PartnerId;
  readonly keyId: string;
  readonly requestId: string;
  /** Milliseconds since 1970: calls to Plangrep are over by then. */
  readonly untilMs: number;
}

export type Act = (event: APIGatewayProxyEvent, caller: Caller) => Promise<Answer>;
export type HttpHandler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/** Kept free at the end of an invocation: the last put, with the SDK's repeats, and the answer. */
const RESERVE_MS = 5_000;

/**
 * A handler behind the REST API's proxy integration and the Lambda authorizer (API Gateway Developer Guide, Lambda
 * proxy integrations): checks the scope, acts, answers, and words what went wrong. No stack and no cause is ever sent.
 */
export const serve =
  (scope: Scope, { clock, report }: { clock: Clock; report: Report }, act: Act): HttpHandler =>
  async (event, context) => {
    const { requestId, authorizer } = event.requestContext;
    try {
      const partnerId = partnerIdSchema.parse(authorizer?.['partnerId']);
      const keyId = String(authorizer?.['keyId']);
      const scopes = String(authorizer?.['scopes']).split(' ');
      if (!scopes.includes(scope)) {
        const detail = `This operation needs a credential with the scope ${scope}.`;
        return send({ kind: 'problem', code: 'forbidden', detail }, requestId);
      }
      const untilMs = clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
      return send(await act(event, { partnerId, keyId, requestId, untilMs }), requestId);
    } catch (error) {
      reportFailure(report, error, { requestId });
      return send(explain(error), requestId);
    }
  };

const explain = (error: unknown): Answer =>
  error instanceof DependencyUnavailable
    ? unavailable(
        'A component of this service did not answer, so the request may not be on record. Repeat it: no job is cancelled twice.',
      )
    : { kind: 'problem', code: 'internal_error', detail: 'This is an error in our service. We have a record of it.' };

/** 503: nothing is known to be on record; a repeat is safe. */
export const unavailable = (detail: string): Answer => ({
  kind: 'problem',
  code: 'temporarily_unavailable',
  detail,
  headers: retryAfter(2_000),
});
