import { writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listenOnLoopback } from '../../infra/local/aws/loopback.ts';
import { startRawServer } from '../support/raw-server.ts';
import { onlyLine, runCommand } from '../support/run-command.ts';
import { createSelfSignedCertificate } from '../support/self-signed-certificate.ts';
import { temporaryFolder } from '../local/arrange.ts';

const startPlangrep = async (answer: string) => {
  const server = await startRawServer((socket) => socket.on('data', () => socket.end(answer)));
  onTestFinished(() => server.close());
  return { ...server, url: `http://127.0.0.1:${server.port}` };
};
const roundTrip = (...args: string[]) => runCommand('round-trip', args);

describe('round-trip', () => {
  test('opens as many connections as it is told, and sends one GET, without a key', async () => {
    const plangrep = await startPlangrep('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    const { stdout, stderr, code } = await roundTrip('--url', plangrep.url, '--times', '3');

    expect([code, stderr]).toEqual([0, '']);
    expect(plangrep.connections()).toBe(3);
    expect(plangrep.received().split('\r\n')).toEqual([
      'GET /api/open/v1/jobs HTTP/1.1',
      'Host: 127.0.0.1',
      'Connection: close',
      '',
      '',
    ]);
    const lines = stdout.split('\n').filter((line) => line.includes(' ms'));
    expect(lines.map((line) => line.replaceAll(/\d+\.\d/g, '0.0').replaceAll(/ {2,}/g, '  '))).toEqual([
      'name  0.0 ms  0.0 ms  0.0 ms',
      'TCP handshake: a round trip  0.0 ms  0.0 ms  0.0 ms',
      'answer to a GET: 401  0.0 ms  0.0 ms  0.0 ms',
      'A cancel that is on record reaches Plangrep half of 0.0 ms later, over a connection that is open.',
    ]);
  });

  test('measures TLS too, and prints one JSON document with --json', async () => {
    const identity = createSelfSignedCertificate();
    const authority = join(temporaryFolder(), 'authority.pem');
    writeFileSync(authority, identity.cert);
    const server = createTlsServer(identity, (_, response) => response.writeHead(404).end());
    onTestFinished(() => void server.close());
    const url = `https://localhost:${await listenOnLoopback(server)}`;

    const options = { env: { NODE_EXTRA_CA_CERTS: authority } };
    const { stdout, code } = await runCommand('round-trip', ['--url', url, '--times', '2', '--json'], options);

    expect(code).toBe(0);
    const figure = expect.any(Number);
    expect(JSON.parse(stdout)).toEqual({
      url,
      steps: [
        { name: figure, tcp: figure, tls: figure },
        { name: figure, tcp: figure, tls: figure },
      ],
      answered: { status: 404, ms: figure },
    });
    const untrusted = await roundTrip('--url', url);
    expect(onlyLine(untrusted)).toMatch(/^Not measured: no TLS connection to localhost \([A-Z_]+\)\.$/);
    expect(untrusted.code).toBe(1);
  });

  test('says in one line why it cannot measure', async () => {
    const silent = await startPlangrep('SSH-2.0-OpenSSH_9.2\r\n');
    const closing = await startPlangrep('');
    const gone = await startRawServer(() => undefined);
    await gone.close();

    expect(onlyLine(await roundTrip('--url', silent.url))).toBe('127.0.0.1 did not answer in HTTP.');
    expect(onlyLine(await roundTrip('--url', closing.url))).toMatch(/^Not measured: no answer from 127\.0\.0\.1 \(/);
    expect(onlyLine(await roundTrip('--url', `http://127.0.0.1:${gone.port}`))).toBe(
      'Not measured: no connection to 127.0.0.1 (ECONNREFUSED).',
    );
  });

  test.each([
    ['--url', 'https://plangrep.com/api'],
    ['--url', 'http://plangrep.com'],
    ['--times', '0'],
    ['--key', 'x'],
  ])('takes no %s %s', async (...args) => {
    const done = await roundTrip(...args);

    expect(done.code).toBe(2);
    onlyLine(done);
  });
});
