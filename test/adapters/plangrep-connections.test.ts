import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createPlangrep } from '../../functions/adapters/plangrep/plangrep-client.ts';
import { documentedJob } from '../support/names.ts';
import { API_KEY, connectionsTo, keyOf } from '../support/plangrep-calls.ts';
import { startRawServer } from '../support/raw-server.ts';
import { createSelfSignedCertificate } from '../support/self-signed-certificate.ts';

let now: number;
beforeEach(() => {
  now = Date.parse('2026-11-02T09:00:00.000Z');
});
const later = (ms: number): void => {
  now += ms;
};

const NO_CONTENT = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';
const answered = { kind: 'not_found' };
const refused = { kind: 'refused', httpStatus: 404 };

/** A server that answers each request with 404, and shows for each connection what happened on it. */
const startServer = async (onConnection: (socket: Socket, count: number) => void = () => undefined) => {
  const seen: { readonly socket: Socket; requests: number; isForgotten: boolean }[] = [];
  const server = await startRawServer((socket, count) => {
    const connection = { socket, requests: 0, isForgotten: false };
    seen.push(connection);
    onConnection(socket, count);
    socket.on('data', () => {
      connection.requests += 1;
      if (!connection.isForgotten) socket.write(NO_CONTENT);
    });
  });
  onTestFinished(() => server.close());
  const connections = connectionsTo(`http://127.0.0.1:${server.port}`, () => now);
  const plangrep = createPlangrep({ connections, key: keyOf(API_KEY), clock: { now: () => now } });
  return {
    seen,
    ...connections,
    received: () => server.received(),
    read: () => plangrep.read(documentedJob, Infinity),
    cancel: () => plangrep.cancel(documentedJob, Infinity),
    requests: () => seen.map(({ requests }) => requests),
  };
};
type Started = Awaited<ReturnType<typeof startServer>>;
const times = <Value>(count: number, act: () => Value): Value[] => Array.from({ length: count }, act);
const byNumber = (a: number, b: number): number => a - b;
const isClosed = ({ seen }: Started, index: number) =>
  vi.waitFor(() => expect(seen[index]?.socket.destroyed).toBe(true));

describe('An idle connection', () => {
  test('is used again for 4 s, and then closed', async () => {
    const server = await startServer();
    await server.read();
    later(4_000);
    await server.read();
    later(4_001);
    await server.read();

    expect(server.requests()).toEqual([2, 1]);
    await isClosed(server, 0);
  });

  test('has its own age: the use of another one does not make it younger', async () => {
    const server = await startServer();
    await Promise.all(times(3, server.read));
    later(3_000);
    await server.read();
    later(2_000);
    await Promise.all(times(2, server.read));

    expect(server.seen.length).toBe(4);
    expect(server.requests().toSorted(byNumber)).toEqual([1, 1, 1, 3]);
  });

  test('that a NAT has forgotten carries no request, of however many', async () => {
    const server = await startServer();
    await Promise.all(times(10, server.cancel));
    later(3_000);
    await server.cancel();
    later(3_000);
    // It forgets what was idle for 5 s, without a word to either side.
    for (const connection of server.seen) connection.isForgotten = connection.requests === 1;

    const answers = await Promise.all(times(10, server.cancel));

    expect(answers).toEqual(times(10, () => expect.objectContaining(refused)));
    expect(server.requests().toSorted(byNumber)).toEqual([...times(18, () => 1), 3]);
  });

  test('that the server closes in order is not used again', async () => {
    const server = await startServer();
    await server.read();
    server.seen[0]?.socket.end();
    await isClosed(server, 0);

    expect(await server.read()).toEqual(answered);
    expect(server.requests()).toEqual([1, 1]);
  });

  test('is not used after a freeze, though the server still waits', async () => {
    const server = await startServer();
    await server.read();
    later(10 * 60_000);

    expect(await server.read()).toEqual(answered);
    expect(server.requests()).toEqual([1, 1]);
  });

  test('is not used when the clock was set back, since its age is not known', async () => {
    const server = await startServer();
    await server.read();
    later(-60_000);
    await server.read();
    await server.read();

    expect(server.requests()).toEqual([1, 2]);
  });

  test('is not used when a later one is too old, since the clock was set between them', async () => {
    const server = await startServer();
    await Promise.all([server.read(), server.read()]);
    later(-1_000);
    await server.read();
    later(900);
    await Promise.all([server.read(), server.read()]);

    expect(server.requests()).toEqual([1, 1, 2, 1]);
  });
});

describe('A connection that is opened ahead', () => {
  test('carries nothing, and then the first request', async () => {
    const server = await startServer();
    server.openAhead();
    await vi.waitFor(() => expect(server.seen.length).toBe(1));

    expect(server.received()).toBe('');
    expect(await server.cancel()).toMatchObject(refused);
    expect(server.requests()).toEqual([1]);
  });

  test('may be taken while it opens', async () => {
    const server = await startServer();
    server.openAhead();

    expect(await server.read()).toEqual(answered);
    expect(server.requests()).toEqual([1]);
  });

  test('is one at most', async () => {
    const server = await startServer();
    server.openAhead();
    server.openAhead();
    await Promise.all(times(2, server.read));
    server.openAhead();
    await Promise.all(times(3, server.read));

    expect(server.seen.length).toBe(3);
  });

  test('is not opened beside an idle one, but beside one that is too old', async () => {
    const server = await startServer();
    await server.read();
    server.openAhead();
    await server.read();
    later(4_001);
    server.openAhead();
    await vi.waitFor(() => expect(server.seen.length).toBe(2));
    await server.read();

    expect(server.requests()).toEqual([2, 1]);
  });

  test.each([
    ['4 s', 4_000, [1]],
    ['more', 4_001, [0, 1]],
    ['a freeze', 600_000, [0, 1]],
    ['a clock set back', -1, [0, 1]],
  ])('waits for a request for 4 s, from its beginning, and is then closed: %s', async (_, ms, requests) => {
    const server = await startServer();
    server.openAhead();
    await vi.waitFor(() => expect(server.seen.length).toBe(1));
    later(ms);
    await server.read();

    expect(server.requests()).toEqual(requests);
    if (requests.length > 1) await isClosed(server, 0);
  });

  test('is replaced when it is too old', async () => {
    const server = await startServer();
    server.openAhead();
    await vi.waitFor(() => expect(server.seen.length).toBe(1));
    later(4_001);
    server.openAhead();
    await vi.waitFor(() => expect(server.seen.length).toBe(2));
    await server.read();

    expect(server.requests()).toEqual([0, 1]);
  });

  test.each([
    ['in order', (socket: Socket) => socket.end()],
    ['with a reset', (socket: Socket) => socket.resetAndDestroy()],
  ])('fails in silence when the server closes it %s, and the request opens another', async (_, close) => {
    const opened = socketsOpened();
    const server = await startServer((socket, count) => {
      if (count === 1) close(socket);
    });
    server.openAhead();
    await vi.waitFor(() => expect(opened[0]?.destroyed).toBe(true));

    expect(await server.cancel()).toMatchObject(refused);
    expect(server.requests()).toEqual([0, 1]);
  });

  test('fails in silence when it is refused', async () => {
    const opened = socketsOpened();
    const server = await startRawServer(() => undefined);
    await server.close();
    const connections = connectionsTo(`http://127.0.0.1:${server.port}`);
    connections.openAhead();
    await vi.waitFor(() => expect(opened[0]?.destroyed).toBe(true));
    const plangrep = createPlangrep({ connections, key: keyOf(API_KEY), clock: Date });

    expect(await plangrep.cancel(documentedJob, Infinity)).toEqual({ kind: 'not_sent', why: 'no_connection' });
  });

  test('whose server speaks first carries no request: that was not an answer', async () => {
    const opened = socketsOpened();
    const server = await startServer((socket, count) => {
      if (count === 1) socket.end('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    server.openAhead();
    await vi.waitFor(() => expect(opened[0]?.readableLength).toBeGreaterThan(0));

    expect(await server.cancel()).toMatchObject(refused);
    expect(server.requests()).toEqual([0, 1]);
    await isClosed(server, 0);
  });

  /** The sockets that clients in this process opened since. */
  function socketsOpened(): Socket[] {
    const sockets: Socket[] = [];
    const add = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
    subscribe('net.client.socket', add);
    onTestFinished(() => void unsubscribe('net.client.socket', add));
    return sockets;
  }
});

describe('With TLS', () => {
  const start = async (host: string) => {
    const identity = createSelfSignedCertificate();
    const before = getCACertificates('default');
    setDefaultCACertificates([identity.cert]);
    onTestFinished(() => setDefaultCACertificates(before));
    const names: unknown[] = [];
    const requests: string[] = [];
    const tls = createTlsServer(identity, ({ method = '' }, response) => {
      requests.push(method);
      response.writeHead(404).end();
    });
    tls.on('secureConnection', (socket) => names.push(socket.servername));
    const server = await startRawServer((socket) => tls.emit('connection', socket));
    onTestFinished(() => server.close());
    const connections = connectionsTo(`https://${host}:${server.port}`);
    const plangrep = createPlangrep({ connections, key: keyOf(API_KEY), clock: Date });
    return { server, names, requests, connections, cancel: () => plangrep.cancel(documentedJob, Infinity) };
  };

  test('the handshake is done ahead, by the name of the host', async () => {
    const { server, names, requests, connections, cancel } = await start('localhost');
    connections.openAhead();
    await vi.waitFor(() => expect(names).toEqual(['localhost']));
    expect(requests).toEqual([]);

    expect(await cancel()).toMatchObject(refused);
    expect(server.connections()).toBe(1);
    expect(requests).toEqual(['POST']);
  });

  test('a certificate for another host gets no request, on a connection opened ahead or not', async () => {
    const { server, requests, connections, cancel } = await start('127.0.0.1');
    connections.openAhead();

    expect(await cancel()).toEqual({ kind: 'not_sent', why: 'no_connection' });
    expect(server.connections()).toBe(2);
    expect(requests).toEqual([]);
  });
});
