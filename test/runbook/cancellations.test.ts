import { describe, expect, test, vi } from 'vitest';
import { plangrepSecretId } from '../../infra/local/seeds.ts';
import { givenOps } from '../support/given-ops.ts';
import { givenRunbook } from './given-runbook.ts';
import { canaries } from '../support/local-run.ts';
import { writeOldCancellation } from '../support/write-old-cancellation.ts';

const ops = givenOps();
const { service } = ops;
const follow = givenRunbook(ops, 'cancellations');

const jobFails = { on: 'any', kind: 'status', status: 404, body: '{"code":"not_found"}' } as const;

describe('an operator who follows the runbook', () => {
  test('ends an escalated cancellation by cancelling the job in Plangrep', async () => {
    const section = follow('Cancellations escalated');
    const names = await service.newJob();
    await writeOldCancellation(service, names, 20, [[19, { type: 'attempt_ended', attempt: 1, result: 'unknown' }]]);
    service.plangrepFails({ on: 'any', kind: 'status', status: 503 });
    // The first look escalates and leaves the wake-up of that event, the next one makes the attempt.
    await service.reconcile();
    await service.reconcile();

    const { stdout } = await section.first();
    const found = await section.type('npm run ops -- find <jobId> --environment prod', { ...names });
    service.run.simulator.faults.clear();
    service.run.simulator.addJob({ id: names.jobId, status: 'cancelled' });
    await service.reconcile();
    const [shown, open] = await section.over({ ...names });

    expect(stdout).toMatch(new RegExp(`CANCELLATION_ESCALATED .*jobId=${names.jobId} `));
    expect(found.stdout).toMatch(/^state +open: unknown$/m);
    expect(shown?.stdout).toMatch(/^state +closed: cancelled$/m);
    expect(open?.stdout).toContain('No cancellation is open');
  });

  test('goes back to the key before one that Plangrep refuses, or puts another', async () => {
    const section = follow('Plangrep refuses the key');
    const { externalId, jobId } = await service.newJob();
    service.run.secretsManager.put(plangrepSecretId, 'a-key-that-plangrep-does-not-know');
    service.run.simulator.setApiKey('a-key-that-is-new-at-plangrep');
    await service.cancel({ externalId });

    const { stdout } = await section.first();
    service.run.simulator.setApiKey(canaries.apiKey);
    const back = await section.type('npm run ops -- plangrep-key back --environment prod');
    service.run.simulator.setApiKey('a-key-that-is-new-at-plangrep');
    const put = await section.type(
      'npm run ops -- plangrep-key put --environment prod',
      {},
      'a-key-that-is-new-at-plangrep',
    );
    section.repaired();
    await vi.waitFor(async () => {
      await service.reconcile();
      expect(service.run.simulator.job(jobId)?.status).toBe('cancelled');
    }, 10_000);
    const [logs, open] = await section.over();

    expect(stdout).toMatch(new RegExp(`PLANGREP_KEY_REFUSED .*jobId=${jobId}`));
    expect([back.code, put.code]).toEqual([0, 0]);
    expect(logs?.stdout.trimEnd().split('\n').at(-2)).toContain('PLANGREP_KEY_FETCHED');
    expect(open?.stdout).toContain('No cancellation is open');
  });

  test('finds another organization’s key behind jobs that Plangrep does not know', async () => {
    const section = follow('Plangrep does not know our jobs');
    service.run.secretsManager.put(plangrepSecretId, canaries.apiKey);
    service.run.secretsManager.put(plangrepSecretId, 'the-key-of-another-organization');
    service.run.simulator.setApiKey('the-key-of-another-organization');
    service.plangrepFails(jobFails);
    const jobs = await Promise.all(Array.from({ length: 5 }, () => service.newJob()));
    for (const { externalId } of jobs) await service.cancel({ externalId });

    const { stdout } = await section.first();
    service.run.simulator.faults.clear();
    service.run.simulator.setApiKey(canaries.apiKey);
    const back = await section.type('npm run ops -- plangrep-key back --environment prod');
    await service.reconcile();
    const [open] = await section.over();

    expect(stdout.match(/ JOB_ABSENT /g)).toHaveLength(5);
    expect(back.code).toBe(0);
    expect(open?.stdout).toContain('No cancellation is open');
  });

  test('sees that a job which Plangrep did not know is cancelled after all when its partner asks again', async () => {
    const section = follow('Cancelled job unknown to Plangrep');
    const names = await service.newJob();
    await writeOldCancellation(service, names, 12, [
      [11, { type: 'attempt_ended', attempt: 1, result: 'not_found' }],
      [
        8,
        {
          type: 'attempt_started',
          attempt: 2,
          claimedBy: 'a',
          leaseUntil: new Date(Date.now() - 420_000).toISOString(),
        },
      ],
      [8, { type: 'attempt_ended', attempt: 2, result: 'not_found' }],
    ]);
    service.plangrepFails(jobFails);
    await service.reconcile();

    const { stdout } = await section.first();
    const found = await section.type('npm run ops -- find <jobId> --environment prod', { ...names });
    service.run.simulator.faults.clear();
    await service.cancel({ externalId: names.externalId });
    const [shown] = await section.over({ ...names });

    expect(stdout).toMatch(new RegExp(`CANCELLATION_UNKNOWN_JOB .*jobId=${names.jobId} `));
    expect(found.stdout).toMatch(/^state +closed: job_not_found$/m);
    expect(shown?.stdout).toMatch(/^state +closed: cancelled$/m);
  });

  test('puts a new key in the place of an old one', async () => {
    const section = follow("Plangrep's key is over 90 days old");
    const { externalId } = await service.newJob();
    service.run.secretsManager.put(plangrepSecretId, canaries.apiKey, Date.now() - 91 * 86_400_000);
    await restart();
    await service.cancel({ externalId });

    const { stdout } = await section.first();
    service.run.simulator.setApiKey('a-key-for-the-next-90-days');
    const put = await section.type(
      'npm run ops -- plangrep-key put --environment prod',
      {},
      'a-key-for-the-next-90-days',
    );
    section.repaired();
    await service.cancel({ externalId: (await service.newJob()).externalId });
    const [logs] = await section.over();

    expect(stdout).toContain('PLANGREP_KEY_FETCHED  ageDays=91');
    expect(put.code).toBe(0);
    expect(logs?.stdout).toContain('PLANGREP_KEY_FETCHED  ageDays=0');
  });
});

/** Ends the containers that keep Plangrep's key in memory. */
async function restart(): Promise<void> {
  for (let n = 0; n < 2; n += 1) {
    await vi.waitFor(async () =>
      expect(await service.run.lambda.invoke('request-cancellation', {}, { crashes: true })).toMatchObject({
        errorType: 'Runtime.ExitError',
      }),
    );
  }
}
