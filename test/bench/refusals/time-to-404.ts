import { sandboxProject } from '../../../functions/simulator/sandbox-jobs.ts';
import { type LocalRun, startLocalRun } from '../../../infra/local/run.ts';
import { projects } from '../../../infra/scenes/stories.ts';
import { Random } from '../../proof/simulation/random.ts';
import { callAs } from '../../support/local-run.ts';
import { atMost, type BenchContext, type BenchPart, type BenchResult, markdownTable } from '../part.ts';
import { show, shuffle, type Spread, spreadOf } from '../timing.ts';

/** What acme names, and must not be able to tell apart by the time that its 404 takes. */
const kinds = ['unknown', 'foreign', 'taken'] as const;
type Kind = (typeof kinds)[number];
/** What acme sends. `unverified`: it registered the job while Plangrep did not answer. */
const doors = ['PUT', 'POST', 'POST, unverified', 'GET by externalId', 'GET by jobId'] as const;
type Door = (typeof doors)[number];

interface Names {
  readonly jobId: string;
  readonly externalId: string;
}

/** Plangrep answers after this many milliseconds, at random between the two. */
const latency = { from: 15, to: 25 };
/** DynamoDB answers from the same region in a few milliseconds. */
const tablesLatencyMs = 3;
const WARM_UP = 5;
const apart = 10;

export const timeTo404: BenchPart = {
  name: 'time-to-404',
  title: 'Time to 404: whether the time shows why a job is refused',
  run: (context) => measureTimeTo404(context, context.rounds ?? 200),
};

/** On one local run each round asks at each door for each kind of job, in an order that changes. */
export async function measureTimeTo404(
  { seed, progress }: Pick<BenchContext, 'seed' | 'progress'>,
  rounds: number,
): Promise<BenchResult> {
  const run = await startLocalRun({ reconcileEveryMs: 0, containersPerFunction: 1, tablesLatencyMs });
  const random = new Random(seed);
  try {
    progress('registering jobs');
    await arrange(run, rounds + WARM_UP);
    const asked = doors.flatMap((door) => kinds.map((kind) => ({ door, kind, ms: [] as number[] })));
    for (let round = -WARM_UP; round < rounds; round += 1) {
      progress(`round ${round + 1} of ${rounds}`);
      // One for all: what is compared has the same latency.
      const delayMs = Math.round(latency.from + random.next() * (latency.to - latency.from));
      for (const { door, kind, ms } of shuffle(asked, random)) {
        const took = await timeRequest(run, door, namesOf(kind, door, round + WARM_UP), delayMs);
        if (round >= 0) ms.push(took);
      }
    }
    return describe(asked.map(({ door, kind, ms }) => ({ door, kind, spread: spreadOf(ms) })));
  } finally {
    await run.close();
  }
}

function namesOf(kind: Kind, door: Door, n: number): Names {
  const place = `${door.replaceAll(/\W+/g, '_')}_${n}`;
  return { jobId: `job_404_${kind}_${place}`, externalId: `404 ${kind} ${place}` };
}

/** globex's jobs: one project is its own, the other is acme's too. */
async function arrange(run: LocalRun, count: number): Promise<void> {
  const { simulator } = run;
  if (simulator === undefined) throw new Error('the local run has no simulator');
  const all = doors.flatMap((door) => Array.from({ length: count }, (_, n) => ({ door, n })));
  for (const { door, n } of all) {
    for (const [kind, projectId] of [
      ['foreign', projects.globex],
      ['taken', sandboxProject],
    ] as const) {
      const { jobId, externalId } = namesOf(kind, door, n);
      simulator.addJob({ id: jobId, externalId, projectId });
      await expectStatus(run, 'globex', `PUT /v1/jobs/${jobId}`, { externalId }, 200);
    }
  }
  simulator.faults.add({ on: 'read', kind: 'status', status: 503 });
  for (const { door, n } of all.filter((one) => one.door === 'POST, unverified')) {
    for (const kind of kinds) {
      const { jobId, externalId } = namesOf(kind, door, n);
      await expectStatus(run, 'acme', `PUT /v1/jobs/${jobId}`, { externalId }, 200);
    }
  }
  simulator.faults.clear();
}

async function expectStatus(
  run: LocalRun,
  partnerId: 'acme' | 'globex',
  request: string,
  body: object | undefined,
  wanted: number,
): Promise<void> {
  const { status, text } = await callAs(run, partnerId, request, body);
  if (status !== wanted) throw new Error(`${request} was answered ${status}: ${text}`);
}

/** @returns milliseconds to the 404 */
async function timeRequest(run: LocalRun, door: Door, { jobId, externalId }: Names, delayMs: number): Promise<number> {
  run.simulator?.faults.clear();
  run.simulator?.faults.add({ on: 'any', kind: 'late', delayMs });
  const path = '/v1/cancellations';
  const request: Readonly<Record<Door, readonly [string, object?]>> = {
    PUT: [`PUT /v1/jobs/${jobId}`, { externalId }],
    POST: [`POST ${path}`, { externalId }],
    'POST, unverified': [`POST ${path}`, { externalId }],
    'GET by externalId': [`GET ${path}?externalId=${encodeURIComponent(externalId)}`],
    'GET by jobId': [`GET ${path}/${jobId}`],
  };
  const [asked, body] = request[door];
  const began = performance.now();
  await expectStatus(run, 'acme', asked, body, 404);
  return performance.now() - began;
}

function describe(
  measured: readonly { readonly door: Door; readonly kind: Kind; readonly spread: Spread }[],
): BenchResult {
  const mediansAt = (door: Door): number[] =>
    measured.filter((one) => one.door === door).map(({ spread: { median } }) => median);
  const rows = doors.map((door) => {
    const medians = mediansAt(door);
    const difference = (Math.max(...medians) / Math.min(...medians) - 1) * 100;
    return {
      what: `${door}: the slowest median over the fastest`,
      figure: `${difference.toFixed(1)} %`,
      // Reading is the same whatever is asked for, and so short that the machine's own noise may be a tenth.
      ...(!door.startsWith('GET') && { bar: atMost(Number(difference.toFixed(1)), apart, ' %') }),
    };
  });
  const cells = doors.map((door) => [
    door,
    ...measured.filter((one) => one.door === door).map(({ spread }) => show(spread, ' ms')),
  ]);
  return { rows, table: markdownTable(['door', ...kinds], cells), notes, json: { latency, measured } };
}

const notes = [
  'acme asks for a job that does not exist, for one of a project of globex, and for one that globex registered in a project of both.',
  `Plangrep answers after ${latency.from} to ${latency.to} ms, a table after ${tablesLatencyMs} ms more than its work takes; the median of each, and its middle half.`,
];
