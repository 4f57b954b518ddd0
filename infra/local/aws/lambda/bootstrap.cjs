'use strict';

/**
 * What runs inside one container: Lambda's Runtime API loop around the bundle's `handler`. `container.ts` starts it as a
 * separate process that has only the function's environment.
 *
 * Plain JavaScript, because Node needs about 60 ms of CPU to load its type stripping: more than all the rest of a start.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
const { existsSync } = require('node:fs');
const http = require('node:http');
const { createRequire } = require('node:module');
const { format } = require('node:util');

const api = process.env['AWS_LAMBDA_RUNTIME_API'] ?? '';
const functionName = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '';
const taskRoot = process.env['LAMBDA_TASK_ROOT'] ?? '';
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
/** Of the invocation under way; undefined between two. */
let requestId;

// The pipe closes when the process that started this one has ended, in whatever way: no container outlives its runtime.
process.stdin.on('close', () => process.exit(0)).resume();
// A terminal sends Ctrl-C to the whole process group. The runtime decides when a container ends.
process.on('SIGINT', () => undefined);
process.on('uncaughtException', exitWith);
process.on('unhandledRejection', exitWith);
imitateLambdaConsole();
void start();

async function start() {
  let handler;
  try {
    handler = await loadHandler();
  } catch (thrown) {
    await reportError('init/error', thrown).catch(() => undefined);
    process.exit(1);
  }
  // The loop ends only when the runtime does not answer any more.
  await serve(handler).catch(() => process.exit(0));
}

/** Lambda's runtime looks for the two in this order. */
async function loadHandler() {
  const module = `${taskRoot}/index.mjs`;
  const { handler } = existsSync(module) ? await import(module) : createRequire(module)(`${taskRoot}/index.cjs`);
  if (typeof handler === 'function') return handler;
  throw Object.assign(new Error('index.handler is undefined or not exported'), { name: 'Runtime.HandlerNotFound' });
}

async function serve(handler) {
  for (;;) {
    requestId = undefined;
    const { head, text } = await call('GET', 'invocation/next');
    const id = String(head.headers['lambda-runtime-aws-request-id']);
    requestId = id;
    let answer;
    try {
      answer = JSON.stringify((await handler(JSON.parse(text), contextOf(id, head.headers))) ?? null);
    } catch (thrown) {
      await reportError(`invocation/${id}/error`, thrown);
      continue;
    }
    await call('POST', `invocation/${id}/response`, answer);
  }
}

function contextOf(awsRequestId, headers) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
    invokedFunctionArn: String(headers['lambda-runtime-invoked-function-arn']),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: `local/${process.pid}`,
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

function call(method, path, body = '', headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(`http://${api}/2018-06-01/runtime/${path}`, {
      method,
      agent,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    request.on('error', reject);
    request.on('response', (head) => {
      let text = '';
      head.setEncoding('utf8');
      head.on('data', (chunk) => (text += chunk));
      head.on('error', reject);
      head.on('end', () => resolve({ head, text }));
    });
    request.end(body);
  });
}

function reportError(path, thrown) {
  console.error(thrown);
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const body = { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
  return call('POST', path, JSON.stringify(body), { 'Lambda-Runtime-Function-Error-Type': error.name });
}

function exitWith(thrown) {
  console.error(thrown);
  process.exit(129);
}

/**
 * Makes `console` write what Lambda's Node runtime writes with `LogFormat: JSON`: one line a call, from level INFO up.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
 */
function imitateLambdaConsole() {
  const write =
    (level) =>
    (...parameters) =>
      process.stdout.write(`${toLine(level, parameters)}\n`);
  console.log = write('INFO');
  console.info = write('INFO');
  console.warn = write('WARN');
  console.error = write('ERROR');
  console.debug = () => undefined;
  console.trace = () => undefined;
}

function toLine(level, parameters) {
  const head = { timestamp: new Date().toISOString(), level, requestId };
  if (parameters.length === 1) {
    try {
      return JSON.stringify({ ...head, message: parameters[0] }, serializeErrors);
    } catch {
      // A circular value cannot become JSON: like the runtime, print it as text.
      return JSON.stringify({ ...head, message: format(parameters[0]) });
    }
  }
  const error = parameters.find((parameter) => parameter instanceof Error);
  return JSON.stringify({ ...head, message: format(...parameters), ...(error && describe(error)) }, serializeErrors);
}

function serializeErrors(_key, value) {
  return value instanceof Error ? describe(value) : value;
}

function describe(error) {
  return {
    errorType: error.constructor.name,
    errorMessage: error.message,
    stackTrace: error.stack?.split('\n'),
    ...Object.fromEntries(Object.entries(error)),
  };
}
