import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { type Check, type Fault, fault, holds, same } from '../check.ts';
import { expectHeader } from '../expect-answer.ts';
import type { WebStage } from '../stage.ts';
import { madeUpToken } from './routes.ts';

const TIME_LIMIT_MS = 5_000;
/** API Gateway's own name for an API. */
const noTls = { skipped: 'only https: the local run has no TLS' };

/** Answers of each kind: by API Gateway, by a function, by a page. */
async function sample({ send }: WebStage) {
  return Promise.all([
    send({ path: '/v1/cancellations?externalId=accept' }),
    send({ path: '/v1/cancellations?externalId=accept', token: madeUpToken }),
    send({ path: '/v1/no-such-address' }),
    send({ method: 'DELETE', path: '/v1/cancellations' }),
    send({ path: '/problems' }),
  ]);
}

/** What every answer and every connection has. */
export const transportChecks: readonly Check[] = [
  {
    id: 'transport.request-ids',
    shows: 'each answer has another request id, the same in its headers and in its problem',
    needs: 'https',
    lookAt: 'functions/doors/http/serve.ts, infra/blueprint/api.ts (gatewayResponses)',
    async run(stage) {
      const answers = await sample(stage);
      const ids = answers.map(({ requestId }) => requestId);
      return [
        ...same('answers without a request id', ids.filter((id) => id === '').length, 0),
        ...same('different request ids', new Set(ids).size, ids.length),
        ...answers.flatMap(({ headers, body, requestId }) => [
          ...same('header x-request-id', headers['x-request-id'] ?? requestId, requestId),
          ...same('requestId of the problem', body['requestId'] ?? requestId, requestId),
        ]),
      ];
    },
  },
  {
    id: 'transport.caching',
    shows: 'no answer about a partner or an error may be stored, and none says what serves it',
    needs: 'https',
    lookAt: 'functions/doors/http/serve.ts, infra/blueprint/api.ts (gatewayResponseHead)',
    async run(stage) {
      const answers = await sample(stage);
      const refused = answers.filter(({ status }) => status >= 400);
      return [
        ...holds(refused.length > 0, 'no refusal', 'some'),
        ...refused.flatMap((answer) => expectHeader(answer, 'cache-control', 'no-store')),
        ...answers.flatMap(({ headers }) => same('header x-powered-by', headers['x-powered-by'], undefined)),
      ];
    },
  },
  {
    id: 'transport.long-headers',
    shows: 'headers over the 10,240 bytes of a REST API: refused with a problem or a closed connection, not a 5xx',
    needs: 'https',
    lookAt:
      'https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html',
    async run({ send }) {
      const answer = await send({ path: '/v1/no-such-address', headers: { 'X-Long': 'x'.repeat(11_000) } }).catch(
        (error: NodeJS.ErrnoException) => error.code ?? error.message,
      );
      if (typeof answer === 'string') return holds(/ECONNRESET|EPIPE|socket hang up/.test(answer), answer, 'an answer');
      return holds(answer.status >= 400 && answer.status < 500, `status ${answer.status}`, 'a status from 400 to 499');
    },
  },
  {
    id: 'transport.tls',
    shows: 'TLS 1.2 is taken, TLS 1.1 is not',
    needs: 'https',
    lookAt: 'infra/constructs/api (securityPolicy)',
    async run({ url }) {
      if (url.protocol !== 'https:') return noTls;
      const [old, current] = await Promise.all([
        tryTls(url, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
        tryTls(url, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
      ]);
      if (current !== 'connected') return fault(`TLS 1.2: ${current}`, 'a connection');
      return old === 'connected' ? fault('a connection by TLS 1.1', 'none') : [];
    },
  },
  {
    id: 'transport.plain-http',
    shows: 'without TLS the API does not answer, or redirects to https',
    needs: 'https',
    lookAt: 'infra/constructs/api/api-domain.ts',
    async run({ url }) {
      if (url.protocol !== 'https:') return noTls;
      return judgePlainAnswer(await askPlainly(url.hostname));
    },
  },
];

/** @param received on port 80: empty when there is no connection, or nothing is said */
export function judgePlainAnswer(received: string): readonly Fault[] {
  const isRedirect = /^HTTP\/1\.[01] (301|307|308) [^]*\nlocation: https:/i.test(received);
  const isClosed = received === '' || isRedirect || /^HTTP\/1\.[01] 403 /.test(received);
  return holds(isClosed, received.split('\r\n', 1)[0] ?? '', 'no answer, a redirect to https, or 403');
}

/** @returns `connected`, or the code of what went wrong */
function tryTls({ hostname, port }: URL, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({
      host: hostname,
      port: Number(port || 443),
      ...(isIP(hostname) === 0 && { servername: hostname }),
      ...options,
    });
    const end = (what: string): void => {
      socket.destroy();
      resolve(what);
    };
    socket.setTimeout(TIME_LIMIT_MS, () => end('timeout'));
    socket.once('secureConnect', () => end('connected'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

/** @returns what the server sends on port 80; empty when it takes no connection or says nothing */
function askPlainly(hostname: string): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connectTcp({ host: hostname, port: 80 });
    socket.setTimeout(TIME_LIMIT_MS, () => socket.destroy());
    socket.on('error', () => undefined); // No connection is what is wanted.
    socket.once('connect', () =>
      socket.write(`GET /live/v1 HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`),
    );
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    socket.once('close', () => resolve(received));
  });
}
