import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { PlangrepKey } from '../../functions/adapters/plangrep/plangrep-key.ts';
import { exampleJob } from '../../functions/simulator/plangrep-jobs.ts';
import { type PlangrepSimulator, startPlangrepSimulator } from '../../infra/local/plangrep/plangrep-simulator.ts';
import { documentedJob, type documentedProject } from '../support/names.ts';
import { API_KEY, callNames, calls, clientOf, keyOf } from '../support/plangrep-calls.ts';
import { type RawServer, startRawServer } from '../support/raw-server.ts';

let simulator: PlangrepSimulator;
beforeEach(async () => {
  simulator = await startPlangrepSimulator({ apiKey: API_KEY, jobs: [exampleJob] });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await simulator.close();
});

const connect = (baseUrl = simulator.url, key?: PlangrepKey) => clientOf(baseUrl, key);
/** Far away: the call's own 5 s are the limit. */
const LATER = Infinity;
const shortly = (): number => Date.now() + 300;

const startRaw = async (onConnection: (socket: Socket, count: number) => void): Promise<RawServer> => {
  const server = await startRawServer(onConnection);
  onTestFinished(() => server.close());
  return server;
};
/** A server that answers every request with these bytes, and says no more. */
const startSaying = (bytes: string | Buffer, then: 'wait' | 'end' = 'wait'): Promise<RawServer> =>
  startRaw((socket) => {
    socket.on('data', () => {
      socket.write(bytes);
      if (then === 'end') socket.end();
    });
  });
const http = ({ port }: RawServer): string => `http://127.0.0.1:${port}`;

describe('The request', () => {
  test('is a POST without a body for a cancel', async () => {
    const server = await startSaying('HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n');
    await connect(http(server)).cancel(documentedJob, LATER);
    const [head = '', body] = server.received().split('\r\n\r\n');

    expect(head.split('\r\n').toSorted()).toEqual([
      'Accept-Encoding: identity',
      'Accept: application/json',
      `Authorization: Bearer ${API_KEY}`,
      'Connection: keep-alive',
      'Content-Length: 0',
      `Host: 127.0.0.1:${server.port}`,
      `POST /api/open/v1/jobs/${documentedJob}/cancel HTTP/1.1`,
      'User-Agent: plangrep-cancellation/1',
    ]);
    expect(body).toBe('');
  });

  test.each(['..', 'a/b', 'a%2Fb', 'a?b', '', 'a\r\nb'])('is never made for the id %j', async (id) => {
    const plangrep = connect();

    await expect(plangrep.cancel(id as typeof documentedJob, LATER)).rejects.toThrow();
    await expect(plangrep.read(id as typeof documentedJob, LATER)).rejects.toThrow();
    await expect(plangrep.list(id as typeof documentedProject, LATER)).rejects.toThrow();
    expect(simulator.requests.all()).toEqual([]);
  });

  test('uses the connection of the previous request', async () => {
    const server = await startSaying('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    const plangrep = connect(http(server));
    for (const name of callNames) await calls[name](plangrep, LATER);

    expect(server.connections()).toBe(1);
  });
});

describe('The base URL', () => {
  test.each([
    'https://plangrep.com',
    'https://plangrep.com/',
    'https://localhost:8443',
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://127.9.8.7',
    'http://[::1]:3000',
  ])('may be %s', (baseUrl) => {
    expect(() => connect(baseUrl)).not.toThrow();
  });

  test.each([
    'http://plangrep.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://10.0.0.1',
    'http://[::2]',
    'ftp://localhost/',
    'https://plangrep.com/api/open/v1',
    'https://plangrep.com/?a=canary',
    'https://plangrep.com/?',
    'https://plangrep.com/#canary',
    'https://user:canary@plangrep.com',
    'plangrep.com canary',
    '',
  ])('may not be %s', (baseUrl) => {
    expect(() => connect(baseUrl)).toThrow(/^the Plangrep base URL must be (?!.*canary)/);
  });
});

describe.each(callNames)('The deadline of a %s', (name) => {
  test('ends a call without an answer', async () => {
    simulator.faults.add({ on: name, kind: 'hang' });

    expect(await calls[name](connect(), shortly())).toEqual({ kind: 'unknown', why: 'timeout' });
  });

  test('closes the connection of the call that it ends', async () => {
    const ended: string[] = [];
    const server = await startRaw((socket) => socket.on('close', () => ended.push('closed')));
    await calls[name](connect(http(server)), shortly());
    await vi.waitFor(() => expect(ended).toEqual(['closed']));
  });

  test('ends an answer that arrives byte by byte', async () => {
    simulator.faults.add({ on: name, kind: 'drip' });

    expect(await calls[name](connect(), shortly())).toEqual({ kind: 'unknown', why: 'timeout', httpStatus: 200 });
  });

  test('ends a rejection that arrives byte by byte, whose status is known', async () => {
    simulator.revokeApiKey();
    simulator.faults.add({ on: name, kind: 'drip' });

    expect(await calls[name](connect(), shortly())).toEqual({ kind: 'key_refused' });
  });

  test('starts no call with too little time left', async () => {
    expect(await calls[name](connect(), Date.now() + 99)).toEqual({ kind: 'not_sent', why: 'no_time' });
    expect(await calls[name](connect(), Number.NaN)).toEqual({ kind: 'not_sent', why: 'no_time' });
    expect(simulator.requests.all()).toEqual([]);
  });

  test('includes the wait for Secrets Manager', async () => {
    const key = { ...keyOf(API_KEY), get: () => new Promise<string>(() => undefined) };

    expect(await calls[name](connect(simulator.url, key), shortly())).toEqual({ kind: 'not_sent', why: 'no_key' });
  });

  test('leaves no time for another key when fetching it took too long', async () => {
    const key: PlangrepKey = {
      get: () => Promise.resolve('pgk_old'),
      renew: () => {
        const late = process.hrtime.bigint() + 4_950_000_000n;
        vi.spyOn(process.hrtime, 'bigint').mockReturnValue(late);
        return Promise.resolve(API_KEY);
      },
    };

    expect(await calls[name](connect(simulator.url, key), LATER)).toEqual({ kind: 'not_sent', why: 'no_time' });
    expect(simulator.requests.count(name)).toBe(1);
  });
});

describe.each(callNames)('The answer to a %s', (name) => {
  test('is not read beyond its limit', async () => {
    simulator.faults.add({ on: name, kind: 'oversized' });

    expect(await calls[name](connect(), LATER)).toEqual({
      kind: 'unknown',
      // Of a list the jobs are kept: so much else is not a list.
      why: name === 'list' ? 'unreadable_answer' : 'oversized_answer',
      httpStatus: 200,
    });
  });

  test('may be lost before it begins, which is unknown and not repeated', async () => {
    simulator.faults.add({ on: name, kind: 'reset', effect: 'applied' });

    expect(await calls[name](connect(), LATER)).toEqual({ kind: 'unknown', why: 'connection_lost' });
    expect(simulator.requests.count(name)).toBe(1);
    expect(simulator.job(documentedJob)?.status).toBe(name === 'cancel' ? 'cancelled' : 'processing');
  });

  test('may be lost half way', async () => {
    simulator.faults.add({ on: name, kind: 'reset', when: 'mid_answer' });

    expect(await calls[name](connect(), LATER)).toEqual({ kind: 'unknown', why: 'connection_lost', httpStatus: 200 });
  });

  test('may be lost on a connection used before, which is unknown too', async () => {
    const plangrep = connect();
    await plangrep.read(documentedJob, LATER);
    simulator.faults.add({ on: name, kind: 'reset' });
    simulator.requests.clear();

    expect(await calls[name](plangrep, LATER)).toEqual({ kind: 'unknown', why: 'connection_lost' });
    expect(simulator.requests.count(name)).toBe(1);
  });

  test.each([
    ['not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', undefined],
    ['a malformed header', 'HTTP/1.1 200 OK\r\nbroken\x00header\r\n\r\n', undefined],
    ['endless headers', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`, undefined],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}', undefined],
    ['a malformed chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 200],
    ['not UTF-8', Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff', 'latin1'), 200],
  ])('cannot be read when it is %s', async (_, bytes, httpStatus) => {
    const server = await startSaying(bytes);

    expect(await calls[name](connect(http(server)), LATER)).toEqual({
      kind: 'unknown',
      why: 'unreadable_answer',
      httpStatus,
    });
    expect(server.connections()).toBe(1);
  });

  test('may end before its headers do', async () => {
    const server = await startSaying('HTTP/1.1 200 OK\r\nContent-', 'end');
    const answer = await calls[name](connect(http(server)), LATER);

    expect(answer).toEqual({ kind: 'unknown', why: 'connection_lost' });
  });

  test('may end with its connection', async () => {
    const job = `{"id":"${documentedJob}","status":"failed"}`;
    const server = await startSaying(`HTTP/1.1 200 OK\r\n\r\n{"job":${job},"jobs":[${job}]}`, 'end');

    expect(await calls[name](connect(http(server)), LATER)).toMatchObject({ kind: name === 'list' ? 'jobs' : 'job' });
  });

  test('is unknown when Plangrep switches protocols without a request for it', async () => {
    const server = await startSaying('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');

    expect(await calls[name](connect(http(server)), LATER)).toEqual({
      kind: 'unknown',
      why: 'server_error',
      httpStatus: 101,
    });
  });

  test('is waited for after an interim answer', async () => {
    const server = await startSaying('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');

    expect(await calls[name](connect(http(server)), LATER)).toMatchObject({ httpStatus: 503 });
  });
});
