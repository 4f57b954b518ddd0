import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultInput } from '../../../infra/local/plangrep/plangrep-faults.ts';
import { apiKey, secretId, type Stage } from '../crash/stage.ts';
import type { Handle, Play } from '../crash/tap.ts';
import type { Hop } from './hops.ts';

export const faultNames = [
  'slow',
  'timeout',
  'refused',
  'reset',
  '5xx',
  'throttled',
  '4xx',
  'access denied',
  'expired key',
  'rotated key',
  'garbage',
  'HTML',
  'redirect',
  'oversized',
  'truncated',
  'lost answer',
  'all answers lost',
  'wrong job',
  'unknown status',
] as const;
export type FaultName = (typeof faultNames)[number];

/** Shorter than the SDK waits for a table. */
const SLOW_MS = 1_000;
const MiB = 1024 * 1024;

const awsError =
  (status: number, type: string): Play =>
  ({ answer }) => {
    const body = Buffer.from(JSON.stringify({ __type: type, message: 'Played.' }));
    answer({ status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body });
  };
const reset = ({ response }: Handle): void => void response.socket?.resetAndDestroy();
const lose: Play = async (handle) => {
  await handle.forward();
  reset(handle);
};

/** What an AWS endpoint does for every request of the hop; or why it cannot. The effect happens where the answer is a 2xx. */
export const awsFaults: Readonly<Record<FaultName, ((hop: Hop) => Play | string) | string>> = {
  slow: () => async (handle) => {
    await sleep(SLOW_MS);
    handle.answer(await handle.forward());
  },
  timeout: () => () => undefined,
  refused: () => () => undefined,
  reset: () => reset,
  '5xx': () => awsError(500, 'InternalServerError'),
  throttled: ({ service }) =>
    awsError(400, service === 'dynamodb' ? 'ProvisionedThroughputExceededException' : 'ThrottlingException'),
  '4xx': ({ service }) => awsError(400, service === 'dynamodb' ? 'ValidationException' : 'ResourceNotFoundException'),
  'access denied': () => awsError(400, 'AccessDeniedException'),
  'expired key': () => awsError(400, 'ExpiredTokenException'),
  'rotated key': ({ service }) =>
    service === 'secretsmanager' ? rotate : 'Lambda renews the role’s credentials by itself',
  garbage: () => async (handle) => handle.answer({ ...(await handle.forward()), body: Buffer.from('}{') }),
  HTML:
    () =>
    ({ answer }) => {
      const body = Buffer.from('<html><body>Bad gateway</body></html>');
      answer({ status: 502, headers: { 'content-type': 'text/html' }, body });
    },
  redirect:
    () =>
    ({ answer }) =>
      answer({ status: 302, headers: { location: '/elsewhere' }, body: Buffer.alloc(0) }),
  oversized: () => async (handle) => {
    const forwarded = await handle.forward();
    const { 'x-amz-crc32': _, ...headers } = forwarded.headers;
    handle.answer({ ...forwarded, headers, body: Buffer.concat([forwarded.body, Buffer.alloc(9 * MiB, ' ')]) });
  },
  truncated: () => async (handle) => {
    const { status, body } = await handle.forward();
    handle.response.writeHead(status, { 'content-length': body.length + 1 });
    handle.response.write(body.subarray(0, body.length / 2), () => reset(handle));
  },
  'lost answer': () => {
    let isFirst = true;
    return async (handle) => {
      if (!isFirst) return handle.answer(await handle.forward());
      isFirst = false;
      return lose(handle);
    };
  },
  'all answers lost': () => lose,
  'wrong job': 'a key reads its own item alone',
  'unknown status': 'no job’s status comes from there',
};

/** The key that Secrets Manager hands out next is the new one: the function never sees the old one. */
const rotate: Play = async (handle) => handle.answer(await handle.forward());

type PlangrepFault = Omit<FaultInput, 'on'>;
const status = (code: number, body: string, headers: Record<string, string> = {}) =>
  ({ kind: 'status', status: code, body, headers }) as const;

/** What Plangrep does, in the simulator's own terms; or why it cannot. */
export const plangrepFaults: Readonly<
  Record<FaultName, ((hop: Hop, stage: Stage) => PlangrepFault | string | undefined) | string>
> = {
  slow: () => ({ kind: 'late', delayMs: SLOW_MS }),
  timeout: () => ({ kind: 'hang' }),
  refused: () => undefined,
  reset: () => ({ kind: 'reset' }),
  '5xx': () => status(503, ''),
  throttled: () => status(429, '', { 'Retry-After': '2' }),
  '4xx': () => status(422, '{"code":"invalid_state"}'),
  'access denied': () => status(403, '{"error":{"code":"insufficient_scope"}}'),
  'expired key': ({ name }, { simulator }) => {
    if (name === 'read') return 'the cancel call before it is refused first';
    simulator.revokeApiKey();
    return undefined;
  },
  'rotated key': (_, { simulator, secretsManager }) => {
    const next = `${apiKey}-rotated`;
    simulator.setApiKey(next);
    secretsManager.put(secretId, next);
    return undefined;
  },
  garbage: () => status(200, '}{'),
  HTML: () => status(200, '<html><body>cancelled</body></html>', { 'Content-Type': 'text/html' }),
  redirect: () => status(302, '', { Location: '/api/open/v1/jobs/job_other' }),
  oversized: () => ({ kind: 'oversized' }),
  truncated: () => ({ kind: 'reset', when: 'mid_answer' }),
  'lost answer': () => ({ kind: 'reset', effect: 'applied', times: 1 }),
  'all answers lost': () => ({ kind: 'reset', effect: 'applied' }),
  'wrong job': ({ on }) =>
    on === 'list'
      ? { kind: 'job', fields: { id: '../other' } }
      : { kind: 'job', fields: { id: 'job_x', status: 'cancelled' } },
  'unknown status': ({ on }) => ({
    kind: 'job',
    fields: { status: 'on_hold' },
    effect: on === 'cancel' ? 'applied' : 'none',
  }),
};

/** The simulator and the secret as they were. */
export const endFaults = async ({ tap, simulator, secretsManager }: Stage): Promise<void> => {
  tap.begin();
  await tap.accept();
  simulator.faults.clear();
  simulator.setApiKey(apiKey);
  secretsManager.put(secretId, apiKey);
};
