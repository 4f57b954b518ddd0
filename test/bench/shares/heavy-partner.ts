import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A partner that sends at a fixed rate, however fast it is answered, in a separate process: `fair-shares.ts` starts it.
 * It sends while it is asked to, and then tells how its requests were answered.
 */
export interface HeavyOrder {
  readonly url: string;
  readonly token: string;
  readonly requestsPerSecond: number;
  /** It asks to cancel these, one after the other, over and over. */
  readonly externalIds: readonly string[];
}
export type ToHeavy = { readonly kind: 'send'; readonly order: HeavyOrder } | { readonly kind: 'stop' };
/** How many answers there were of each status; 0 for requests that got none. */
export interface HeavyReport {
  readonly statuses: Readonly<Record<number, number>>;
  readonly seconds: number;
}

const TICK_MS = 10;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
let stop = new AbortController();
let sent = 0;

process.on('message', (message: ToHeavy) => {
  if (message.kind === 'send') void send(message.order).then((report) => process.send?.(report));
  else stop.abort();
});

async function send(order: HeavyOrder): Promise<HeavyReport> {
  const statuses: Record<number, number> = {};
  const underWay = new Set<Promise<void>>();
  const began = performance.now();
  stop = new AbortController();
  const { signal } = stop;
  for (let due = 0; !signal.aborted; await sleep(TICK_MS)) {
    const until = ((performance.now() - began) / 1000) * order.requestsPerSecond;
    for (; due < until; due += 1) {
      const one = cancel(order).then((status) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
      });
      underWay.add(one);
      void one.finally(() => underWay.delete(one));
    }
  }
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(underWay);
  return { statuses, seconds };
}

function cancel({ url, token, externalIds }: HeavyOrder): Promise<number> {
  const body = JSON.stringify({ externalId: externalIds[sent++ % externalIds.length] });
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  return new Promise((resolve) => {
    const call = request(`${url}/v1/cancellations`, { method: 'POST', headers, agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    call.on('error', () => resolve(0));
    call.end(body);
  });
}
