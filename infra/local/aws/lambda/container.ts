import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import * as z from 'zod/mini';
import { type Invocation, startRuntimeApi } from './runtime-api.ts';

/** How an invocation ended, as its caller learns it. */
export type InvocationResult =
  | { readonly kind: 'answered'; readonly payload: unknown }
  | { readonly kind: 'failed'; readonly errorType: string; readonly errorMessage: string }
  | { readonly kind: 'timed_out' };

export interface ContainerDefinition {
  readonly functionName: string;
  /** The folder that holds `index.cjs`. */
  readonly directory: string;
  /** Exactly what the function is given besides what Lambda sets by itself. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** Besides the heap's sizes. @default what Lambda's start script sets */
  readonly nodeArguments?: readonly string[] | undefined;
  /** Milliseconds to load the bundle. @default 10_000, Lambda's own */
  readonly initTimeoutMs?: number;
  /** What the process runs: the Runtime API loop. @default `lambda-container.ts` beside this file */
  readonly bootstrap?: string;
}

/** One line that a container printed, without its line break. */
export type OnLog = (line: string, from: { readonly functionName: string; readonly pid: number }) => void;

/** One execution environment: a process that serves one invocation after another. */
export interface Container {
  readonly pid: number;
  /** When the process was spawned, by `performance.now()`. */
  readonly spawnedAt: number;
  /** Milliseconds from the spawn until the bundle was loaded; rejects when it never was. */
  readonly ready: Promise<number>;
  /** Resolves once the process is gone and all it printed has been passed on. */
  readonly ended: Promise<void>;
  isBusy(): boolean;
  isAlive(): boolean;
  /** One at a time: throws while another invocation is under way. Never rejects. */
  invoke(event: unknown): Promise<InvocationResult>;
  /** SIGKILL, as a crash would: an invocation under way fails. */
  kill(): void;
}

/** As in `/var/runtime/bootstrap` of Lambda's Node images. V8's code cache depends on the first. */
const lambdaArguments = ['--expose-gc', '--max-http-header-size=81920'];
const heapArguments = (memoryMb: number): readonly string[] => {
  const semiSpace = Math.ceil(memoryMb / 20);
  return [`--max-semi-space-size=${semiSpace}`, `--max-old-space-size=${memoryMb - 2 * semiSpace}`];
};

const ownBootstrap = new URL('./lambda-container.ts', import.meta.url).pathname;

const failed = (errorType: string, errorMessage: string): InvocationResult => ({
  kind: 'failed',
  errorType,
  errorMessage,
});

const errorSchema = z.object({ errorType: z.string(), errorMessage: z.string() });
const readError = (json: string): InvocationResult => ({ kind: 'failed', ...errorSchema.parse(JSON.parse(json)) });

/** What Lambda sets by itself. HOME is the bundle's folder, so that no SDK reads this machine's AWS profile. */
const reservedVariables = (definition: ContainerDefinition, runtimeApi: string): Record<string, string> => ({
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
  AWS_LAMBDA_FUNCTION_NAME: definition.functionName,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_LOG_FORMAT: 'JSON',
  AWS_LAMBDA_RUNTIME_API: runtimeApi,
  HOME: definition.directory,
  LAMBDA_TASK_ROOT: definition.directory,
  TZ: ':UTC',
});

/**
 * Starts one container alone. It ends with {@link Container.kill}, with its own crash, or with this process.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export const startContainer = async (definition: ContainerDefinition, onLog: OnLog = () => {}): Promise<Container> => {
  const { functionName, timeoutMs, memoryMb, nodeArguments = lambdaArguments, initTimeoutMs = 10_000 } = definition;
  const { bootstrap = ownBootstrap } = definition;
  const functionArn = `arn:aws:lambda:${definition.environment['AWS_REGION']}:000000000000:function:${functionName}`;
  const ready = Promise.withResolvers<number>();
  ready.promise.catch(() => undefined); // Who does not wait for it learns of the failure from the invocation.
  let current: { readonly requestId: string; readonly end: (result: InvocationResult) => void } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isTimedOut = false;
  let initError: InvocationResult | undefined;
  let isAlive = true;

  const end = (requestId: string | undefined, result: InvocationResult): void => {
    if (current === undefined || (requestId !== undefined && requestId !== current.requestId)) return;
    const { end: resolve } = current;
    current = undefined;
    clearTimeout(timer);
    resolve(result);
  };

  const api = await startRuntimeApi({
    onReady: () => {
      clearTimeout(initTimer);
      ready.resolve(performance.now() - spawnedAt);
    },
    onDelivered: (invocation: Invocation) => {
      timer = setTimeout(() => {
        isTimedOut = true;
        child.kill('SIGKILL');
      }, invocation.timeoutMs);
    },
    onResponse: (requestId, payload) => end(requestId, { kind: 'answered', payload: JSON.parse(payload) }),
    onError: (requestId, error) => end(requestId, readError(error)),
    onInitError: (error) => (initError = readError(error)),
  });

  const spawnedAt = performance.now();
  const child = spawn(process.execPath, [...nodeArguments, ...heapArguments(memoryMb), bootstrap], {
    cwd: definition.directory,
    env: { ...definition.environment, ...reservedVariables(definition, api.address) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const initTimer = setTimeout(() => {
    initError = failed('Sandbox.Timedout', `Init timed out after ${initTimeoutMs} ms`);
    child.kill('SIGKILL');
  }, initTimeoutMs);
  child.stdin.on('error', () => undefined); // The pipe only tells the child that we are there.
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });

  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => onLog(line, { functionName, pid }));
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.once('exit', (code, signal) => {
    isAlive = false;
    clearTimeout(initTimer);
    api.close();
    const how = failed('Runtime.ExitError', `Runtime exited with error: ${signal ?? `exit status ${code}`}`);
    const result = isTimedOut ? ({ kind: 'timed_out' } as const) : (initError ?? how);
    ready.reject(new Error(result.kind === 'failed' ? result.errorMessage : result.kind));
    end(undefined, result);
  });

  return {
    pid,
    spawnedAt,
    ready: ready.promise,
    ended,
    isBusy: () => current !== undefined,
    isAlive: () => isAlive,
    invoke: (event) => {
      if (current !== undefined) throw new Error(`Container ${pid} of ${functionName} is busy`);
      if (!isAlive) return Promise.resolve(failed('Runtime.ExitError', `Container ${pid} has ended`));
      return new Promise((resolve) => {
        const requestId = randomUUID();
        current = { requestId, end: resolve };
        api.deliver({ requestId, functionArn, event: JSON.stringify(event), timeoutMs });
      });
    },
    kill: () => child.kill('SIGKILL'),
  };
};
