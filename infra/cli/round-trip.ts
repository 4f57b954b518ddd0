import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { parsePlangrepOrigin, type PlangrepOrigin } from '../../functions/adapters/plangrep/plangrep-origin.ts';
import { CannotDo, readWholeNumber, runScript } from './command.ts';
import { paint, table } from './terminal.ts';

/** `npm run round-trip`: how far Plangrep is from here, to choose the region by. It has no key, and sends one GET. */
const command = {
  name: 'round-trip',
  call: 'npm run round-trip --',
  summary: `Measures the round trip to Plangrep from this machine, by new connections, and one GET without a key. Run it in each region
that you may choose, for example in AWS CloudShell.`,
  options: {
    url: { hint: 'URL', what: "Plangrep's origin (https, or http on this machine). Default: https://plangrep.com" },
    times: { hint: 'N', what: 'how many connections, one after the other. Default: 10' },
    json: { what: 'one JSON document instead of text' },
  },
  exitCodes: { 0: 'measured', 1: 'no connection, or no HTTP answer', 2: 'wrong usage' },
  wrongUsage: 2,
} as const;

const TIME_LIMIT_MS = 5_000;

/** Milliseconds of one connection. */
interface Steps {
  readonly name: number;
  readonly tcp: number;
  /** Undefined over plain http. */
  readonly tls: number | undefined;
}

interface Answered {
  readonly status: number;
  /** Milliseconds from the request to the first byte of the answer: a round trip, and Plangrep's work. */
  readonly ms: number;
}

await runScript(command, async ({ url = 'https://plangrep.com', times = '10', json }) => {
  const origin = readOrigin(url);
  const count = readWholeNumber('--times', times, 1);
  const steps: Steps[] = [];
  let answered: Answered | undefined;
  while (steps.length < count) {
    const { socket, ...taken } = await open(origin);
    steps.push(taken);
    if (steps.length === count) answered = await get(socket, origin);
    socket.destroy();
  }
  process.stdout.write(json ? `${JSON.stringify({ url, steps, answered })}\n` : describe(url, steps, answered));
  return 0;
});

function readOrigin(url: string): PlangrepOrigin {
  try {
    return parsePlangrepOrigin(url);
  } catch (cause) {
    const rule = 'an origin without a path (https://host), over https, or over http on loopback';
    throw new CannotDo(2, `--url must be ${rule}.`, { cause });
  }
}

/** @throws CannotDo when a step fails or takes longer than 5 s */
async function open({ protocol, hostname, port }: PlangrepOrigin): Promise<Steps & { readonly socket: Socket }> {
  const began = performance.now();
  const { address } = await attempt(`${hostname} was not found`, () => lookup(hostname));
  const named = performance.now();
  const tcp = connectTcp({ host: address, port });
  await attempt(`no connection to ${hostname}`, () => until(tcp, 'connect'));
  const connected = performance.now();
  const steps = { name: named - began, tcp: connected - named };
  if (protocol === 'http:') return { ...steps, tls: undefined, socket: tcp };
  const servername = isIP(hostname) === 0 ? hostname : '';
  const socket: TLSSocket = connectTls({ socket: tcp, host: hostname, servername });
  await attempt(`no TLS connection to ${hostname}`, () => until(socket, 'secureConnect'));
  return { ...steps, tls: performance.now() - connected, socket };
}

/** One GET that names no job and has no key: whatever the status, the first line of the answer is enough. */
async function get(socket: Socket, { hostname }: PlangrepOrigin): Promise<Answered> {
  const began = performance.now();
  socket.write(`GET /api/open/v1/jobs HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  const answer = await attempt(`no answer from ${hostname}`, () => until(socket, 'data'));
  const ms = performance.now() - began;
  const [, status] = /^HTTP\/1\.[01] (\d{3}) /.exec(String(answer)) ?? [];
  if (status === undefined) throw new CannotDo(1, `${hostname} did not answer in HTTP.`);
  return { status: Number(status), ms };
}

/** The first event of that name. @throws the socket's error, or one when it closes or takes too long */
function until(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(TIME_LIMIT_MS, () => socket.destroy(new Error(`nothing within ${TIME_LIMIT_MS / 1000} s`)));
    socket.once(event, resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it was closed')));
  });
}

async function attempt<Value>(failure: string, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const why = 'code' in cause ? String(cause.code) : cause.message;
    throw new CannotDo(1, `Not measured: ${failure} (${why}).`, { cause });
  }
}

function describe(url: string, steps: readonly Steps[], answered: Answered | undefined): string {
  const row = (what: string, figures: readonly (number | undefined)[]): string[] => {
    const sorted = figures.filter((ms) => ms !== undefined).toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)];
    return middle === undefined ? [] : [what, ...[middle, sorted[0], sorted.at(-1)].map(shown)];
  };
  const tcp = steps.map((step) => step.tcp);
  const rows = [
    row(
      'name',
      steps.map(({ name }) => name),
    ),
    row('TCP handshake: a round trip', tcp),
    row(
      'TLS handshake',
      steps.map(({ tls }) => tls),
    ),
    row(`answer to a GET: ${answered?.status}`, [answered?.ms]),
  ].filter((cells) => cells.length > 0);
  const [, roundTrip = ''] = row('', tcp);
  return [
    `${paint('bold', url)}, ${steps.length} connections, one after the other`,
    '',
    ...table(['', 'median', 'fastest', 'slowest'], rows),
    '',
    `A cancel that is on record reaches Plangrep half of ${roundTrip} later, over a connection that is open.`,
    '',
  ].join('\n');
}

function shown(ms: number | undefined): string {
  return `${ms?.toFixed(1)} ms`;
}
