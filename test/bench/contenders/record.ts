import { startContainer } from '../../../infra/local/aws/lambda/container.ts';
import { openStage, type Stage } from '../../proof/crash/stage.ts';
import type { Disturb } from '../../proof/crash/tap.ts';
import { type Contender, defineContainer } from './contenders.ts';
import { createBaselineTables } from './baseline-tables.ts';
import type { Exchange } from './exchange.ts';
import { isHappy } from './happy-paths.ts';

/** A contender's first invocation, as the local run's own parts answered it. */
export interface Recording {
  readonly event: unknown;
  /** In the order in which they were answered. */
  readonly exchanges: readonly Exchange[];
}

const recordOne = async (stage: Stage, contender: Contender, bootstrap: string): Promise<Recording> => {
  const { tap } = stage;
  const exchanges: Exchange[] = [];
  const listen: Disturb =
    ({ service, head, body }) =>
    async ({ forward, answer }) => {
      const forwarded = await forward();
      exchanges.push({ service, head, body, answer: forwarded });
      answer(forwarded);
    };
  const event = await contender.path(stage);
  tap.begin(listen);
  const printed: string[] = [];
  const definition = defineContainer(contender, tap.urls, bootstrap);
  const container = await startContainer(definition, (line) => printed.push(line));
  try {
    const result = await container.invoke(event);
    if (result.kind === 'answered' && isHappy(result.payload)) return { event, exchanges };
    throw new Error(`${contender.name} did not walk its path: ${[JSON.stringify(result), ...printed].join('\n')}`);
  } finally {
    container.kill();
    await container.ended;
  }
};

/**
 * Has every contender walk its path on the local run's parts, over plain HTTP: each in a world of its own, since what
 * another one leaves there, a wake-up above all, would be in its answers.
 */
export const record = async (
  contenders: readonly Contender[],
  bootstrap: string,
): Promise<ReadonlyMap<string, Recording>> => {
  const recordings = new Map<string, Recording>();
  for (const contender of contenders) {
    const stage = await openStage();
    try {
      await createBaselineTables(stage.dynamodb.client);
      recordings.set(contender.name, await recordOne(stage, contender, bootstrap));
    } finally {
      await stage.close();
    }
  }
  return recordings;
};
