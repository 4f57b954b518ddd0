import { startTestRun } from '../support/local-run.ts';
import { Random } from './simulation/random.ts';

export interface StormOptions {
  readonly requests: number;
  readonly jobs: number;
  readonly seed: number;
  /** Requests under way at the same time. @default 100 */
  readonly inFlight?: number;
  readonly onProgress?: (done: number) => void;
}

export interface StormOutcome {
  readonly figures: {
    readonly requests: number;
    readonly jobs: number;
    readonly cancelCalls: number;
    readonly requested: number;
    readonly closed: number;
    readonly joined: number;
    readonly answers200: number;
    readonly answers202: number;
    readonly perSecond: number;
  };
  readonly violations: readonly string[];
}

/**
 * Storm: duplicates of the same few cancels, all at once, through the whole local run over HTTP: every job must be
 * cancelled by one call, and every answer must say so. One request in five carries an `Idempotency-Key`: its job's
 * own, or one that no other request uses.
 */
export const runStorm = async (options: StormOptions): Promise<StormOutcome> => {
  const { requests, jobs, seed, inFlight = 100, onProgress } = options;
  const random = new Random(seed);
  const run = await startTestRun({ containersPerFunction: 4 });
  const violations: string[] = [];
  const statuses = new Map<number, number>();
  try {
    const jobIdOf = (n: number): string => `job_storm_${n}`;
    for (let n = 0; n < jobs; n += 1) await run.addJob(`storm ${n} ü✏️`, jobIdOf(n));
    const began = performance.now();
    let sent = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      for (let n = sent++; n < requests; n = sent++) {
        // Every job has its share; ten for the same one come in a row, so that they meet.
        const job = Math.floor(n / 10) % jobs;
        const key = random.chance(0.2) ? random.pick([`storm ${job}`, `storm ${job}, request ${n}`]) : undefined;
        const headers: Record<string, string> = key === undefined ? {} : { 'Idempotency-Key': key };
        const body = { externalId: `storm ${job} ü✏️` };
        const answered = await run.call('acme', 'POST /v1/cancellations', body, headers);
        statuses.set(answered.status, (statuses.get(answered.status) ?? 0) + 1);
        const named = answered.body['jobId'];
        if (![200, 202].includes(answered.status) || named !== jobIdOf(job)) {
          violations.push(`request ${n} for ${jobIdOf(job)}: ${answered.status} ${JSON.stringify(answered.body)}`);
        }
        done += 1;
        if (done % 1_000 === 0) onProgress?.(done);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, work));
    const seconds = (performance.now() - began) / 1000;

    const records = (await run.items('CancellationLog')).filter(({ jobId }) => String(jobId).startsWith('job_storm_'));
    const count = (type: string): number => records.filter((record) => record['type'] === type).length;
    const cancelCalls = run.simulator.requests.count('cancel');
    const expect = (what: string, is: number, wanted: number): void =>
      void (is === wanted || violations.push(`${is} ${what}, not ${wanted}`));
    expect('cancel calls', cancelCalls, jobs);
    for (let n = 0; n < jobs; n += 1) {
      expect(`cancel calls for ${jobIdOf(n)}`, run.simulator.requests.count('cancel', jobIdOf(n)), 1);
    }
    expect('requested', count('requested'), jobs);
    expect('closing events', count('closed'), jobs);
    expect('joined', count('joined'), requests - jobs);
    const figures = {
      requests,
      jobs,
      cancelCalls,
      requested: count('requested'),
      closed: count('closed'),
      joined: count('joined'),
      answers200: statuses.get(200) ?? 0,
      answers202: statuses.get(202) ?? 0,
      perSecond: Math.round(requests / seconds),
    };
    return { figures, violations };
  } finally {
    await run.close();
  }
};
