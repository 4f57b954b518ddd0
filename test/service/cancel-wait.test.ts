import { connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { cancellationSchema } from '../../functions/contract/answers.ts';
import { expectProblem, givenService } from '../support/given-service.ts';

const service = givenService();
const preferring = (value: string) => ({ headers: { Prefer: value } });
const waitFor = (check: () => unknown) => vi.waitFor(check, { timeout: 15_000, interval: 50 });

/** What fails once, and is then done at once. */
const failOnce = (jobId: string) =>
  service.plangrepFails({ on: 'cancel', jobId, kind: 'status', status: 500, times: 1 });

describe('with Prefer: wait the answer', () => {
  test('comes when the retry has cancelled the job', async () => {
    const { externalId, jobId } = await service.newJob();
    failOnce(jobId);

    const { status, headers, body } = await service.cancel({ externalId }, preferring('wait=10'));

    expect(status).toBe(200);
    expect(cancellationSchema.parse(body)).toMatchObject({ outcome: 'cancelled', attempts: 2 });
    expect(headers.get('preference-applied')).toBe('wait=10');
    expect(service.run.simulator.requests.count('cancel', jobId)).toBe(2);
  });

  test('comes for each of two callers that wait for the same job, which is retried once', async () => {
    const { externalId, jobId } = await service.newJob();
    failOnce(jobId);

    const answers = await Promise.all([1, 2].map(() => service.cancel({ externalId }, preferring('wait=10'))));

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(service.run.simulator.requests.count('cancel', jobId)).toBe(2);
  });

  test('comes after the time if the cancellation is still open, with when to look again', async () => {
    const { externalId } = await service.newJob({ cancelTakes: 3_600_000 });

    const { status, headers, body } = await service.cancel({ externalId }, preferring('wait=1'));

    expect([status, body['state']]).toEqual([202, 'open']);
    expect(headers.get('preference-applied')).toBe('wait=1');
    expect(headers.get('retry-after')).toMatch(/^[1-6]$/);
  });

  test.each([
    ['wait=10', 'wait=10'],
    ['wait=600', 'wait=10'],
    ['respond-async, wait="0"; x=1', 'wait=0'],
    ['wait=soon', null],
    ['wait', null],
    ['return=minimal', null],
  ])('says of %j that this was applied: %j, also when the job is cancelled at once', async (prefer, applied) => {
    const { externalId } = await service.newJob();

    const { status, headers } = await service.cancel({ externalId }, preferring(prefer));

    expect([status, headers.get('preference-applied')]).toEqual([200, applied]);
  });

  test('says so of a job that ended first, and not where no job was found or the request is wrong', async () => {
    const { externalId } = await service.newJob({ status: 'completed' });

    const tooLate = await service.cancel({ externalId }, preferring('wait=3'));
    const unknown = await service.cancel({ externalId: 'unknown order' }, preferring('wait=3'));
    const wrong = await service.cancel({}, preferring('wait=3'));

    expectProblem(tooLate, 'job_already_terminal');
    expectProblem(unknown, 'job_not_found');
    expectProblem(wrong, 'invalid_request');
    const applied = [tooLate, unknown, wrong].map(({ headers }) => headers.get('preference-applied'));
    expect(applied).toEqual(['wait=3', null, null]);
  });
});

test('a caller that hangs up while the service waits loses nothing', async () => {
  const { externalId, jobId } = await service.newJob();
  failOnce(jobId);
  const { simulator, baseUrl, partners } = service.run;
  const { hostname, port, pathname } = new URL(`${baseUrl}/v1/cancellations`);
  const body = JSON.stringify({ externalId });
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  socket.write(
    [
      `POST ${pathname} HTTP/1.1`,
      `Host: ${hostname}`,
      `Authorization: Bearer ${partners.find(({ partnerId }) => partnerId === 'acme')?.token}`,
      'Content-Type: application/json',
      'Prefer: wait=10',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
  await waitFor(() => expect(simulator.requests.count('cancel', jobId)).toBe(1));
  socket.resetAndDestroy();

  // The test's run has no schedule: only the request itself goes on.
  await waitFor(async () => expect((await service.show(jobId)).body).toMatchObject({ outcome: 'cancelled' }));
  expect(simulator.requests.count('cancel', jobId)).toBe(2);
});
