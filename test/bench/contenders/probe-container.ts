import { type Container, type ContainerDefinition, startContainer } from '../../../infra/local/aws/lambda/container.ts';
import { type Cpu, type Memory, probes, readProbe } from './probe.ts';

/** A contender's process that can be asked what it has used. */
export interface ProbedContainer extends Container {
  /** Milliseconds of CPU since the spawn. */
  cpuMs(): Promise<number>;
  /** Ends with a full garbage collection. */
  memory(): Promise<Memory>;
}

/** @param definition with the bootstrap that {@link probes} reach */
export const startProbedContainer = async (definition: ContainerDefinition): Promise<ProbedContainer> => {
  let told: ((what: Cpu | Memory) => void) | undefined;
  const container = await startContainer(definition, (line) => {
    const what = readProbe(line);
    if (what !== undefined) told?.(what);
  });
  const ask = async (signal: NodeJS.Signals): Promise<Cpu | Memory> => {
    const answer = new Promise<Cpu | Memory>((resolve) => (told = resolve));
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
};
