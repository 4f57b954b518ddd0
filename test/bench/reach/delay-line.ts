import { connect, createServer, type Socket } from 'node:net';
import { listenOnLoopback } from '../../../infra/local/aws/loopback.ts';

/** The same clock in every process of this machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Acts so many milliseconds from now, to a tenth of one: a timer alone is up to one late. */
export type DelayLine = (ms: number, act: () => void) => void;

/** The last milliseconds of a wait are spent in turns of the event loop. */
const TURNING_MS = 2;

export function createDelayLine(): DelayLine {
  const waiting: { readonly at: number; readonly act: () => void }[] = [];

  function run(): void {
    while (waiting[0] !== undefined && waiting[0].at <= monotonicMs()) waiting.shift()?.act();
    if (waiting[0] === undefined) return;
    const left = waiting[0].at - monotonicMs();
    if (left > TURNING_MS) setTimeout(run, left - TURNING_MS);
    else setImmediate(run);
  }

  return (ms, act) => {
    const at = monotonicMs() + ms;
    const before = waiting.findIndex((other) => other.at > at);
    waiting.splice(before === -1 ? waiting.length : before, 0, { at, act });
    // Whatever comes before it is handled by a run that is scheduled already.
    if (waiting[0]?.act === act) run();
  };
}

/** A TCP proxy on loopback before `port`, through which bytes take a while. It keeps their order. @returns its port */
export function listenFarFrom(port: number, delay: DelayLine, oneWayMs: () => number): Promise<number> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    relay(near, far);
    relay(far, near);
  });
  return listenOnLoopback(server);

  function relay(from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => delay(oneWayMs(), () => to.write(chunk)));
    from.on('end', () => delay(oneWayMs(), () => to.end()));
    from.on('error', () => to.destroy());
  }
}
