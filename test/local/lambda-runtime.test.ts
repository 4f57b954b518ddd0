import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { type ContainerDefinition, startContainer } from '../../infra/local/aws/lambda/container.ts';
import { type LambdaRuntime, startLambdaRuntime } from '../../infra/local/aws/lambda/lambda-runtime.ts';
import { isRunning } from '../support/processes.ts';
import { writeFunctions } from './arrange.ts';

const sources: Record<string, string> = {
  echo: `exports.handler = async (event, context) => {
    if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs));
    return { event, pid: process.pid, requestId: context.awsRequestId, name: context.functionName,
      arn: context.invokedFunctionArn, remaining: context.getRemainingTimeInMillis(), environment: process.env };
  };`,
  throwing: `exports.handler = async () => { throw new TypeError('not today'); };`,
  crashing: `exports.handler = async ({ crash }) => { if (crash) process.exit(7); return process.pid; };`,
  logging: `exports.handler = async () => {
    console.info({ code: 'HELLO', count: 2 });
    console.error('it broke:', new RangeError('too far'));
    console.debug('never shown');
  };`,
  broken: `throw new SyntaxError('cannot load');`,
  empty: `exports.other = 1;`,
  hanging: `exports.handler = () => new Promise(() => setInterval(() => undefined, 1000));`,
};

const functions = writeFunctions(sources, { timeoutMs: 2000, environment: { GREETING: 'hello' } }).map((definition) =>
  definition.functionName === 'hanging' ? { ...definition, timeoutMs: 300 } : definition,
);
function definitionOf(name: string): ContainerDefinition {
  const found = functions.find(({ functionName }) => functionName === name);
  if (found === undefined) throw new Error(`${name} is not defined`);
  return found;
}

const echoSchema = z.object({
  event: z.unknown(),
  pid: z.number(),
  requestId: z.string(),
  name: z.string(),
  arn: z.string(),
  remaining: z.number(),
  environment: z.record(z.string(), z.string()),
});

const until = async (condition: () => boolean): Promise<void> => {
  const giveUpAt = Date.now() + 5000;
  while (!condition() && Date.now() < giveUpAt) await sleep(10);
};

describe('the local Lambda runtime', () => {
  const lines: string[] = [];
  let lambda: LambdaRuntime;
  const echo = async (event: unknown) => {
    const result = await lambda.invoke('echo', event);
    if (result.kind !== 'answered') throw new Error(`echo ended as ${result.kind}`);
    return echoSchema.parse(result.payload);
  };

  beforeAll(() => {
    lambda = startLambdaRuntime({ functions, onLog: (line) => lines.push(line) });
  });
  afterAll(() => lambda.close());

  test('passes the event and the context to the handler of the bundle', async () => {
    const answer = await echo({ text: 'π' });

    expect(answer).toMatchObject({ event: { text: 'π' }, name: 'echo' });
    expect(answer.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.arn).toBe('arn:aws:lambda:eu-west-1:000000000000:function:echo');
    expect(answer.remaining).toBeGreaterThan(1000);
    expect(answer.remaining).toBeLessThanOrEqual(2000);
  });

  test('gives the function its environment and nothing of this process', async () => {
    const { environment } = await echo({});

    expect(Object.keys(environment).sort()).toEqual([
      'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
      'AWS_LAMBDA_FUNCTION_NAME',
      'AWS_LAMBDA_FUNCTION_VERSION',
      'AWS_LAMBDA_LOG_FORMAT',
      'AWS_LAMBDA_RUNTIME_API',
      'AWS_REGION',
      'GREETING',
      'HOME',
      'LAMBDA_TASK_ROOT',
      'TZ',
    ]);
  });

  test('reuses a warm container, and runs at most two, each with one invocation at a time', async () => {
    const first = await echo({});
    const second = await echo({});
    const many = await Promise.all(Array.from({ length: 8 }, () => echo({ sleepMs: 20 })));

    expect(second.pid).toBe(first.pid);
    expect(new Set(many.map(({ pid }) => pid)).size).toBe(2);
    expect(new Set(many.map(({ requestId }) => requestId)).size).toBe(8);
  });

  test('reports a handler error by its type and message, and keeps the container', async () => {
    const result = await lambda.invoke('throwing', {});

    expect(result).toEqual({ kind: 'failed', errorType: 'TypeError', errorMessage: 'not today' });
  });

  test('fails the invocation whose container crashes, and replaces the container', async () => {
    const before = await lambda.invoke('crashing', {});
    const crash = await lambda.invoke('crashing', { crash: true });
    const after = await lambda.invoke('crashing', {});

    expect(crash).toMatchObject({ kind: 'failed', errorType: 'Runtime.ExitError' });
    expect(after.kind).toBe('answered');
    expect(after).not.toEqual(before);
  });

  test('kills a container that exceeds its time', async () => {
    const startedAt = performance.now();
    const alone = await startContainer(definitionOf('hanging'));
    await alone.ready;

    const result = await alone.invoke({});
    await alone.ended;

    expect(result).toEqual({ kind: 'timed_out' });
    expect(isRunning(alone.pid)).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test.each([
    ['broken', { errorType: 'SyntaxError', errorMessage: 'cannot load' }],
    ['empty', { errorType: 'Runtime.HandlerNotFound' }],
  ])('fails the invocation of a bundle that cannot be loaded (%s)', async (name, error) => {
    const result = await lambda.invoke(name, {});

    expect(result).toMatchObject({ kind: 'failed', ...error });
  });

  test('passes on what a function logs as lines of JSON, with the id of the invocation', async () => {
    await lambda.invoke('logging', {});
    await until(() => lines.some((line) => line.includes('too far')));

    const mine = lines.filter((line) => /HELLO|too far|never/.test(line)).map((line) => JSON.parse(line));
    expect(mine).toEqual([
      {
        timestamp: expect.stringMatching(/Z$/),
        level: 'INFO',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        message: { code: 'HELLO', count: 2 },
      },
      expect.objectContaining({
        level: 'ERROR',
        message: expect.stringContaining('it broke:'),
        errorType: 'RangeError',
        errorMessage: 'too far',
        stackTrace: expect.arrayContaining(['RangeError: too far']),
      }),
    ]);
  });

  test('starts one container outside the pool, which can be measured and killed during an invocation', async () => {
    const alone = await startContainer(definitionOf('echo'));
    const initMs = await alone.ready;
    const answer = await alone.invoke({});
    const underWay = alone.invoke({ sleepMs: 1500 });
    alone.kill();

    expect(initMs).toBeGreaterThan(0);
    expect(answer).toMatchObject({ payload: { pid: alone.pid, environment: { GREETING: 'hello' } } });
    expect(await underWay).toMatchObject({ kind: 'failed', errorType: 'Runtime.ExitError' });
  });

  test('rejects a function that is not defined', async () => {
    await expect(lambda.invoke('undefined', {})).rejects.toThrow('undefined');
  });

  test('ends every process when it closes, even during an invocation', async () => {
    const closing = startLambdaRuntime({ functions: [definitionOf('echo')] });
    const first = await closing.invoke('echo', {});
    const { pid } = echoSchema.parse(first.kind === 'answered' ? first.payload : undefined);
    const underWay = closing.invoke('echo', { sleepMs: 1500 });

    await closing.close();

    expect(isRunning(pid)).toBe(false);
    expect(await underWay).toMatchObject({ kind: 'failed' });
    await expect(closing.invoke('echo', {})).rejects.toThrow('closed');
  });

  test('ends every container even when its parent is killed', async () => {
    const script = `
      import { startContainer } from ${JSON.stringify(new URL('../../infra/local/aws/lambda/container.ts', import.meta.url).href)};
      const container = await startContainer(${JSON.stringify(definitionOf('echo'))});
      await container.ready;
      void container.invoke({ sleepMs: 60000 });
      console.log(container.pid);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const printed: unknown[] = await once(parent.stdout, 'data');
    const pid = Number(String(printed[0]));
    expect(isRunning(pid)).toBe(true);

    parent.kill('SIGKILL');
    await until(() => !isRunning(pid));

    expect(isRunning(pid)).toBe(false);
  });
});
