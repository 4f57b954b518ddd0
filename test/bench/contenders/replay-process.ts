/**
 * Answers as the local run's parts answered, over TLS, in a process of its own: started by `replay.ts`. What is asked
 * several times gets the recorded answers in their order, the last one from then on.
 */
import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { listenOnLoopback } from '../../../infra/local/aws/listen-on-loopback.ts';
import { services, type Service } from '../../proof/crash/tap.ts';
import { type Exchange, keyOf } from './exchange.ts';
import type { FromReplay, ToReplay } from './replay.ts';

/** The response frames its own body. */
const framing = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date']);

const tell = (message: FromReplay): void => void process.send?.(message);
let answers = new Map<string, Exchange['answer'][]>();

const play = (exchanges: readonly Exchange[]): void => {
  answers = new Map();
  for (const { service, head, body, answer } of exchanges) {
    const key = `${service} ${keyOf(service, head, body)}`;
    const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !framing.has(name)));
    answers.set(key, [...(answers.get(key) ?? []), { ...answer, headers }]);
  }
};

const listen = async (service: Service, certificate: { key: string; cert: string }): Promise<string> => {
  const server = createServer({ ...certificate, keepAlive: true, keepAliveTimeout: 600_000 }, (request, response) => {
    const respond = async (): Promise<void> => {
      const sent = await buffer(request);
      const { method = '', url = '', headers } = request;
      const key = `${service} ${keyOf(service, { method, url, headers }, sent)}`;
      const recorded = answers.get(key) ?? [];
      const answer = recorded.length > 1 ? recorded.shift() : recorded[0];
      if (answer === undefined) {
        tell({ kind: 'unknown', key });
        response.writeHead(500).end();
        return;
      }
      response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length }).end(answer.body);
    };
    respond().catch(() => response.destroy()); // A process that was killed asks no more.
  });
  return `https://localhost:${await listenOnLoopback(server)}`;
};

process.on('message', (message: ToReplay) => {
  if (message.kind === 'play') {
    play(message.exchanges);
    tell({ kind: 'ready' });
    return;
  }
  void Promise.all(
    services.map(async (service) => [service, await listen(service, message.certificate)] as const),
  ).then((entries) => tell({ kind: 'listening', urls: Object.fromEntries(entries) as Record<Service, string> }));
});
process.on('disconnect', () => process.exit(0));
