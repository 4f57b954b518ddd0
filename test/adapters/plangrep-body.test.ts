import type { Socket } from 'node:net';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type BodyStream,
  type Exchange,
  exchange,
  startDeadline,
} from '../../functions/adapters/plangrep/plangrep-http.ts';
import { documentedJob } from '../support/names.ts';
import { callNames, calls, clientOf, connectionsTo } from '../support/plangrep-calls.ts';
import { type RawServer, startRawServer } from '../support/raw-server.ts';

const job = { id: documentedJob, status: 'processing', externalId: 'order-é' };
const good = Buffer.from(JSON.stringify({ job, jobs: [job] }));
const MiB = 1024 * 1024;
const spaces = Buffer.alloc(16 * MiB, ' ');
const bombs = {
  gzip: gzipSync(spaces),
  br: brotliCompressSync(spaces, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
};

const start = async (onRequest: (socket: Socket) => void): Promise<RawServer> => {
  const server = await startRawServer((socket) => socket.on('data', () => onRequest(socket)));
  onTestFinished(() => server.close());
  return server;
};
const head = (encoding: string, length: number, status = 200): string =>
  `HTTP/1.1 ${status} Something\r\nContent-Length: ${length}\r\nContent-Encoding: ${encoding}\r\n\r\n`;
const startAnswering = (encoding: string, body: Buffer, status = 200): Promise<RawServer> =>
  start((socket) => {
    socket.write(head(encoding, body.length, status));
    socket.write(body);
  });
const urlOf = ({ port }: RawServer): string => `http://127.0.0.1:${port}`;
const connect = (server: RawServer) => clientOf(urlOf(server));
const unknown = (why: string) => ({ kind: 'unknown', why, httpStatus: 200 });

describe.each(callNames)('A body that is compressed although it was not accepted, of a %s', (name) => {
  test.each([
    ['gzip', gzipSync(good)],
    ['GZip', gzipSync(good)],
    ['x-gzip', gzipSync(good)],
    ['deflate', deflateSync(good)],
    ['br', brotliCompressSync(good)],
    ['gzip', Buffer.concat([gzipSync(good.subarray(0, 20)), gzipSync(good.subarray(20))])],
    ['', good],
  ])('is read: %s', async (encoding, body) => {
    const server = await startAnswering(encoding, body);
    const plangrep = connect(server);
    await calls[name](plangrep, Infinity);
    const answer = await calls[name](plangrep, Infinity);

    if (answer.kind === 'jobs') expect(answer.jobsOf(job.externalId)).toMatchObject({ jobs: [job], isWhole: true });
    else expect(answer).toMatchObject({ kind: 'job', job });
    expect(server.connections()).toBe(1);
  });

  test.each([
    ['twice', 'gzip, gzip', gzipSync(gzipSync(good))],
    ['in an unknown way', 'zstd', good],
    ['not at all', 'gzip', good],
    ['and cut', 'gzip', gzipSync(good).subarray(0, -9)],
    ['and has nothing in it', 'gzip', Buffer.alloc(0)],
  ])('is unreadable when it is compressed %s', async (_, encoding, body) => {
    expect(await calls[name](connect(await startAnswering(encoding, body)), Infinity)).toEqual(
      unknown('unreadable_answer'),
    );
  });

  test.each([
    ['gzip', bombs.gzip],
    ['br', bombs.br],
    // A file name in its header that does not end: nothing is inflated.
    ['gzip', Buffer.concat([Buffer.from('1f8b0808000000000003', 'hex'), Buffer.alloc(9 * MiB, 'a')])],
  ])('is too large when it is so as received or as inflated: %s', async (encoding, body) => {
    // Of a list nothing is kept but jobs: 8 MiB without one are not a list.
    expect(await calls[name](connect(await startAnswering(encoding, body)), Infinity)).toEqual(
      unknown(name === 'list' ? 'unreadable_answer' : 'oversized_answer'),
    );
  });

  test('is lost with its connection', async () => {
    const body = gzipSync(good);
    const server = await start((socket) => {
      socket.write(head('gzip', body.length));
      socket.write(body.subarray(0, 20), () => socket.resetAndDestroy());
    });

    expect(await calls[name](connect(server), Infinity)).toEqual(unknown('connection_lost'));
  });

  test('ends with the deadline', async () => {
    const body = gzipSync(good);
    const server = await start((socket) => {
      socket.write(head('gzip', body.length));
      socket.write(body.subarray(0, 20));
    });

    expect(await calls[name](connect(server), Date.now() + 300)).toEqual(unknown('timeout'));
  });
});

test.each([
  ['gzip', gzipSync('{"code":"job_already_terminal"}'), 'job_already_terminal'],
  ['zstd', Buffer.from('{"code":"job_already_terminal"}'), undefined],
])('The code of a rejection is read when its body can be inflated: %s', async (encoding, body, code) => {
  const server = await startAnswering(encoding, body, 409);

  expect(await connect(server).cancel(documentedJob, Infinity)).toEqual({ kind: 'refused', httpStatus: 409, code });
});

describe('A body that is taken while it arrives', () => {
  const exchangeWith = (server: RawServer, stream: BodyStream): Promise<Exchange> => {
    const deadline = startDeadline(5_000);
    onTestFinished(() => deadline.clear());
    return exchange(
      connectionsTo(urlOf(server)),
      { method: 'GET', path: '/', headers: {}, maxBytes: 1_000, stream },
      deadline,
    );
  };
  const collect = (maxBytes: number) => {
    const taken: Buffer[] = [];
    return { maxBytes, take: (chunk: Buffer) => taken.push(chunk) > 0, taken };
  };
  const large = Buffer.alloc(MiB, 'a');

  test.each([
    ['identity', large],
    ['gzip', gzipSync(large)],
  ])('is handed out whole and not kept: %s', async (encoding, body) => {
    const stream = collect(MiB);
    const answer = await exchangeWith(await startAnswering(encoding, body), stream);

    expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0), interrupted: undefined });
    expect(Buffer.concat(stream.taken).equals(large)).toBe(true);
    expect(stream.taken.length).toBeGreaterThan(1);
  });

  test.each([
    ['identity', large],
    ['gzip', gzipSync(large)],
  ])('is handed out up to its own limit: %s', async (encoding, body) => {
    const stream = collect(MiB - 1);

    expect(await exchangeWith(await startAnswering(encoding, body), stream)).toMatchObject({
      interrupted: 'oversized_answer',
    });
    expect(Buffer.concat(stream.taken).length).toBeLessThan(MiB);
  });

  test.each([
    ['identity', large],
    ['gzip', gzipSync(large)],
  ])('ends when it is not wanted any more, with its connection: %s', async (encoding, body) => {
    const take = vi.fn(() => false);
    const ended = vi.fn();
    const server = await start((socket) => {
      socket.on('close', ended);
      socket.write(head(encoding, body.length + 1)); // A byte is missing, so the answer is not complete.
      socket.write(body);
    });

    expect(await exchangeWith(server, { maxBytes: MiB, take })).toMatchObject({ interrupted: 'unreadable_answer' });
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce());
    expect(take).toHaveBeenCalledOnce();
  });

  test('is kept as usual when it is that of a rejection', async () => {
    const stream = collect(MiB);

    expect(await exchangeWith(await startAnswering('gzip', gzipSync('{}'), 404), stream)).toMatchObject({
      status: 404,
      body: Buffer.from('{}'),
    });
    expect(stream.taken).toEqual([]);
    expect(await exchangeWith(await startAnswering('identity', large, 500), stream)).toMatchObject({
      interrupted: 'oversized_answer',
    });
  });
});
