import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
} from '../../functions/contract/answers.ts';
import { problemSchemas } from '../../functions/contract/problem-answers.ts';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { plangrepSecretId } from '../../infra/local/seeds.ts';
import { expectProblem, givenService, type JobNames } from '../support/given-service.ts';
import { canaries } from '../support/local-run.ts';
import { documentedJob } from '../support/names.ts';

const service = givenService();

describe('the documented job', () => {
  test('is cancelled by its externalId, with what it cost', async () => {
    const { status, headers, body } = await service.cancel({ externalId: 'order-7890' });

    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{1,64}$/);
    expect(cancellationSchema.parse(body)).toMatchObject({
      jobId: documentedJob,
      externalId: 'order-7890',
      state: 'closed',
      outcome: 'cancelled',
      jobStatus: 'cancelled',
      pageCount: 204,
      successfulPageCount: 63,
      creditsDebited: 63,
    });
  });

  test('is shown with its timeline, event by event', async () => {
    const listed = await service.list('order-7890');
    const shown = await service.show(documentedJob);

    const [cancellation] = cancellationListSchema.parse(listed.body).cancellations;
    expect(cancellation?.timeline.map(({ type }) => type)).toEqual(['requested', 'closed']);
    expect(cancellationWithTimelineSchema.parse(shown.body)).toEqual(cancellation);
  });

  test('is cancelled again without a second call, and the second request is on record', async () => {
    service.run.simulator.requests.clear();

    const { status, body } = await service.cancel({ externalId: 'order-7890', reason: 'to be sure' });

    expect([status, body['outcome']]).toEqual([200, 'cancelled']);
    expect(service.run.simulator.requests.all()).toEqual([]);
    const [cancellation] = cancellationListSchema.parse((await service.list('order-7890')).body).cancellations;
    expect(cancellation?.timeline.at(-1)).toMatchObject({
      type: 'joined',
      reason: 'to be sure',
      keyId: 'acmelocal001',
    });
  });
});

describe('a cancel that cannot be certain yet is accepted (202), and says where and when to look', () => {
  async function expectOpen(names: JobNames, result: string) {
    const { status, headers, body } = await service.cancel({ externalId: names.externalId });
    const shown = await service.run.call('acme', `GET ${headers.get('location')}`);

    expect([status, body['state'], body['outcome']]).toEqual([202, 'open', null]);
    expect(headers.get('location')).toBe(`/v1/cancellations/${names.jobId}`);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(shown.headers.get('retry-after')).not.toBeNull();
    const { timeline } = cancellationWithTimelineSchema.parse(shown.body);
    expect(timeline.at(-1)).toMatchObject({ type: 'attempt_ended', result });
    return body;
  }

  test('while the job is still processing', async () => {
    const names = await service.newJob({ cancelTakes: 60_000 });

    const body = await expectOpen(names, 'accepted');

    expect(body['jobStatus']).toBe('processing');
  });

  test('after a 5xx', async () => {
    const names = await service.newJob();
    service.plangrepFails({ on: 'cancel', kind: 'status', status: 502, body: '<html>Bad gateway</html>' });

    await expectOpen(names, 'unknown');
  });

  test('after a lost answer, although the job was cancelled', async () => {
    const names = await service.newJob();
    service.plangrepFails({ on: 'cancel', kind: 'reset', effect: 'applied' });

    await expectOpen(names, 'unknown');

    expect(service.run.simulator.job(names.jobId)?.status).toBe('cancelled');
  });

  test('after a 429, no sooner than it asks', async () => {
    const names = await service.newJob();
    service.plangrepFails({ on: 'cancel', kind: 'status', status: 429, headers: { 'Retry-After': '40' } });

    await expectOpen(names, 'rate_limited');
    const again = await service.cancel({ externalId: names.externalId });

    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(35);
  });

  test('while Plangrep rejects our key, which the caller never sees as a 401', async () => {
    const names = await service.newJob();
    service.run.simulator.revokeApiKey();

    await expectOpen(names, 'key_refused');

    expect(service.run.logs.some((line) => line.includes('PLANGREP_KEY_REFUSED'))).toBe(true);
  });

  test('while Plangrep refuses the cancel of a job that is not terminal', async () => {
    const names = await service.newJob();
    service.plangrepFails({ on: 'cancel', kind: 'status', status: 403, body: '{"code":"insufficient_scope"}' });

    await expectOpen(names, 'refused');
  });
});

test('Plangrep’s key is fetched again when it was rotated, and the cancel goes through at once', async () => {
  const { externalId } = await service.newJob();
  const rotated = `${canaries.apiKey}-rotated`;
  service.run.simulator.setApiKey(rotated);
  service.run.secretsManager.put(plangrepSecretId, JSON.stringify({ apiKey: rotated }));

  const { status } = await service.cancel({ externalId });

  expect(status).toBe(200);
});

describe('a job that ended in another way', () => {
  test.each(['completed', 'completed_with_errors', 'failed', 'expired'])(
    'as %s is a 409 that names the status',
    async (jobStatus) => {
      const { externalId, jobId } = await service.newJob({ status: jobStatus });

      const answered = await service.cancel({ externalId });

      expectProblem(answered, 'job_already_terminal');
      expect(answered.body).toMatchObject({ jobStatus, cancellation: { jobId, outcome: 'too_late' } });
    },
  );

  test('as cancelled, no matter who cancelled it, is a 200', async () => {
    const { externalId } = await service.newJob({ status: 'cancelled' });

    const answered = await service.cancel({ externalId });

    expect(answered).toMatchObject({ status: 200, body: { outcome: 'cancelled' } });
  });

  test.each([400, 404, 409, 410, 422])('is known by a job read, whatever the error: %i', async (status) => {
    const { externalId } = await service.newJob({ status: 'completed' });
    service.plangrepFails({ on: 'cancel', kind: 'status', status, body: 'no JSON at all', times: 1 });

    const answered = await service.cancel({ externalId });

    expectProblem(answered, 'job_already_terminal');
  });

  test('as unknown to Plangrep is a separate 409, until Plangrep knows it', async () => {
    const names = await service.newJob();
    const { externalId } = names;
    await service.unknownForMinutes(names);
    service.plangrepFails({ on: 'any', kind: 'status', status: 404, body: '{"code":"not_found"}', times: 1 });

    const answered = await service.cancel({ externalId });
    const later = await service.cancel({ externalId });

    expectProblem(answered, 'job_unknown_to_plangrep');
    expect(answered.body).toMatchObject({ cancellation: { outcome: 'job_not_found' } });
    expect(later).toMatchObject({ status: 200, body: { outcome: 'cancelled', attempts: 2 } });
  });

  test('is not unknown to Plangrep after one 404', async () => {
    const { externalId } = await service.newJob();
    service.plangrepFails({ on: 'any', kind: 'status', status: 404, body: '{"code":"not_found"}' });

    expect(await service.cancel({ externalId })).toMatchObject({ status: 202, body: { state: 'open' } });
  });
});

describe('several live jobs behind one externalId', () => {
  test('are a 409 with the candidates, and one of them named is cancelled', async () => {
    const { externalId, jobId } = await service.newJob();
    await service.run.addJob(externalId, `${jobId}_b`);

    const ambiguous = await service.cancel({ externalId });
    const named = await service.cancel({ externalId, jobId });
    const theOther = await service.cancel({ externalId });

    expectProblem(ambiguous, 'ambiguous_external_id');
    const { candidates } = problemSchemas.ambiguous_external_id.parse(ambiguous.body);
    expect(candidates.map((candidate) => candidate.jobId)).toEqual([`${jobId}_b`, jobId]);
    expect(named).toMatchObject({ status: 200, body: { jobId } });
    expect(theOther).toMatchObject({ status: 200, body: { jobId: `${jobId}_b` } });
  });

  test('are a 503 while Plangrep does not show one of them, and what was remembered of that is forgotten', async () => {
    const { externalId, jobId } = await service.newJob();
    await service.run.addJob(externalId, `${jobId}_b`);
    const entry = async () => (await service.run.items('JobDirectory')).find(({ sk }) => sk === jobId);
    service.plangrepFails({ on: 'read', jobId, kind: 'status', status: 404 });

    const missing = await service.cancel({ externalId });
    expect(await entry()).toMatchObject({ absentAt: expect.any(String), absentSince: expect.any(String) });
    service.run.simulator.faults.clear();
    // As if the five seconds were over.
    const { client, tableNames } = service.run.dynamodb;
    const absentAt = '2026-01-01T00:00:00.000Z';
    const Item = toItem({ ...(await entry()), absentAt, absentSince: absentAt });
    await client.send(new PutItemCommand({ TableName: tableNames.JobDirectory, Item }));

    expectProblem(missing, 'temporarily_unavailable');
    expect(missing.headers.get('retry-after')).toBe('5');
    expectProblem(await service.cancel({ externalId }), 'ambiguous_external_id');
    expect(await entry()).not.toHaveProperty('absentSince');
  });

  test('are a 503 while they cannot be read, and nothing is done', async () => {
    const { externalId, jobId } = await service.newJob();
    await service.run.addJob(externalId, `${jobId}_b`);
    service.plangrepFails({ on: 'read', kind: 'status', status: 500 });

    const answered = await service.cancel({ externalId });

    expectProblem(answered, 'temporarily_unavailable');
    expect(answered.headers.get('retry-after')).toBe('2');
  });
});

describe('a job that is not the partner’s', () => {
  test('does not exist: the same 404 for unknown and for another partner’s, by externalId or jobId, cancelled or read', async () => {
    const { externalId, jobId } = await service.newJob();
    await service.cancel({ externalId });
    const globex = { partner: 'globex' } as const;

    const reads = [
      await service.list('never registered', 'globex'),
      await service.list(externalId, 'globex'),
      await service.show('job_never_registered', 'globex'),
      await service.show(jobId, 'globex'),
    ];
    // Afterwards a read by externalId shows these requests, and they are globex's own.
    const cancels = [
      await service.cancel({ externalId: 'never registered' }, globex),
      await service.cancel({ externalId }, globex),
      await service.cancel({ externalId, jobId }, globex),
    ];

    for (const group of [cancels, reads]) {
      const bodies = group.map(({ status, body }) => ({ status, ...body, requestId: '' }));
      for (const body of bodies) expect(body).toEqual(bodies[0]);
      for (const answered of group) expectProblem(answered, 'job_not_found');
      expect(bodies[0]).toMatchObject({ detail: expect.stringMatching(/\(globex\).* register it with PUT /) });
    }
  });

  test('leaves a refused record', async () => {
    await service.cancel({ externalId: 'not registered either', reason: 'why not' });

    expect(await service.run.items('CancellationLog')).toContainEqual(
      expect.objectContaining({ type: 'refused', why: 'job_not_found', externalId: 'not registered either' }),
    );
  });
});

describe('an Idempotency-Key', () => {
  const withKey = (key: string) => ({ headers: { 'Idempotency-Key': key } });

  test('reaches the job that it was first used for, and no newer one', async () => {
    const { externalId, jobId } = await service.newJob();

    const first = await service.cancel({ externalId }, withKey('order-1/cancel/1'));
    await service.run.addJob(externalId, `${jobId}_anew`);
    const repeated = await service.cancel({ externalId }, withKey('order-1/cancel/1'));
    const statusOfNewer = service.run.simulator.job(`${jobId}_anew`)?.status;
    const another = await service.cancel({ externalId }, withKey('order-1/cancel/2'));

    expect(first.body).toMatchObject({ jobId, outcome: 'cancelled' });
    expect(repeated.body).toMatchObject({ jobId });
    expect(statusOfNewer).not.toBe('cancelled');
    expect(another.body).toMatchObject({ jobId: `${jobId}_anew` });
  });

  test('stands for one request', async () => {
    const { externalId } = await service.newJob();
    await service.cancel({ externalId }, withKey('k-1'));

    const otherReason = await service.cancel({ externalId, reason: 'other' }, withKey('k-1'));
    const otherJob = await service.cancel({ externalId: 'other' }, withKey('k-1'));
    const otherPartner = await service.cancel({ externalId: 'other' }, { ...withKey('k-1'), partner: 'globex' });

    expectProblem(otherReason, 'idempotency_key_reused');
    expectProblem(otherJob, 'idempotency_key_reused');
    expect(otherPartner.status).toBe(404);
  });

  test.each([
    ['', 'empty'],
    ['x'.repeat(256), 'too long'],
  ])('is refused when it is %#: %s', async (key) => {
    const answered = await service.cancel({ externalId: 'order-7890' }, withKey(key));

    expectProblem(answered, 'invalid_request');
    expect(answered.body['errors']).toMatchObject([{ path: 'Idempotency-Key' }]);
  });
});
