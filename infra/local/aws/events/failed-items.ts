import * as z from 'zod/mini';
import type { InvocationResult } from '../lambda/container.ts';

const batchAnswerSchema = z.object({
  batchItemFailures: z.nullish(z.array(z.object({ itemIdentifier: z.string() }))),
});

/**
 * Which items of a batch failed, messages of a queue or records of a stream: those that the function reported, or all when
 * it failed, timed out, was not invoked, answered something else, or reported an item that was not in the batch.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export function failedOf(ids: readonly string[], result: InvocationResult | undefined): ReadonlySet<string> {
  const all = new Set(ids);
  if (result?.kind !== 'answered') return all;
  if (result.payload === null || result.payload === undefined) return new Set();
  const { success, data } = batchAnswerSchema.safeParse(result.payload);
  if (!success) return all;
  const reported = (data.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  return reported.every((id) => all.has(id)) ? new Set(reported) : all;
}
