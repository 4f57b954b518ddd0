import { gzipSync } from 'node:zlib';
import { fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { hashEvent, sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { parseEvent } from '../../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { attemptCancel } from '../../../functions/core/use-cases/attempt.ts';
import { exampleJob } from '../../../functions/simulator/plangrep-jobs.ts';
import { acme, jobId, retention } from '../../support/names.ts';
import { clientOf, keyOf } from '../../support/plangrep-calls.ts';
import { startRawServer } from '../../support/raw-server.ts';
import { Random } from '../simulation/random.ts';
import { mutateBytes, mutateText, nastyValue } from './nasties.ts';

const IN_FLIGHT = 8;
const CALL_MS = 3_000;

export interface UpstreamFigures {
  answers: number;
  readonly results: Map<string, number>;
}

/**
 * Answers calls of the real Plangrep client with random bytes, and takes what it makes of them to the event that would
 * go on record: nothing throws, nothing is called cancelled unless a 2xx of that job says so, and every event can be
 * stored and read back as it was.
 */
export const fuzzUpstream = async (count: number, seed: number, figures: UpstreamFigures): Promise<string[]> => {
  const wrong: string[] = [];
  /** What was said to whom: by job, in order. */
  const said = new Map<string, (string | undefined)[]>();
  const server = await startRawServer((socket) => {
    socket.once('data', (chunk: Buffer) => {
      const id = /\/jobs\/([A-Za-z0-9_-]+)/.exec(chunk.toString('latin1'))?.[1] ?? '';
      const before = said.get(id) ?? [];
      const own = Number(id.split('_').at(-1));
      const { bytes, says } = upstreamAnswer(new Random(own * 31 + before.length), id);
      said.set(id, [...before, says]);
      figures.answers += 1;
      socket.end(bytes);
    });
  });
  const plangrep = clientOf(`http://127.0.0.1:${server.port}`, keyOf('pgk_live_fuzz0key'));

  let next = 0;
  const work = async (): Promise<void> => {
    while (figures.answers < count) {
      const own = seed + next++;
      const id = jobId(`job_fuzz_${own}`);
      const where = `upstream --seed ${own}`;
      try {
        const untilMs = Date.now() + CALL_MS;
        const { body } = await attemptCancel(plangrep, {
          jobId: id,
          attempt: 1,
          firstCall: own % 2 === 0 ? 'read' : 'cancel',
          untilMs,
        });
        const result = body.type === 'closed' ? body.outcome : body.result;
        figures.results.set(result, (figures.results.get(result) ?? 0) + 1);
        const words = said.get(id) ?? [];
        if (result === 'cancelled' && words.at(-1) !== 'cancelled')
          wrong.push(`${where}: cancelled, though told ${words.join(', ')}`);
        const { retryAfterMs } = body.type === 'closed' ? {} : body;
        if (retryAfterMs !== undefined && !(retryAfterMs >= 1_000 && retryAfterMs <= 900_000)) {
          wrong.push(`${where}: wait ${retryAfterMs} ms`);
        }
        wrong.push(...judgeEvent(id, body).map((what) => `${where}: ${what}`));
      } catch (error) {
        wrong.push(`${where}: threw ${error instanceof Error ? error.stack : String(error)}`);
      }
      said.delete(id);
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  } finally {
    await server.close();
  }
  return wrong;
};

type Body = Awaited<ReturnType<typeof attemptCancel>>['body'];

/** The event as DynamoDB would keep it: it must come back the same, or its chain would not hold. */
const judgeEvent = (id: ReturnType<typeof jobId>, body: Body): string[] => {
  const at = toTimestamp(Date.now());
  const event = sealEvent({ partnerId: acme, jobId: id }, undefined, body, {
    eventId: 'e-1',
    at,
    keptDays: retention.events,
  });
  const read = parseEvent(fromItem(toItem({ ...event })));
  if (read === undefined) return [`an event that cannot be read back: ${JSON.stringify(event)}`];
  return hashEvent(read) === event.hash ? [] : [`an event that comes back as another one: ${JSON.stringify(event)}`];
};

/** An answer of Plangrep's, byte by byte, and what an honest reader may take from it. */
export interface UpstreamAnswer {
  readonly bytes: Buffer;
  /** The answer says beyond doubt that this very job has this status; nothing when it does not. */
  readonly says: string | undefined;
}

const statuses = [
  200, 200, 200, 200, 201, 202, 204, 206, 299, 301, 302, 307, 400, 401, 403, 404, 408, 409, 410, 422, 425, 429,
] as const;
const rareStatuses = [
  100, 101, 103, 203, 226, 300, 304, 418, 451, 499, 500, 501, 502, 503, 504, 520, 599, 600, 999,
] as const;
const retryAfters = [
  '0',
  '1',
  '-1',
  '40',
  '99999999999',
  'soon',
  '',
  '1e9',
  'Wed, 21 Oct 2065 07:28:00 GMT',
  'x'.repeat(200),
] as const;
const jobStatuses = [
  'cancelled',
  'cancelled',
  'processing',
  'completed',
  'failed',
  'expired',
  'canceled',
  'CANCELLED',
  ' cancelled',
  'on_hold',
] as const;

/** The fields of the documented example, some of them changed, as JSON text. */
const jobText = (random: Random, id: string): string => {
  const status = random.pick(jobStatuses);
  const job: Record<string, unknown> = { ...exampleJob, id, status };
  const pairs = Object.entries(job).map(([key, value]): [string, string] => [key, JSON.stringify(value)]);
  for (let n = random.pick([0, 0, 1, 2, 4]); n > 0; n -= 1) {
    const pair = pairs[random.between(0, pairs.length - 1)];
    if (pair === undefined) continue;
    pair[1] = nastyValue(random);
  }
  if (random.chance(0.1))
    pairs.push(['id', `"${random.pick(['job_other', `${id}x`, `${id} `, id.toUpperCase(), '../x'])}"`]);
  if (random.chance(0.1)) pairs.push(['status', '"cancelled"']);
  if (random.chance(0.1)) pairs.push(['billing', `{"creditsDebited":${nastyValue(random)}}`]);
  if (random.chance(0.1)) pairs.push(['pageCount', random.pick(['1e300', '-5', '0.1', '9007199254740993', '1e999'])]);
  return `{${pairs.map(([key, json]) => `"${key}":${json}`).join(',')}}`;
};

const bodyOf = (random: Random, id: string): Buffer => {
  const job = jobText(random, id);
  const whole = random.pick([
    `{"job":${job}}`,
    `{"job":${job}}`,
    `{"job":${job},"idempotent":true}`,
    `{"job":${job}}`,
    job,
  ]);
  switch (random.between(0, 13)) {
    case 0:
      return Buffer.from(mutateText(random, whole));
    case 1:
      return mutateBytes(random, Buffer.from(whole));
    case 2:
      return Buffer.from('<html><body>cancelled</body></html>');
    case 3:
      return Buffer.from(`{"job":[${job}]}`);
    case 4:
      return Buffer.from(
        random.pick(['{"code":"job_already_terminal"}', '{"error":{"code":"x y"}}', '{"code":{}}', '']),
      );
    case 5:
      return Buffer.from(`{"jobs":[${job}]}`);
    case 6:
      return random.chance(0.2) ? Buffer.from(`${whole}${' '.repeat(300_000)}`) : Buffer.from(whole);
    default:
      return Buffer.from(whole);
  }
};

/** A random answer to a call for a job. Its framing may lie too. */
export const upstreamAnswer = (random: Random, id: string): UpstreamAnswer => {
  const usual = random.chance(0.5) ? 200 : random.pick(statuses);
  const status = random.chance(0.9) ? usual : random.pick(rareStatuses);
  const plain = bodyOf(random, id);
  const isZipped = random.chance(0.04);
  const body = isZipped ? gzipSync(plain) : plain;
  const isCut = random.chance(0.06) && body.length > 1;
  const sent = isCut ? body.subarray(0, random.between(0, body.length - 1)) : body;
  const headers = [
    `Content-Length: ${random.chance(0.02) ? random.pick(['-1', '1e3', 'x', '9'.repeat(40)]) : body.length}`,
    `Content-Type: ${random.pick(['application/json', 'application/json', 'text/html', 'x'])}`,
    ...(isZipped ? ['Content-Encoding: gzip'] : []),
    ...(random.chance(0.2) ? [`Retry-After: ${random.pick(retryAfters)}`] : []),
    ...(status >= 300 && status < 400 ? ['Location: /api/open/v1/jobs/job_other'] : []),
    ...(random.chance(0.02) ? [`X-Padding: ${'x'.repeat(20_000)}`] : []),
    ...(random.chance(0.02) ? ['Set-Cookie: a=b', 'no header at all'] : []),
    'Connection: close',
  ];
  const head = random.chance(0.99) ? `HTTP/1.1 ${status} Something` : random.pick(['HTTP/9.9 200 OK', 'ICY 200', '']);
  const bytes = Buffer.concat([Buffer.from(`${head}\r\n${headers.join('\r\n')}\r\n\r\n`), sent]);
  const isHonest = status >= 200 && status < 300 && !isCut;
  return { bytes, says: isHonest ? statusIn(plain, id) : undefined };
};

/** Read here by other means than the client's: as one object, named by its own id. */
const statusIn = (body: Buffer, id: string): string | undefined => {
  try {
    const content: unknown = JSON.parse(new TextDecoder().decode(body));
    const job = Object(Object(content).job) as { id?: unknown; status?: unknown };
    return job.id === id && typeof job.status === 'string' ? job.status : undefined;
  } catch {
    return undefined;
  }
};
