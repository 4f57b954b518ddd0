import { join } from 'node:path';
import { type AccessKey, keyVariables } from '../access-keys.ts';
import { localRegion } from '../loopback.ts';
import {
  type Container,
  type ContainerDefinition,
  type InvocationResult,
  type OnLog,
  startContainer,
} from './container.ts';

export interface FunctionDefinition<Variable extends string> {
  /** The variables that this function is given. */
  readonly environment: readonly Variable[];
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

/** What functions on this machine have around them. */
export interface Surroundings {
  /** The folder with one bundle's folder per function. */
  readonly bundles: string;
  /** What each function signs its calls with. */
  readonly accessKeyOf: (functionName: string) => AccessKey;
  /** Where the SDK finds each service. */
  readonly endpoints: Readonly<Partial<Record<SdkService, string>>>;
}

/** A service as the SDK names it in `AWS_ENDPOINT_URL_…`. */
type SdkService = 'DYNAMODB' | 'KMS' | 'S3' | 'SECRETS_MANAGER';

/** @param values of all variables; each function is given only its own */
export function defineContainers<Variable extends string>(
  functions: Readonly<Record<string, FunctionDefinition<Variable>>>,
  values: Readonly<Record<Variable, string>>,
  { bundles, accessKeyOf, endpoints }: Surroundings,
): ContainerDefinition[] {
  return Object.entries(functions).map(([functionName, { environment, timeoutSeconds, memoryMb }]) => ({
    functionName,
    directory: join(bundles, functionName),
    timeoutMs: timeoutSeconds * 1000,
    memoryMb,
    environment: {
      ...Object.fromEntries(environment.map((variable) => [variable, values[variable]])),
      AWS_REGION: localRegion,
      ...keyVariables(accessKeyOf(functionName)),
      ...Object.fromEntries(Object.entries(endpoints).map(([service, url]) => [`AWS_ENDPOINT_URL_${service}`, url])),
    },
  }));
}

export interface LambdaRuntimeOptions {
  readonly functions: readonly ContainerDefinition[];
  /** How many containers one function has at most; further invocations wait. @default 2 */
  readonly containersPerFunction?: number | undefined;
  /** @default lines are discarded */
  readonly onLog?: OnLog | undefined;
}

export interface InvocationOptions {
  /** Kills the container as soon as it has the event. @default false */
  readonly crashes?: boolean;
}

/** Lambda's execution side on this machine: real processes, one invocation at a time in each. */
export interface LambdaRuntime {
  /** Rejects only for a function that is not defined, or after {@link close}; never for what a function does. */
  invoke(functionName: string, event: unknown, options?: InvocationOptions): Promise<InvocationResult>;
  /** Kills all containers and resolves when all have ended. Invocations under way fail. */
  close(): Promise<void>;
}

/**
 * Starts no process yet: the first invocation of a function does, and is its cold start.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export function startLambdaRuntime(options: LambdaRuntimeOptions): LambdaRuntime {
  const { functions, containersPerFunction = 2, onLog } = options;
  const pools = new Map(
    functions.map((definition) => [definition.functionName, createPool(definition, containersPerFunction, onLog)]),
  );
  return {
    invoke: async (functionName, event, { crashes = false } = {}) => {
      const pool = pools.get(functionName);
      if (pool === undefined) throw new Error(`There is no function ${functionName}`);
      return pool.invoke(event, crashes);
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

interface Waiting {
  readonly event: unknown;
  readonly crashes: boolean;
  readonly resolve: (result: InvocationResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One function's containers, scaled as Lambda does: an idle container takes the invocation, else a new one starts for it,
 * else the invocation waits (Lambda would throttle it).
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
 */
function createPool(definition: ContainerDefinition, limit: number, onLog: OnLog | undefined) {
  const containers = new Set<Container>();
  const starting = new Set<Promise<void>>();
  const queue: Waiting[] = [];
  let isClosed = false;
  const closed = (): Error => new Error('The Lambda runtime is closed');

  const serve = (container: Container, { event, crashes, resolve, reject }: Waiting): void => {
    container.invoke(event).then(resolve, reject).finally(pump).catch(reject);
    if (crashes) container.kill();
  };
  const startFor = async (waiting: Waiting): Promise<void> => {
    try {
      const container = await startContainer(definition, onLog);
      containers.add(container);
      void container.ended.then(() => containers.delete(container)).then(pump);
      serve(container, waiting);
    } catch (error) {
      waiting.reject(error);
    }
  };
  const pump = (): void => {
    const alive = [...containers].filter((container) => container.isAlive());
    for (const container of alive.filter((candidate) => !candidate.isBusy())) {
      const waiting = queue.shift();
      if (waiting === undefined) return;
      serve(container, waiting);
    }
    for (let room = limit - alive.length - starting.size; room > 0; room -= 1) {
      const waiting = queue.shift();
      if (waiting === undefined) return;
      const started = startFor(waiting).finally(() => starting.delete(started));
      starting.add(started);
    }
  };

  return {
    invoke: (event: unknown, crashes: boolean): Promise<InvocationResult> =>
      new Promise((resolve, reject) => {
        if (isClosed) throw closed();
        queue.push({ event, crashes, resolve, reject });
        pump();
      }),
    close: async (): Promise<void> => {
      isClosed = true;
      for (const waiting of queue.splice(0)) waiting.reject(closed());
      await Promise.all(starting);
      const ending = [...containers].map((container) => container.ended);
      for (const container of containers) container.kill();
      await Promise.all(ending);
    },
  };
}
