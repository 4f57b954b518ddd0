import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Container,
  type ContainerDefinition,
  type InvocationResult,
  type OnLog,
  startContainer,
} from './container.ts';

export interface LambdaRuntimeOptions {
  readonly functions: readonly ContainerDefinition[];
  /** How far one function scales out; further invocations queue. @default 2 */
  readonly containersPerFunction?: number;
  /** @default nothing is kept */
  readonly onLog?: OnLog;
}

/** What goes wrong with an invocation: the process is killed once it has the event, or the event comes late. */
export type InvocationFault = { readonly kind: 'crash' } | { readonly kind: 'late'; readonly delayMs: number };

/** Lambda's execution side on this machine: real processes, one invocation at a time in each. */
export interface LambdaRuntime {
  /** Never rejects for what a function does; rejects for a function that is not defined, or after {@link close}. */
  invoke(functionName: string, event: unknown, fault?: InvocationFault): Promise<InvocationResult>;
  /** One container outside the pool, for whoever wants to kill it or to time its start. `close` ends it too. */
  startContainer(functionName: string, environment?: Readonly<Record<string, string>>): Promise<Container>;
  /** The pids of every container alive. */
  pids(): readonly number[];
  /** Kills every container, and resolves once all are gone. Invocations under way fail. */
  close(): Promise<void>;
}

interface Waiting {
  readonly event: unknown;
  readonly crashes: boolean;
  readonly resolve: (result: InvocationResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One function's pool, as Lambda scales: an idle container serves, else a new one starts with the invocation in hand,
 * else the invocation waits (where Lambda would throttle).
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
 */
const createPool = (definition: ContainerDefinition, limit: number, start: () => Promise<Container>) => {
  const containers = new Set<Container>();
  const queue: Waiting[] = [];
  let starting = 0;

  const serve = (container: Container, { event, crashes, resolve, reject }: Waiting): void => {
    container.invoke(event).then(resolve, reject).finally(pump).catch(reject);
    if (crashes) container.kill();
  };
  const startFor = async (waiting: Waiting): Promise<void> => {
    starting += 1;
    try {
      const container = await start();
      containers.add(container);
      void container.ended.then(() => containers.delete(container)).then(pump);
      serve(container, waiting);
    } catch (error) {
      waiting.reject(error);
    } finally {
      starting -= 1;
    }
  };
  const pump = (): void => {
    const alive = [...containers].filter((container) => container.isAlive());
    for (const container of alive.filter((candidate) => !candidate.isBusy())) {
      const waiting = queue.shift();
      if (waiting === undefined) return;
      serve(container, waiting);
    }
    let room = limit - alive.length - starting;
    for (; room > 0; room -= 1) {
      const waiting = queue.shift();
      if (waiting === undefined) return;
      void startFor(waiting);
    }
  };

  return {
    definition,
    invoke: (event: unknown, crashes: boolean): Promise<InvocationResult> =>
      new Promise((resolve, reject) => {
        queue.push({ event, crashes, resolve, reject });
        pump();
      }),
    abandon: (reason: Error): void => {
      for (const waiting of queue.splice(0)) waiting.reject(reason);
    },
  };
};

/**
 * Starts no process yet: the first invocation of a function does, and is its cold start.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export const startLambdaRuntime = (options: LambdaRuntimeOptions): LambdaRuntime => {
  const all = new Set<Container>();
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;

  const start = (definition: ContainerDefinition): Promise<Container> => {
    if (isClosed) return Promise.reject(new Error('The Lambda runtime is closed'));
    const starting = startContainer(definition, options.onLog).then((container) => {
      all.add(container);
      void container.ended.then(() => all.delete(container));
      if (isClosed) container.kill();
      return container;
    });
    underWay.add(starting);
    const settle = () => underWay.delete(starting);
    starting.then(settle, settle);
    return starting;
  };

  const pools = new Map(
    options.functions.map((definition) => [
      definition.functionName,
      createPool(definition, options.containersPerFunction ?? 2, () => start(definition)),
    ]),
  );
  const poolOf = (functionName: string) => {
    const pool = pools.get(functionName);
    if (pool === undefined) throw new Error(`No function is called ${functionName}`);
    return pool;
  };

  return {
    invoke: async (functionName, event, fault) => {
      if (fault?.kind === 'late') await sleep(fault.delayMs, undefined, { ref: false });
      if (isClosed) throw new Error('The Lambda runtime is closed');
      return poolOf(functionName).invoke(event, fault?.kind === 'crash');
    },
    startContainer: async (functionName, environment = {}) => {
      const { definition } = poolOf(functionName);
      return start({ ...definition, environment: { ...definition.environment, ...environment } });
    },
    pids: () => [...all].map(({ pid }) => pid),
    close: async () => {
      isClosed = true;
      for (const pool of pools.values()) pool.abandon(new Error('The Lambda runtime is closed'));
      await Promise.allSettled(underWay);
      const ending = [...all].map((container) => container.ended);
      for (const container of all) container.kill();
      await Promise.all(ending);
    },
  };
};
