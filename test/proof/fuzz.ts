import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { seededPartners } from '../../infra/local/seeds.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';
import type { HttpRequest } from './crash/invocations.ts';
import { type CallbackFigures, fuzzCallbacks } from './fuzz/fuzz-callbacks.ts';
import { type EventFigures, fuzzEvents, fuzzHttp, judgeAnswer, type Statuses } from './fuzz/fuzz-doors.ts';
import { fuzzUpstream, type UpstreamFigures } from './fuzz/fuzz-upstream.ts';
import { type HttpDoor, httpDoors, httpInputs, world } from './fuzz/http-inputs.ts';
import { Random } from './simulation/random.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Inputs at each door, through the production handlers on memory ports. */
  readonly inputs: number;
  /** Inputs over HTTP through the gateway and the bundles. */
  readonly overHttp: number;
  /** Answers of Plangrep's, through the production client. */
  readonly answers: number;
  readonly onProgress?: (what: string) => void;
}

export interface FuzzOutcome {
  readonly figures: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  readonly table: string;
}

/** So many are worth reading; a broken rule shows in every second input. */
const STOP_AFTER = 20;

/** Fuzz: seeded mutations of valid inputs and answers. A violation names the seed that plays its one input again. */
export const runFuzz = async ({ seed, inputs, overHttp, answers, onProgress }: FuzzOptions): Promise<FuzzOutcome> => {
  const violations: string[] = [];
  const rows: string[] = [];
  const row = (door: string, count: number, ends: Iterable<readonly [string | number, number]>): void => {
    const sorted = [...ends].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    const words = sorted.map(([end, times]) => `${end}: ${times}`).join(', ');
    rows.push(`    ${door.padEnd(28)} ${String(count).padStart(6)}  ${words}`);
  };

  for (const door of httpDoors) {
    onProgress?.(door);
    const statuses: Statuses = new Map();
    for (let n = 0; n < inputs && violations.length < STOP_AFTER; n += 1) {
      violations.push(...(await fuzzHttp(door, seed + n, statuses)));
    }
    row(door, inputs, statuses);
  }
  onProgress?.('events');
  const events: EventFigures = { done: 0, again: 0 };
  for (let n = 0; n < inputs && violations.length < STOP_AFTER; n += 1) {
    violations.push(...(await fuzzEvents(seed + n, events)));
  }
  row('events', inputs, Object.entries(events));

  onProgress?.('callbacks');
  const callbacks: CallbackFigures = { delivered: 0, nothing: 0, unreadable: 0 };
  for (let n = 0; n < inputs && violations.length < STOP_AFTER; n += 1) {
    violations.push(...(await fuzzCallbacks(seed + n, callbacks)));
  }
  row('callbacks', inputs, Object.entries(callbacks));

  onProgress?.('the bundles over HTTP');
  const statuses: Statuses = new Map();
  violations.push(...(await fuzzGateway(overHttp, seed, statuses)));
  row('the bundles over HTTP', overHttp, statuses);

  onProgress?.('Plangrep’s answers');
  const upstream: UpstreamFigures = { answers: 0, results: new Map() };
  violations.push(...(await fuzzUpstream(answers, seed, upstream)));
  row('Plangrep’s answers', upstream.answers, upstream.results);

  const figures = { inputs: inputs * (httpDoors.length + 2), overHttp, answers: upstream.answers };
  return { figures, violations, table: rows.join('\n') };
};

const IN_FLIGHT = 8;

/** The same inputs through the local gateway and the bundles, as far as an HTTP client can be made to send them. */
export const fuzzGateway = async (count: number, seed: number, statuses: Statuses): Promise<string[]> => {
  const run = await startTestRun();
  try {
    const { own, ended, twins, foreign } = world;
    const projectId = seededPartners.find(({ partnerId }) => partnerId === 'globex')?.projectId;
    run.simulator.addJob({ id: foreign.jobId, externalId: foreign.externalId, projectId });
    await run.call('globex', `PUT /v1/jobs/${foreign.jobId}`, { externalId: foreign.externalId });
    await run.addJob(own.externalId, own.jobId);
    await run.addJob(ended.externalId, ended.jobId, { status: 'completed' });
    for (const jobId of twins.jobIds) await run.addJob(twins.externalId, jobId);
    const wrong: string[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let n = next++; n < count; n = next++) {
        const door = httpDoors[n % httpDoors.length] ?? 'POST cancellations';
        wrong.push(...(await play(run, door, seed + n, statuses)));
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
    return wrong;
  } finally {
    await run.close();
  }
};

const play = async (run: TestRun, door: HttpDoor, seed: number, statuses: Statuses): Promise<string[]> => {
  const request = httpInputs[door](new Random(seed));
  try {
    const { status, contentType, body } = await send(run, request);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    // A path that is another route's is answered as that route answers.
    const found = status < 400 && door === 'GET by job' && request.path.endsWith('/') ? 'GET by externalId' : door;
    return judgeAnswer(found, status, contentType, body).map((what) => `gateway, ${door}, --seed ${seed}: ${what}`);
  } catch (error) {
    return [`gateway, ${door}, --seed ${seed}: ${String(error)}`];
  }
};

const isSendable = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value);

const send = (run: TestRun, { method, path, query = {}, headers = {}, body, isBase64Encoded = false }: HttpRequest) =>
  new Promise<{ status: number; contentType: string; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(run.baseUrl);
    const pairs = Object.entries(query).flatMap(([name, values]) =>
      values.map((value) => `${encode(name)}=${encode(value)}`),
    );
    const target = path.replace(/[^\x21-\x7e]/g, encode).replaceAll('#', '%23');
    const sendable = Object.entries(headers)
      .map(([name, values]): [string, string[]] => [name, values.filter(isSendable)])
      .filter(([, values]) => values.length > 0);
    const authorization = `Bearer ${run.partners.find(({ partnerId }) => partnerId === 'acme')?.token}`;
    const outgoing = httpRequest({
      hostname,
      port,
      method,
      path: pairs.length > 0 ? `${target}?${pairs.join('&')}` : target,
      headers: { ...Object.fromEntries(sendable), Authorization: authorization },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const read = (content: string): void =>
        resolve({
          status: response.statusCode ?? 0,
          contentType: String(response.headers['content-type']),
          body: content,
        });
      text(response).then(read, reject);
    });
    outgoing.end(isBase64Encoded ? Buffer.from(body ?? '', 'base64') : body);
  });

const encode = (value: string): string => encodeURIComponent(value.toWellFormed());
