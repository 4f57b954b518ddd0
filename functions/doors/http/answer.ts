import type { APIGatewayProxyResult } from 'aws-lambda';
import { type ProblemCode, problemBody, problemContentType, problems } from '../../contract/problems.ts';

/** What an answer says; `requestId` and the headers that every answer has are added when it is sent. */
export type Answer =
  | { readonly kind: 'success'; readonly status: 200 | 202; readonly body: object; readonly headers?: Headers }
  | Problem;

export interface Problem {
  readonly kind: 'problem';
  readonly code: ProblemCode;
  readonly detail: string;
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly headers?: Headers;
}

type Headers = Readonly<Record<string, string>>;

/** Seconds, whole, at least 1. @see RFC 9110, section 10.2.3 */
export const retryAfter = (ms: number): Headers => ({ 'Retry-After': String(Math.max(1, Math.ceil(ms / 1000))) });

/** An answer as API Gateway takes it. */
export const send = (answer: Answer, requestId: string): APIGatewayProxyResult => {
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
};
