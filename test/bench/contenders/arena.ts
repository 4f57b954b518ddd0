import { type BuiltContenders, buildContenders } from './build-contenders.ts';
import { type Contender, defineContainer } from './contenders.ts';
import { type ProbedContainer, startProbedContainer } from './probe-container.ts';
import { installBaseline } from './install-baseline.ts';
import type { BenchContext } from '../part.ts';
import { isHappy } from './happy-paths.ts';
import { record, type Recording } from './record.ts';
import { type Replay, startReplay } from './replay.ts';

/** Where contenders are measured: each is built and recorded, and meets the same answers over TLS. */
export interface Arena {
  readonly built: BuiltContenders;
  readonly urls: Replay['urls'];
  /** Empty for a contender that is given nothing. */
  recordingOf(contender: Contender): Recording;
  /** Makes the answers those for this contender, from the first. */
  serve(contender: Contender): Promise<void>;
  /** A fresh process; it ends with the arena at the latest. */
  start(contender: Contender): Promise<ProbedContainer>;
  /** One invocation with the recorded event. @throws when the contender did not walk its whole path */
  invoke(contender: Contender, container: ProbedContainer): Promise<void>;
  close(): Promise<void>;
}

/** @param choose which contenders talk to somebody, and so are recorded first */
export const openArena = async (
  { withBaseline, progress }: Pick<BenchContext, 'withBaseline' | 'progress'>,
  choose: (built: BuiltContenders) => readonly Contender[],
): Promise<Arena> => {
  if (withBaseline) await installBaseline(progress);
  const built = await buildContenders({ withBaseline });
  const replay = await startReplay();
  const started = new Set<ProbedContainer>();
  const close = async (): Promise<void> => {
    for (const container of started) container.kill();
    await Promise.all([...started].map(({ ended }) => ended));
    await replay.close();
    await built.remove();
  };
  progress('recording what the local parts answer');
  const recordings = await record(choose(built), built.bootstrap).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const recordingOf = ({ name, like = name }: Contender): Recording =>
    recordings.get(like) ?? { event: {}, exchanges: [] };
  const surroundings = { NODE_EXTRA_CA_CERTS: replay.authority };

  return {
    built,
    urls: replay.urls,
    recordingOf,
    serve: (contender) => replay.play(recordingOf(contender).exchanges),
    start: async (contender) => {
      const definition = defineContainer(contender, replay.urls, built.bootstrap, surroundings);
      const container = await startProbedContainer(definition);
      started.add(container);
      void container.ended.then(() => started.delete(container));
      return container;
    },
    async invoke(contender, container) {
      const result = await container.invoke(recordingOf(contender).event);
      const isWalked = result.kind === 'answered' && isHappy(result.payload) && replay.unknown.length === 0;
      if (!isWalked) throw new Error([`${contender.name}: ${JSON.stringify(result)}`, ...replay.unknown].join('\n'));
    },
    close,
  };
};
