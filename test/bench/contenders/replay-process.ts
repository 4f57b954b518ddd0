/**
 * Answers as the local run's parts answered, over TLS. `replay.ts` starts it as a separate process. A request that is
 * repeated gets the recorded answers in their order, and the last one from then on.
 */
import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { listenOnLoopback } from '../../../infra/local/aws/loopback.ts';
import { type Head, type Service, services } from '../../proof/crash/tap.ts';
import { createDelayLine, listenFarFrom, monotonicMs } from '../reach/delay-line.ts';
import type { Exchange, FromReplay, RoundTrips, ToReplay } from './replay.ts';

/** Headers that are about the connection of the recorded answer. */
const framing = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date']);

const delay = createDelayLine();
let roundTripMs: RoundTrips = { dynamodb: 0, secretsmanager: 0, sqs: 0, eventbridge: 0, plangrep: 0 };
let answers = new Map<string, Exchange['answer'][]>();

process.on('message', (message: ToReplay) => {
  if (message.kind === 'play') {
    play(message.exchanges);
    send({ kind: 'ready' });
    return;
  }
  if (message.kind === 'distance') {
    roundTripMs = message.roundTripMs;
    send({ kind: 'ready' });
    return;
  }
  const listening = services.map(async (service) => [service, await listen(service, message)] as const);
  void Promise.all(listening).then((entries) =>
    send({ kind: 'listening', urls: Object.fromEntries(entries) as Record<Service, string> }),
  );
});
process.on('disconnect', () => process.exit(0));

function send(message: FromReplay): void {
  process.send?.(message);
}

function play(exchanges: readonly Exchange[]): void {
  answers = new Map();
  for (const { service, head, body, answer } of exchanges) {
    const key = `${service} ${keyOf(service, head, body)}`;
    const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !framing.has(name)));
    answers.set(key, [...(answers.get(key) ?? []), { ...answer, headers }]);
  }
}

async function listen(
  service: Service,
  { certificate, isDistant }: Extract<ToReplay, { kind: 'listen' }>,
): Promise<string> {
  const server = createServer({ ...certificate, keepAlive: true, keepAliveTimeout: 600_000 }, (request, response) => {
    if (isDistant && service === 'plangrep' && request.method === 'POST') send({ kind: 'arrived', at: monotonicMs() });
    const respond = async (): Promise<void> => {
      const sent = await buffer(request);
      const { method = '', url = '', headers } = request;
      const key = `${service} ${keyOf(service, { method, url, headers }, sent)}`;
      const recorded = answers.get(key) ?? [];
      const answer = recorded.length > 1 ? recorded.shift() : recorded[0];
      if (answer === undefined) {
        send({ kind: 'unknown', key });
        response.writeHead(500).end();
        return;
      }
      response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length }).end(answer.body);
    };
    respond().catch(() => response.destroy()); // The process that asked was killed.
  });
  const port = await listenOnLoopback(server);
  const far = (): Promise<number> => listenFarFrom(port, delay, () => roundTripMs[service] / 2);
  return `https://localhost:${isDistant ? await far() : port}`;
}

/** Two requests with the same key get the same answer. The answer to a put does not depend on what was put. */
function keyOf(service: Service, { method, url, headers }: Head, body: Uint8Array): string {
  if (service === 'plangrep') return `${method} ${url}`;
  const target = String(headers['x-amz-target']);
  if (service === 'secretsmanager') return target;
  const { TableName, IndexName, Key, ExpressionAttributeValues } = JSON.parse(Buffer.from(body).toString());
  if (/\.(Put|Update)Item$/.test(target)) return `${target} ${TableName}`;
  const key = JSON.stringify([target, TableName, IndexName, Key, ExpressionAttributeValues]);
  return key.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time');
}
