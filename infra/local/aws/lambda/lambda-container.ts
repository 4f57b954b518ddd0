/**
 * What runs inside one container: Lambda's Runtime API loop around the bundle's `handler`. Started by `container.ts` as
 * a process of its own, with the function's environment and nothing else.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { imitateLambdaConsole } from './lambda-console.ts';

// Not by import: on Node 24 the ESM facade of node:http loads undici, which a measured cold start must not pay for.
const http = process.getBuiltinModule('node:http');
const { createRequire } = process.getBuiltinModule('node:module');

type Handler = (event: unknown, context: unknown) => unknown;

const api = process.env['AWS_LAMBDA_RUNTIME_API'] ?? '';
const functionName = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '';
const taskRoot = process.env['LAMBDA_TASK_ROOT'] ?? '';
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let requestId: string | undefined;

// Whoever started this is gone when the pipe closes, however it went: no container outlives its runtime.
process.stdin.on('close', () => process.exit(0)).resume();
// A terminal sends Ctrl-C to the whole group. The runtime decides when a container ends.
process.on('SIGINT', () => undefined);
imitateLambdaConsole(() => requestId);

const ask = (
  method: 'GET' | 'POST',
  path: string,
  body = '',
  headers: OutgoingHttpHeaders = {},
): Promise<{ head: IncomingMessage; text: string }> =>
  new Promise((resolve, reject) => {
    const length = { 'content-length': Buffer.byteLength(body) };
    const request = http.request(`http://${api}/2018-06-01/runtime/${path}`, {
      method,
      agent,
      headers: { ...headers, ...length },
    });
    request.on('error', reject);
    request.on('response', (head) => {
      let text = '';
      head.setEncoding('utf8');
      head.on('data', (chunk: string) => (text += chunk));
      head.on('error', reject);
      head.on('end', () => resolve({ head, text }));
    });
    request.end(body);
  });

const tellError = (path: string, thrown: unknown): Promise<unknown> => {
  console.error(thrown);
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const body = { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
  return ask('POST', path, JSON.stringify(body), { 'Lambda-Runtime-Function-Error-Type': error.name });
};

const loadHandler = (): Handler => {
  const loaded: unknown = createRequire(`${taskRoot}/`)(`${taskRoot}/index.cjs`);
  const handler: unknown = typeof loaded === 'object' && loaded !== null && 'handler' in loaded && loaded.handler;
  if (typeof handler === 'function') return (event, context) => Reflect.apply(handler, undefined, [event, context]);
  throw Object.assign(new Error('index.handler is undefined or not exported'), { name: 'Runtime.HandlerNotFound' });
};

const serve = async (handler: Handler): Promise<never> => {
  for (;;) {
    requestId = undefined;
    const next = await ask('GET', 'invocation/next');
    const header = (name: string): string => String(next.head.headers[`lambda-runtime-${name}`]);
    const id = header('aws-request-id');
    const deadline = Number(header('deadline-ms'));
    requestId = id;
    const context = {
      awsRequestId: id,
      callbackWaitsForEmptyEventLoop: true,
      functionName,
      functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
      invokedFunctionArn: header('invoked-function-arn'),
      logGroupName: `/aws/lambda/${functionName}`,
      logStreamName: `local/${process.pid}`,
      memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
      getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    };
    let answer: string;
    try {
      answer = JSON.stringify((await handler(JSON.parse(next.text), context)) ?? null);
    } catch (thrown) {
      await tellError(`invocation/${id}/error`, thrown);
      continue;
    }
    await ask('POST', `invocation/${id}/response`, answer);
  }
};

const die = (thrown: unknown): void => {
  console.error(thrown);
  process.exit(129);
};
process.on('uncaughtException', die);
process.on('unhandledRejection', die);

const start = async (): Promise<void> => {
  try {
    const handler = loadHandler();
    // The only way out of the loop is a runtime that does not answer any more.
    await serve(handler).catch(() => process.exit(0));
  } catch (thrown) {
    await tellError('init/error', thrown).catch(() => undefined);
    process.exit(1);
  }
};
void start();
