import { createServer as createTlsServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { API_KEY, callNames, calls, clientOf, keyOf } from '../support/plangrep-calls.ts';
import { type RawServer, startRawServer } from '../support/raw-server.ts';
import { createSelfSignedCertificate } from '../support/self-signed-certificate.ts';

const LATER = Infinity;
const connect = (baseUrl: string, now = () => Date.now()) => clientOf(baseUrl, keyOf(API_KEY), now);
const https = ({ port }: RawServer): string => `https://localhost:${port}`;

const start = async (onConnection: (socket: Socket, count: number) => void): Promise<RawServer> => {
  const server = await startRawServer(onConnection);
  onTestFinished(() => server.close());
  return server;
};
/** For the length of a test, this certificate is the only one that Node trusts. */
const trust = (certificate: string): void => {
  const before = getCACertificates('default');
  setDefaultCACertificates([certificate]);
  onTestFinished(() => setDefaultCACertificates(before));
};
const startFailingOnce = (tls: Server): Promise<RawServer> =>
  start((socket, count) => (count === 1 ? socket.destroy() : tls.emit('connection', socket)));

describe.each(callNames)('A connection for a %s', (name) => {
  const notConnected = { kind: 'not_sent', why: 'no_connection' };

  test('that is refused carries nothing', async () => {
    const server = await start(() => undefined);
    await server.close();

    expect(await calls[name](connect(`http://127.0.0.1:${server.port}`), LATER)).toEqual(notConnected);
  });

  test('that never completes its TLS handshake carries nothing, and is tried twice', async () => {
    const server = await start((socket) => socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')));

    expect(await calls[name](connect(https(server)), LATER)).toEqual(notConnected);
    expect(server.connections()).toBe(2);
    expect(server.received()).not.toContain('HTTP');
  });

  test('that is still opening at the deadline carries nothing', async () => {
    const server = await start(() => undefined);

    expect(await calls[name](connect(https(server)), Date.now() + 300)).toEqual(notConnected);
    expect(server.connections()).toBe(1);
  });

  test('to an untrusted certificate carries no key', async () => {
    const received: unknown[] = [];
    const tls = createTlsServer(createSelfSignedCertificate(), (request) => received.push(request.url));
    const server = await start((socket) => tls.emit('connection', socket));

    expect(await calls[name](connect(https(server)), LATER)).toEqual(notConnected);
    expect(server.connections()).toBe(2);
    expect(received).toEqual([]);
  });

  test('that opens at the second try carries the call', async () => {
    const identity = createSelfSignedCertificate();
    trust(identity.cert);
    const server = await startFailingOnce(createTlsServer(identity, (_, response) => response.writeHead(503).end()));

    expect(await calls[name](connect(https(server)), LATER)).toMatchObject({ kind: 'unknown', httpStatus: 503 });
    expect(server.connections()).toBe(2);
  });

  test('that replaces an idle one resumes its TLS session, which saves a round trip', async () => {
    const identity = createSelfSignedCertificate();
    trust(identity.cert);
    const resumed: boolean[] = [];
    const tls = createTlsServer(identity, (_, response) => response.writeHead(503).end());
    tls.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
    const server = await start((socket) => tls.emit('connection', socket));
    let now = Date.now();
    const plangrep = connect(https(server), () => now);
    await calls[name](plangrep, LATER);
    now += 5_000;
    await calls[name](plangrep, LATER);

    expect(resumed).toEqual([false, true]);
  });

  test('that opens at the second try and is lost is not tried a third time', async () => {
    const identity = createSelfSignedCertificate();
    trust(identity.cert);
    const server = await startFailingOnce(createTlsServer(identity, ({ socket }) => socket.destroy()));

    expect(await calls[name](connect(https(server)), LATER)).toEqual({ kind: 'unknown', why: 'connection_lost' });
    expect(server.connections()).toBe(2);
  });
});
