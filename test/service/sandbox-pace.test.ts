import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sandboxJobs } from '../../functions/simulator/sandbox-jobs.ts';
import { moods } from '../../infra/scenes/faults-and-problems.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

/** The jobs whose end takes some time, and how long docs/sandbox.md says that it takes. */
const promises = Object.entries(sandboxJobs).flatMap(([name, job]) =>
  'closedAfter' in job ? [{ name, least: job.closedAfter[0], most: job.closedAfter[1] }] : [],
);
/** A machine that is busy answers later. What is looked for is a look too many: that is 10 s. */
const SLACK_SECONDS = 4;

describe('The time that a sandbox job takes, as docs/sandbox.md says', () => {
  let run: TestRun;
  const seconds = new Map<string, Promise<number>>();
  beforeAll(async () => {
    run = await startTestRun({ wakeUps: 'delivered', containersPerFunction: 4 });
    // All at once: they wait for Plangrep, not for each other.
    for (const { name } of promises) seconds.set(name, play(name, `job_sandbox_${name}_pace`));
    await run.addJob('late answers', 'job_late');
    run.simulator.faults.add({ ...moods.slow.plangrep, jobId: 'job_late' });
    seconds.set('late answers', play('late answers', 'job_late'));
  });
  afterAll(() => run.close());

  /** Registers and cancels a job, and waits for its end. @returns seconds from the request to the end */
  async function play(externalId: string, jobId: string): Promise<number> {
    await run.call('acme', `PUT /v1/jobs/${jobId}`, { externalId });
    await run.call('acme', 'POST /v1/cancellations', { externalId });
    for (;;) {
      const { body } = await run.call('acme', `GET /v1/cancellations/${jobId}`);
      if (body['state'] === 'closed') {
        return (Date.parse(String(body['closedAt'])) - Date.parse(String(body['requestedAt']))) / 1000;
      }
      await sleep(500);
    }
  }

  test('is there for every job that is not closed at once', () => {
    const later = Object.entries(sandboxJobs).filter(([, { caller }]) => caller.startsWith('202'));

    expect(promises.map(({ name }) => name)).toEqual(later.map(([name]) => name));
  });

  test.each(promises)('job_sandbox_$name: $least to $most s', async ({ name, least, most }) => {
    const taken = await seconds.get(name);

    expect(taken).toBeGreaterThanOrEqual(least - 0.1);
    expect(taken).toBeLessThan(most + SLACK_SECONDS);
  });

  test('and while Plangrep answers 8 s late, the service waits 5 s and finds the job cancelled 2 s later', async () => {
    expect(moods.slow.what).toMatch(/after 8 s; the service waits 5 s.* 2 s later, finds the job cancelled/);
    expect(await seconds.get('late answers')).toBeGreaterThanOrEqual(7);
    expect(await seconds.get('late answers')).toBeLessThan(8 + SLACK_SECONDS);
  });
});
