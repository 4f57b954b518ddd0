import { type ProblemCode, problemContentType, problems } from '../../../functions/contract/problems.ts';
import { type Fault, holds, same } from './check.ts';
import type { Answer } from './send-request.ts';

/** That an answer is this problem, in everything that all problems have in common. @see RFC 9457 */
export function expectProblem(answer: Answer, code: ProblemCode): readonly Fault[] {
  const { status, title, retryable } = problems[code];
  const { body, requestId } = answer;
  return [
    ...expectStatus(answer, status),
    ...expectHeader(answer, 'content-type', problemContentType),
    ...expectHeader(answer, 'cache-control', 'no-store'),
    ...same('problem', pick(body, ['code', 'type', 'title', 'status', 'retryable']), {
      code,
      type: `/problems/${code}`,
      title,
      status,
      retryable,
    }),
    ...holds(requestId !== '', 'no request id in a header', 'x-amzn-RequestId'),
    ...same("the problem's requestId", body['requestId'], requestId),
  ];
}

/** With what went wrong, if the answer says it. */
export function expectStatus({ status, body }: Answer, wanted: number): readonly Fault[] {
  const code = typeof body['code'] === 'string' ? ` (${body['code']})` : '';
  return holds(status === wanted, `status ${status}${code}`, `status ${wanted}`);
}

export function expectHeader({ headers }: Answer, name: string, wanted: string): readonly Fault[] {
  return same(`header ${name}`, headers[name], wanted);
}

export function pick(body: Answer['body'], names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, body[name]]));
}
