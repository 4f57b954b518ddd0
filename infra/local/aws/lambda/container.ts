import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import * as z from 'zod/mini';
import { checkSource, localArn, serveOnLoopback } from '../loopback.ts';

/** How an invocation ended for its caller. */
export type InvocationResult =
  | { readonly kind: 'answered'; readonly payload: unknown }
  | { readonly kind: 'failed'; readonly errorType: string; readonly errorMessage: string }
  | { readonly kind: 'timed_out' };

export interface ContainerDefinition {
  readonly functionName: string;
  /** The folder that holds `index.mjs` or `index.cjs`. */
  readonly directory: string;
  /** Exactly the function's environment, without the variables that Lambda sets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** The program of the process. @default the Runtime API loop in `bootstrap.cjs` */
  readonly bootstrap?: string;
}

/** Receives each line that a container prints, without its line break. */
export type OnLog = (line: string, from: { readonly functionName: string; readonly pid: number }) => void;

/** One execution environment: a process that serves one invocation after another. */
export interface Container {
  readonly pid: number;
  /** When the process was spawned, by `performance.now()`. */
  readonly spawnedAt: number;
  /** Milliseconds from the spawn until the bundle was loaded. Rejects when it could not be loaded. */
  readonly ready: Promise<number>;
  /** Resolves when the process has ended and `onLog` has all its lines. */
  readonly ended: Promise<void>;
  isBusy(): boolean;
  isAlive(): boolean;
  /** One at a time: throws while another invocation is under way. Never rejects. */
  invoke(event: unknown): Promise<InvocationResult>;
  /** Ends the process with SIGKILL, as a crash would: an invocation under way fails. */
  kill(): void;
}

/** How long loading the bundle may take, as in Lambda. */
const INIT_TIMEOUT_MS = 10_000;
/** As in `/var/runtime/bootstrap` of Lambda's Node images. V8's code cache depends on the first. */
const lambdaArguments = ['--expose-gc', '--max-http-header-size=81920'];

const ownBootstrap = new URL('./bootstrap.cjs', import.meta.url).pathname;

/**
 * Starts one container. It ends with {@link Container.kill}, with a crash, or with this process.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export async function startContainer(definition: ContainerDefinition, onLog: OnLog = () => {}): Promise<Container> {
  const { functionName, timeoutMs, bootstrap = ownBootstrap } = definition;
  const ready = Promise.withResolvers<number>();
  ready.promise.catch(() => undefined); // A caller that does not wait for it gets the failure from its invocation.
  let current: { readonly requestId: string; readonly end: (result: InvocationResult) => void } | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** Why this process killed the child, or what the child reported before it ended. */
  let cause: InvocationResult | undefined;
  let isAlive = true;

  const end = (requestId: string | undefined, result: InvocationResult): void => {
    if (current === undefined || (requestId !== undefined && requestId !== current.requestId)) return;
    const { end: resolve, requestId: ended } = current;
    current = undefined;
    clearTimeout(timer);
    if (result.kind !== 'answered') onLog(platformReport(ended, result), from);
    resolve(result);
  };
  const killAfter = (ms: number, result: InvocationResult): NodeJS.Timeout =>
    setTimeout(() => {
      cause = result;
      child.kill('SIGKILL');
    }, ms);

  const api = await startRuntimeApi(definition, {
    onReady: () => {
      clearTimeout(initTimer);
      ready.resolve(performance.now() - spawnedAt);
    },
    onDelivered: () => (timer = killAfter(timeoutMs, { kind: 'timed_out' })),
    onResponse: (requestId, payload) => end(requestId, { kind: 'answered', payload: JSON.parse(payload) }),
    onError: (requestId, error) => end(requestId, readError(error)),
    onInitError: (error) => (cause = readError(error)),
  });

  const spawnedAt = performance.now();
  const child = spawn(process.execPath, [...lambdaArguments, ...heapArguments(definition.memoryMb), bootstrap], {
    cwd: definition.directory,
    env: { ...definition.environment, ...reservedVariables(definition, api.address) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const initTimer = killAfter(
    INIT_TIMEOUT_MS,
    failed('Sandbox.Timedout', `Init timed out after ${INIT_TIMEOUT_MS} ms`),
  );
  child.stdin.on('error', () => undefined); // The pipe only shows the child that this process is alive.
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
  const from = { functionName, pid };

  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => onLog(line, from));
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.once('exit', (code, signal) => {
    isAlive = false;
    clearTimeout(initTimer);
    void api.close();
    const how = `Runtime exited with error: ${signal ?? `exit status ${code}`}`;
    const result = cause ?? failed('Runtime.ExitError', how);
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
        api.deliver({ requestId, event: JSON.stringify(event) });
      });
    },
    kill: () => child.kill('SIGKILL'),
  };
}

/**
 * What Lambda writes into the function's log about an invocation that did not end well. (About all others too: of these
 * there is no need here.)
 * @see https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
 */
function platformReport(requestId: string, result: Exclude<InvocationResult, { kind: 'answered' }>): string {
  const how = result.kind === 'timed_out' ? { status: 'timeout' } : { status: 'error', errorType: result.errorType };
  return JSON.stringify({
    time: new Date().toISOString(),
    type: 'platform.report',
    record: { requestId, ...how },
  });
}

const errorSchema = z.object({ errorType: z.string(), errorMessage: z.string() });

function readError(json: string): InvocationResult {
  return { kind: 'failed', ...errorSchema.parse(JSON.parse(json)) };
}

function failed(errorType: string, errorMessage: string): InvocationResult {
  return { kind: 'failed', errorType, errorMessage };
}

function heapArguments(memoryMb: number): readonly string[] {
  const semiSpaceMb = Math.ceil(memoryMb / 20);
  return [`--max-semi-space-size=${semiSpaceMb}`, `--max-old-space-size=${memoryMb - 2 * semiSpaceMb}`];
}

/** The variables that Lambda sets. HOME is the bundle's folder, so that no SDK reads this machine's AWS profile. */
function reservedVariables(definition: ContainerDefinition, runtimeApi: string): Record<string, string> {
  return {
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
    AWS_LAMBDA_FUNCTION_NAME: definition.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_LOG_FORMAT: 'JSON',
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    HOME: definition.directory,
    LAMBDA_TASK_ROOT: definition.directory,
    TZ: ':UTC',
  };
}

/** What the process reports. `payload` and `error` are JSON. */
interface RuntimeApiEvents {
  /** The first request for an invocation: initialisation has ended. */
  readonly onReady: () => void;
  /** The invocation was sent to the process: its timeout starts. */
  readonly onDelivered: () => void;
  readonly onResponse: (requestId: string, payload: string) => void;
  readonly onError: (requestId: string, error: string) => void;
  readonly onInitError: (error: string) => void;
}

/**
 * Lambda's Runtime API for one process, on 127.0.0.1.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
async function startRuntimeApi({ functionName, timeoutMs }: ContainerDefinition, events: RuntimeApiEvents) {
  // Invocations hold partners' credentials: only the process that was given this path gets them.
  const secret = randomBytes(16).toString('hex');
  const apiPrefix = `/${secret}/2018-06-01/runtime/`;
  let waiting: ServerResponse | undefined;
  let pending: { readonly requestId: string; readonly event: string } | undefined;

  const sendPending = (): void => {
    if (waiting === undefined || pending === undefined) return;
    waiting.writeHead(200, {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': pending.requestId,
      'Lambda-Runtime-Deadline-Ms': String(Date.now() + timeoutMs),
      'Lambda-Runtime-Invoked-Function-Arn': localArn('lambda', `function:${functionName}`),
    });
    waiting.end(pending.event);
    waiting = pending = undefined;
    events.onDelivered();
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = '' } = request;
    const isOwn = checkSource(request).kind === 'own' && url.startsWith(apiPrefix);
    const path = isOwn ? url.slice(apiPrefix.length) : '';
    if (request.method === 'GET' && path === 'invocation/next') {
      waiting = response;
      events.onReady();
      sendPending();
      return;
    }
    const body = await text(request);
    const [, requestId, kind] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (request.method !== 'POST' || (requestId === undefined && path !== 'init/error')) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(202).end();
    if (requestId === undefined) events.onInitError(body);
    else if (kind === 'response') events.onResponse(requestId, body);
    else events.onError(requestId, body);
  };

  const server = createServer((request, response) => {
    // A process that dies while it sends is noticed by its exit.
    handle(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 0; // A process may wait hours for its next invocation.
  const { url: listening, close } = await serveOnLoopback(server);
  return {
    /** `127.0.0.1:port/secret`, for `AWS_LAMBDA_RUNTIME_API`. */
    address: `${new URL(listening).host}/${secret}`,
    /** Sends an invocation as soon as the process asks for one. */
    deliver: (invocation: { readonly requestId: string; readonly event: string }): void => {
      pending = invocation;
      sendPending();
    },
    close,
  };
}
