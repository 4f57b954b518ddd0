import * as z from 'zod/mini';
import type { Container } from '../../../infra/local/aws/lambda/container.ts';

/** What is looked at of an answer. */
export const answerSchema = z.object({ statusCode: z.number() });

/**
 * Milliseconds from an HTTP request's way in to its answer.
 * @throws when the answer is another than `status`: then it is not the path that is meant
 */
export const invokeTimed = async (container: Container, event: unknown, status: number): Promise<number> => {
  const began = performance.now();
  const result = await container.invoke(event);
  const took = performance.now() - began;
  const answered = result.kind === 'answered' ? answerSchema.parse(result.payload).statusCode : result.kind;
  if (answered !== status) throw new Error(`answered ${answered}, not ${status}: ${JSON.stringify(result)}`);
  return took;
};

/** What was measured of one of several, round by round. */
export interface Figures {
  readonly ms: readonly number[];
  readonly requests: readonly number[];
}

/** Each in turn, round after round, so that what slows the machine down weighs on all. The first round only warms up. */
export const takeTurns = async <One>(
  all: readonly One[],
  rounds: number,
  act: (one: One, round: number) => Promise<{ ms: number; requests: number }>,
): Promise<readonly Figures[]> => {
  const figures = all.map(() => ({ ms: [] as number[], requests: [] as number[] }));
  for (let round = -1; round < rounds; round += 1) {
    for (const [n, one] of all.entries()) {
      const { ms, requests } = await act(one, round);
      if (round < 0) continue;
      figures[n]?.ms.push(ms);
      figures[n]?.requests.push(requests);
    }
  }
  return figures;
};
