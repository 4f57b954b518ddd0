import { keyVariables } from '../../../infra/local/aws/access-keys.ts';
import { type Container, startContainer } from '../../../infra/local/aws/lambda/container.ts';
import { openStage } from '../../proof/crash/stage.ts';
import type { BenchContext } from '../part.ts';
import { type BuiltContenders, buildContenders } from './build-contenders.ts';
import { type Contender, createBaselineTables, defineContainer, isWholePath } from './contenders.ts';
import { type Cpu, type Memory, probes, readProbe } from './probe.ts';
import { type Exchange, type Replay, startReplay } from './replay.ts';

/** Where contenders are measured: each is built and recorded, and gets the same answers over TLS. */
export interface Arena {
  readonly built: BuiltContenders;
  readonly urls: Replay['urls'];
  readonly replay: Pick<Replay, 'setDistance' | 'nextArrival'>;
  /** Empty for a contender that sends nothing. */
  recordingOf(contender: Contender): Recording;
  /** From now on the answers are this contender's, from the first. */
  serve(contender: Contender): Promise<void>;
  /** A new process; it ends with the arena at the latest. */
  start(contender: Contender, more?: Readonly<Record<string, string>>): Promise<ProbedContainer>;
  /** One invocation with the recorded event. @throws Error when the contender did not take its whole path */
  invoke(contender: Contender, container: ProbedContainer): Promise<void>;
  close(): Promise<void>;
}

/** A contender's process, which reports what it has used. */
export interface ProbedContainer extends Container {
  /** Milliseconds of CPU since the spawn. */
  cpuMs(): Promise<number>;
  /** After a full garbage collection. */
  memory(): Promise<Memory>;
}

/** A contender's first invocation, as the local run's own parts answered it. */
interface Recording {
  readonly event: unknown;
  /** In the order in which they were answered. */
  readonly exchanges: readonly Exchange[];
}

/** @param choose the contenders that send requests: they are recorded first */
export async function openArena(
  { withBaseline, progress }: Pick<BenchContext, 'withBaseline' | 'progress'>,
  choose: (built: BuiltContenders) => readonly Contender[],
  { isDistant = false } = {},
): Promise<Arena> {
  const built = await buildContenders(withBaseline, progress);
  const replay = await startReplay(isDistant);
  const bootstrap = isDistant ? built.distantBootstrap : built.bootstrap;
  const started = new Set<ProbedContainer>();
  const close = async (): Promise<void> => {
    for (const container of started) container.kill();
    await Promise.all([...started].map(({ ended }) => ended));
    await replay.close();
    await built.remove();
  };
  progress('recording what the local parts answer');
  const recordings = new Map<string, Recording>();
  try {
    for (const contender of choose(built)) recordings.set(contender.name, await record(contender, built.bootstrap));
  } catch (error) {
    await close();
    throw error;
  }
  const recordingOf = ({ name, like = name }: Contender): Recording =>
    recordings.get(like) ?? { event: {}, exchanges: [] };

  return {
    built,
    urls: replay.urls,
    replay,
    recordingOf,
    serve: (contender) => replay.play(recordingOf(contender).exchanges),
    start: async (contender, more) => {
      const container = await startProbed(contender, bootstrap, replay, more);
      started.add(container);
      void container.ended.then(() => started.delete(container));
      return container;
    },
    async invoke(contender, container) {
      const result = await container.invoke(recordingOf(contender).event);
      const isWhole = result.kind === 'answered' && isWholePath(result.payload) && replay.unknown.length === 0;
      if (!isWhole) throw new Error([`${contender.name}: ${JSON.stringify(result)}`, ...replay.unknown].join('\n'));
    },
    close,
  };
}

/**
 * Has a contender take its path on the local run's parts, over plain HTTP. Each has a stage for itself: what another one
 * leaves there, especially a wake-up, would be in its answers.
 */
async function record(contender: Contender, bootstrap: string): Promise<Recording> {
  const stage = await openStage();
  try {
    await createBaselineTables(stage.dynamodb.client);
    const event = await contender.prepare(stage);
    const exchanges: Exchange[] = [];
    stage.tap.begin(({ service, head, body }) => async ({ forward, answer }) => {
      const forwarded = await forward();
      exchanges.push({ service, head, body, answer: forwarded });
      answer(forwarded);
    });
    const printed: string[] = [];
    const definition = defineContainer(contender, stage.tap.urls, bootstrap, keyVariables(stage.dynamodb.accessKey));
    const container = await startContainer(definition, (line) => printed.push(line));
    const result = await container.invoke(event);
    container.kill();
    await container.ended;
    if (result.kind === 'answered' && isWholePath(result.payload)) return { event, exchanges };
    throw new Error([`${contender.name} did not take its path: ${JSON.stringify(result)}`, ...printed].join('\n'));
  } finally {
    await stage.close();
  }
}

async function startProbed(
  contender: Contender,
  bootstrap: string,
  replay: Replay,
  more?: Readonly<Record<string, string>>,
): Promise<ProbedContainer> {
  let reported: ((what: Cpu | Memory) => void) | undefined;
  const definition = defineContainer(contender, replay.urls, bootstrap, {
    NODE_EXTRA_CA_CERTS: replay.authority,
    ...more,
  });
  const container = await startContainer(definition, (line) => {
    const what = readProbe(line);
    if (what !== undefined) reported?.(what);
  });
  const ask = async (signal: NodeJS.Signals): Promise<Cpu | Memory> => {
    const answer = new Promise<Cpu | Memory>((resolve) => (reported = resolve));
    process.kill(container.pid, signal);
    return Promise.race([answer, container.ended.then(() => Promise.reject(new Error('the contender ended')))]);
  };
  return {
    ...container,
    cpuMs: async () => {
      const what = await ask(probes.cpu);
      return 'cpuMs' in what ? what.cpuMs : Number.NaN;
    },
    memory: async () => {
      const what = await ask(probes.memory);
      return 'rss' in what ? what : { rss: Number.NaN, heapUsed: Number.NaN };
    },
  };
}
