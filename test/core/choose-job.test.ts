import { beforeEach, describe, expect, test } from 'vitest';
import { given, type Scene } from '../support/given.ts';
import { broken } from '../support/memory-ports.ts';
import { acme, documentedJob, jobId, order7890 } from '../support/names.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await given();
});

const older = jobId('job_older');
const newer = jobId('job_newer');

describe('several jobs with one externalId', () => {
  beforeEach(async () => {
    await scene.register({ jobId: older, msAgo: 120_000 });
    await scene.register({ jobId: newer, msAgo: 1_000 });
  });

  test('cancels the one that is named', async () => {
    expect(await scene.cancel({ jobId: older })).toMatchObject({ state: { jobId: older } });
    expect(scene.calls()).toEqual([`cancel ${older}`]);
  });

  test('does not guess between two that are alive', async () => {
    scene.onlyTheseEnded(older);
    const end = await scene.cancel();

    expect(end).toMatchObject({
      kind: 'ambiguous_external_id',
      candidates: [
        { jobId: newer, jobStatus: 'processing' },
        { jobId: documentedJob, jobStatus: 'processing' },
      ],
    });
    expect(scene.calls().filter((call) => call.startsWith('cancel'))).toEqual([]);
    expect(scene.ports.log.refused).toMatchObject([{ why: 'ambiguous_external_id' }]);
  });

  test('takes the only one that is alive, and never reads the others again', async () => {
    scene.onlyTheseEnded(older, documentedJob);

    expect(await scene.cancel()).toMatchObject({ state: { jobId: newer } });

    scene.ports.plangrep.calls.length = 0;
    await scene.cancel();

    expect(scene.calls()).toEqual([`read ${newer}`]);
  });

  test('ignores a job that Plangrep does not know', async () => {
    scene.ports.plangrep.onRead = (id) =>
      id === newer ? { kind: 'job', job: { id, status: 'uploading' } } : { kind: 'not_found' };

    expect(await scene.cancel()).toMatchObject({ state: { jobId: newer } });
  });

  test('takes the newest when all have ended, and does not send a cancel', async () => {
    scene.onlyTheseEnded(older, documentedJob, newer);

    expect(await scene.cancel()).toMatchObject({ state: { jobId: newer, step: { outcome: 'too_late' } } });
    expect(scene.calls().filter((call) => call.startsWith('cancel'))).toEqual([]);
  });

  test('makes no decision while one of them cannot be read', async () => {
    scene.ports.plangrep.onRead = (id) =>
      id === older ? { kind: 'unknown', why: 'timeout' } : { kind: 'job', job: { id, status: 'completed' } };

    expect(await scene.cancel()).toEqual({ kind: 'unresolved' });
    expect(scene.ports.log.streams.size).toBe(0);
  });

  test('cancels even when it cannot remember which have ended', async () => {
    scene.onlyTheseEnded(older, documentedJob);
    scene.ports.directory.before = (call) => {
      if (call === 'rememberTerminal') throw broken('job-directory');
    };

    expect(await scene.cancel()).toMatchObject({ state: { jobId: newer } });
    expect(scene.codes()).toContain('DEPENDENCY_UNAVAILABLE');
  });

  test('does not hide a bug in remembering', async () => {
    scene.onlyTheseEnded(older, documentedJob);
    scene.ports.directory.before = (call) => {
      if (call === 'rememberTerminal') throw new TypeError('a bug');
    };

    await expect(scene.cancel()).rejects.toThrow('a bug');
  });

  test('stops reading at the second live one, for any number of jobs', async () => {
    for (let n = 0; n < 200; n++) await scene.register({ jobId: jobId(`job_${n}`), msAgo: -n });
    await scene.cancel();

    expect(scene.calls()).toHaveLength(5);
  });

  test('reads a long history of ended ones to its end', async () => {
    for (let n = 0; n < 20; n++) await scene.register({ jobId: jobId(`job_${n}`), msAgo: -n });
    scene.onlyTheseEnded(...Array.from({ length: 20 }, (_, n) => `job_${n}`), older, newer);

    expect(await scene.cancel()).toMatchObject({ state: { jobId: documentedJob } });
  });
});

describe('a job known to have ended', () => {
  test('is read, not cancelled', async () => {
    await scene.ports.directory.rememberTerminal(acme, order7890, documentedJob, 'completed');
    scene.onlyTheseEnded(documentedJob);

    expect(await scene.cancel()).toMatchObject({ state: { step: { outcome: 'too_late' } } });
    expect(scene.calls()).toEqual([`read ${documentedJob}`]);
  });
});
