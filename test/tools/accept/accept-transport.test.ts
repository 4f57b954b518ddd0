import { createServer, getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allChecks } from '../../../infra/cli/accept/checks/all-checks.ts';
import { judgePlainAnswer } from '../../../infra/cli/accept/checks/transport.ts';
import { runChecks } from '../../../infra/cli/accept/run-checks.ts';
import { listenOnLoopback } from '../../../infra/local/aws/loopback.ts';
import { createSelfSignedCertificate } from '../../support/self-signed-certificate.ts';

/** The test files of a worker share the process: what it trusts is put back. */
const trusted = getCACertificates('default');
const certificate = createSelfSignedCertificate();
beforeAll(() => setDefaultCACertificates([...trusted, certificate.cert]));
afterAll(() => setDefaultCACertificates(trusted));

/** What `transport.tls` finds at a server with these options. */
async function judge(options: TlsOptions) {
  const server = createServer({ ...certificate, ...options }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  const port = await listenOnLoopback(server, 0);
  const checks = allChecks.filter(({ id }) => id === 'transport.tls');
  const around = { url: new URL(`https://localhost:${port}/`), signal: new AbortController().signal };
  const verdicts = await runChecks(checks, around, { began: () => undefined, ended: () => undefined });
  await new Promise((resolve) => server.close(resolve));
  return verdicts[0];
}

describe('transport.tls', () => {
  test('passes where TLS 1.2 is the least', async () => {
    expect(await judge({ minVersion: 'TLSv1.2' })).toMatchObject({ result: 'ok' });
  });

  test('finds a server that takes TLS 1.1', async () => {
    const old = await judge({ minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' });

    expect(old).toMatchObject({ result: 'failed', faults: [{ seen: 'a connection by TLS 1.1' }] });
  });

  test('finds a server without TLS 1.2', async () => {
    expect(await judge({ minVersion: 'TLSv1.3' })).toMatchObject({ result: 'failed' });
  });
});

describe('transport.plain-http', () => {
  test.each([
    ['no answer', '', 0],
    ['a redirect to https', 'HTTP/1.1 301 Moved Permanently\r\nLocation: https://api.example.com/\r\n\r\n', 0],
    ['a refusal', 'HTTP/1.1 403 Forbidden\r\n\r\n', 0],
    ['a redirect to http', 'HTTP/1.1 301 Moved Permanently\r\nLocation: http://api.example.com/\r\n\r\n', 1],
    ['an answer of the API', 'HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\n\r\n{}', 1],
  ])('judges %s', (_, received, faults) => {
    expect(judgePlainAnswer(received)).toHaveLength(faults);
  });
});
