import * as z from 'zod/mini';
import { cancellationSchema, problemSchema, registeredJobSchema } from '../../../functions/contract/answers.ts';
import { renderGatewayResponse } from '../../../infra/blueprint/api.ts';
import { toHttpAnswer } from '../../../infra/local/aws/gateway/proxy-integration.ts';
import type { InvocationResult } from '../../../infra/local/aws/lambda/container.ts';

/** What a caller over HTTPS sees. */
export interface HttpEnd {
  readonly status: number;
  /** The problem's code. */
  readonly code?: string | undefined;
  readonly outcome?: string | null | undefined;
  readonly jobId?: string | undefined;
  /** Why it is not an answer of the contract. */
  readonly malformed?: string | undefined;
}

/** Reads an answer by the contract, as strictly as a caller might. */
export const readHttpEnd = (result: InvocationResult): HttpEnd => {
  const { statusCode: status, body } = toHttpAnswer(result, () => renderGatewayResponse('DEFAULT_5XX', 'request'));
  const parsed: unknown = JSON.parse(String(body));
  if (status >= 400) {
    const problem = problemSchema.safeParse(parsed);
    if (!problem.success) return { status, malformed: z.prettifyError(problem.error) };
    const { code, cancellation } = problem.data;
    return { status, code, outcome: cancellation?.outcome, jobId: cancellation?.jobId };
  }
  const job = registeredJobSchema.safeParse(parsed);
  if (job.success) return { status, jobId: job.data.jobId };
  const cancellation = cancellationSchema.safeParse(parsed);
  if (!cancellation.success) return { status, malformed: z.prettifyError(cancellation.error) };
  return { status, outcome: cancellation.data.outcome, jobId: cancellation.data.jobId };
};

const batchSchema = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })) });

/** The messages that a batch gives back; nothing when the function did not answer: then the queue keeps all of them. */
export const readBatchFailures = (result: InvocationResult): readonly string[] | undefined =>
  result.kind === 'answered'
    ? batchSchema.parse(result.payload).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
    : undefined;
