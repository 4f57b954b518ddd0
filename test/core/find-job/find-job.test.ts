import { beforeEach, describe, expect, test } from 'vitest';
import { given, type Scene } from '../../support/given.ts';
import { acme, documentedJob, externalId, globex, jobId, order7890 } from '../../support/names.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await given();
});

const older = jobId('job_older');
const newer = jobId('job_newer');

describe('a request with a key', () => {
  const requestKey = 'key-1';
  beforeEach(() => scene.onlyTheseEnded());

  test('is bound to its job: a repeat never reaches a job that was submitted anew', async () => {
    await scene.cancel({ requestKey });
    scene.ports.clock.advance(1_000);
    await scene.register({ jobId: newer, msAgo: 0 });
    scene.onlyTheseEnded(documentedJob);

    expect(await scene.cancel({ requestKey })).toMatchObject({ state: { jobId: documentedJob } });
    expect(scene.calls()).toEqual([`cancel ${documentedJob}`]);
  });

  test('is refused when the key was used for another request', async () => {
    await scene.cancel({ requestKey });

    expect(await scene.cancel({ requestKey, reason: 'other' })).toEqual({ kind: 'idempotency_key_reused' });
    expect(scene.ports.log.refused).toMatchObject([{ why: 'idempotency_key_reused' }]);
  });

  test('has a key that belongs to its partner alone', async () => {
    await scene.cancel({ requestKey });

    expect(await scene.cancel({ requestKey, partnerId: globex, externalId: externalId('x') })).toEqual({
      kind: 'job_not_found',
    });
  });

  test('reaches no job registered after it was first seen, even if it reached none then', async () => {
    const name = externalId('order-1');

    expect(await scene.cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });

    scene.ports.clock.advance(1_000);
    await scene.register({ jobId: newer, externalId: name, msAgo: 0 });

    expect(await scene.cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });
    expect(await scene.cancel({ requestKey: 'key-2', externalId: name })).toMatchObject({ state: { jobId: newer } });
  });

  test('is first seen before anything is read: a job that is registered meanwhile came after it', async () => {
    const name = externalId('order-1');
    const find = scene.ports.directory.find.bind(scene.ports.directory);
    scene.ports.directory.find = async (...names) => {
      const found = await find(...names);
      scene.ports.clock.advance(5);
      await scene.register({ jobId: newer, externalId: name, msAgo: 0 });
      scene.ports.clock.advance(5);
      return found;
    };

    expect(await scene.cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });

    scene.ports.directory.find = find;

    expect(await scene.cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });
  });

  test('is bound later when it was ambiguous at first', async () => {
    await scene.register({ jobId: older, msAgo: 120_000 });

    expect(await scene.cancel({ requestKey })).toMatchObject({ kind: 'ambiguous_external_id' });

    scene.onlyTheseEnded(older);

    expect(await scene.cancel({ requestKey })).toMatchObject({ state: { jobId: documentedJob } });
    expect(scene.ports.directory.bindings.get(`acme#${requestKey}`)?.jobId).toBe(documentedJob);
  });

  test('leaves no binding when it could not be resolved', async () => {
    await scene.register({ jobId: older, msAgo: 120_000 });
    scene.plangrepAnswers({ read: { kind: 'rate_limited' } });

    expect(await scene.cancel({ requestKey })).toEqual({ kind: 'unresolved' });
    expect(scene.ports.directory.bindings.size).toBe(0);
  });

  test('uses the binding that another request made first', async () => {
    await scene.register({ jobId: older, msAgo: 120_000 });
    const bind = scene.ports.directory.bind.bind(scene.ports.directory);
    scene.ports.directory.bind = async (partnerId, key, binding) => {
      await bind(partnerId, key, { ...binding, jobId: older });
      return bind(partnerId, key, binding);
    };
    scene.onlyTheseEnded(older);

    expect(await scene.cancel({ requestKey })).toMatchObject({ state: { jobId: older } });
  });

  test('reads, and does not cancel, the ended job of a binding that another request made first', async () => {
    await scene.register({ jobId: older, msAgo: 120_000 });
    await scene.ports.directory.remember(acme, order7890, older, {
      terminalStatus: 'completed',
      expiresAt: '2099-01-01T00:00:00.000Z',
    });
    const bind = scene.ports.directory.bind.bind(scene.ports.directory);
    scene.ports.directory.bind = async (partnerId, key, binding) => {
      await bind(partnerId, key, { ...binding, jobId: older });
      return bind(partnerId, key, binding);
    };
    scene.onlyTheseEnded(older);
    await scene.cancel({ requestKey });

    expect(scene.calls().slice(-1)).toEqual([`read ${older}`]);
    expect(scene.calls()).not.toContain(`cancel ${older}`);
  });

  test('is refused when another request takes the key at the same time', async () => {
    const bind = scene.ports.directory.bind.bind(scene.ports.directory);
    scene.ports.directory.bind = async (partnerId, key, binding) => {
      await bind(partnerId, key, { ...binding, fingerprint: 'other' });
      return bind(partnerId, key, binding);
    };

    expect(await scene.cancel({ requestKey })).toEqual({ kind: 'idempotency_key_reused' });
  });

  test('stays without a job when its duplicate found none at the same time', async () => {
    const name = externalId('order-1');
    const bind = scene.ports.directory.bind.bind(scene.ports.directory);
    scene.ports.directory.bind = async (partnerId, key, binding) => {
      await bind(partnerId, key, binding);
      return bind(partnerId, key, binding);
    };

    expect(await scene.cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });
  });
});

describe('a directory entry that cannot be read', () => {
  beforeEach(() => scene.ports.directory.unreadable.push('acme#job#sha256:0 job_bad'));

  test.each([
    ['makes no job look like the only one', {}],
    ['makes no job look unknown', { externalId: externalId('order-1') }],
    ['may be the job that is named', { jobId: jobId('job_bad') }],
  ])('%s', async (_, fields) => {
    expect(await scene.cancel({ ...fields, requestKey: 'key-1' })).toEqual({ kind: 'unresolved' });
    expect(scene.calls()).toEqual([]);
    expect(scene.ports.directory.bindings.size).toBe(0);
    expect(scene.ports.log.refused).toMatchObject([{ why: 'unresolved' }]);
    expect(scene.ports.reported).toContainEqual({
      code: 'RECORD_UNREADABLE',
      fields: { dependency: 'job-directory', key: 'acme#job#sha256:0 job_bad' },
    });
  });

  test('does not stop a request that names another job', async () => {
    expect(await scene.cancel({ jobId: documentedJob })).toMatchObject({ kind: 'closed' });
  });

  test('may be the one that a repeat is bound to', async () => {
    scene.ports.directory.unreadable.length = 0;
    await scene.cancel({ requestKey: 'key-2' });
    scene.ports.directory.jobs.clear();
    scene.ports.directory.unreadable.push('acme#job#sha256:0 job_bad');

    expect(await scene.cancel({ requestKey: 'key-2' })).toEqual({ kind: 'unresolved' });
  });

  test('does not stop the repeat of a request that is bound to its job', async () => {
    scene.ports.directory.unreadable.length = 0;
    await scene.cancel({ requestKey: 'key-1' });
    scene.ports.directory.unreadable.push('acme#job#sha256:0 job_bad');

    expect(await scene.cancel({ requestKey: 'key-1' })).toMatchObject({ kind: 'closed' });
  });
});
