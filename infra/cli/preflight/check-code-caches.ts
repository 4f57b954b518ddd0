import { existsSync, readdirSync } from 'node:fs';
import { cacheUnusedCode } from '../../build/load-function.ts';
import type { AskAws, AwsAnswer } from './ask-aws.ts';
import { type Finding, notChecked } from './finding.ts';

/** The processor of the functions. */
const lambdaProcessor = 'arm64';
/** `bundle-0a1b.js.arm64-13.6.233.17-node.53-gc.cache`: the build puts the processor and the V8 into the name. */
const cacheName = /\.js\.([a-z0-9]+)-([\w.-]+?)(-gc)?\.cache$/;
const check = 'code caches';

/**
 * Whether the functions can start from the code caches that are built here. Without them they work, and start slower.
 *
 * Which V8 Lambda has cannot be known before a function has started there: AWS publishes a runtime's major version, and no
 * call returns more than an opaque ARN.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html
 */
export function checkBuiltCaches(bundles: string): Finding {
  const names = existsSync(bundles) ? readdirSync(bundles, { recursive: true, encoding: 'utf8' }) : [];
  const caches = names.flatMap((name) => {
    const [, processor, v8] = cacheName.exec(name) ?? [];
    return processor === undefined || v8 === undefined ? [] : [{ processor, v8 }];
  });
  if (names.length === 0) return { check, state: 'not checked', found: 'nothing is built here' };
  if (caches.length === 0) {
    return { check, state: 'advice', found: 'there are none: the functions start slower', fix: 'npm run build' };
  }
  const fitting = caches.find(({ processor }) => processor === lambdaProcessor);
  if (fitting === undefined) {
    const built = [...new Set(caches.map(({ processor }) => processor))].join(', ');
    return {
      check,
      state: 'advice',
      found: `built here for ${built}, and the functions run on ${lambdaProcessor}: they would start slower`,
      fix: `deploy by the pipeline, which builds on ${lambdaProcessor}`,
    };
  }
  const found = `built here for V8 ${fitting.v8} on ${lambdaProcessor}; which V8 Lambda has shows when a function has started there`;
  return { check, state: 'not checked', found };
}

export type LogGroup =
  | { readonly kind: 'found'; readonly name: string }
  | { readonly kind: 'unknown'; readonly why: string };

const LOOKS_BACK_MS = 86_400_000;

/**
 * Whether the functions that are deployed do start from them: one that does not says so in its log.
 * @param log of a function that starts by itself
 * @see https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-initStart
 */
export async function checkUsedCaches(ask: AskAws, log: LogGroup, now: number): Promise<Finding> {
  if (log.kind === 'unknown') return { check, state: 'not checked', found: log.why };
  const starts = await lastLine(ask, log.name, '{ $.type = "platform.initStart" }', now);
  if ('kind' in starts) return notChecked(check, starts);
  if (starts.last === undefined)
    return { check, state: 'not checked', found: 'no function has started in the last day' };
  const unused = await lastLine(ask, log.name, `{ $.message.code = "${cacheUnusedCode}" }`, now);
  if ('kind' in unused) return notChecked(check, unused);
  const { record = {} }: { record?: { runtimeVersion?: string } } = JSON.parse(starts.last.message);
  const runtime = record.runtimeVersion ?? 'the runtime';
  // The line is written some ms after its own start.
  if (unused.last === undefined || unused.last.timestamp < starts.last.timestamp) {
    return { check, state: 'ok', found: `used by ${runtime}` };
  }
  const { message }: { message: { v8: string; processor: string } } = JSON.parse(unused.last.message);
  return {
    check,
    state: 'advice',
    found: `not used: ${runtime} has V8 ${message.v8} on ${message.processor}, and the caches are of another`,
    fix: 'build with the Node that has this V8: docs/deploy.md',
  };
}

interface LogLine {
  readonly timestamp: number;
  readonly message: string;
}

/** CloudWatch Logs answers from the oldest line on, and may answer without a line and with more to come. */
async function lastLine(
  ask: AskAws,
  logGroupName: string,
  filterPattern: string,
  now: number,
): Promise<{ readonly last: LogLine | undefined } | Exclude<AwsAnswer, { kind: 'answer' }>> {
  let last: LogLine | undefined;
  for (let nextToken: string | undefined = ''; nextToken !== undefined; ) {
    const more = nextToken === '' ? {} : { nextToken };
    const answer = await ask('logs', 'logs:FilterLogEvents', {
      operation: 'FilterLogEvents',
      input: { logGroupName, filterPattern, startTime: now - LOOKS_BACK_MS, ...more },
    });
    if (answer.kind !== 'answer') return answer;
    const page: { events?: readonly LogLine[]; nextToken?: string } = JSON.parse(answer.text);
    last = page.events?.at(-1) ?? last;
    nextToken = page.nextToken;
  }
  return { last };
}
