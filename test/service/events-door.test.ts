import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { problemSchema, registeredJobSchema } from '../../functions/contract/answers.ts';
import { putEvent } from '../../infra/local/aws/events/event-bridge.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

let run: TestRun;
beforeAll(async () => {
  run = await startTestRun({ queueVisibilityMs: 400 });
});
afterAll(() => run.close());

let jobs = 0;
const names = () => ({ externalId: `event order ${++jobs}`, jobId: `job_event_${jobs}` });
const publish = (type: string, detail: unknown, more: { Source?: string; Time?: number } = {}) =>
  putEvent(run.endpoints.eventbridge, {
    Source: 'partner.acme',
    DetailType: type,
    Detail: JSON.stringify(detail),
    ...more,
  });
const requestCancel = (detail: unknown, more = {}) => publish('Job Cancellation Requested', detail, more);
const register = (detail: unknown, more = {}) => publish('Job Registered', detail, more);
const settled = () => vi.waitFor(() => expect(run.queue.waiting()).toEqual([]), { timeout: 15_000, interval: 20 });
const recordsOf = async (jobId: string) =>
  (await run.items('CancellationLog')).filter((record) => record['jobId'] === jobId).map(({ type }) => type);

describe('an event', () => {
  it('cancels a job like a request', async () => {
    const { externalId, jobId } = names();
    await run.addJob(externalId, jobId);
    await requestCancel({ externalId, reason: 'wrong plan' });
    await settled();
    expect(run.simulator.job(jobId)?.status).toBe('cancelled');
    const shown = await run.call('acme', `GET /v1/cancellations/${jobId}`);
    expect(shown.body).toMatchObject({
      outcome: 'cancelled',
      timeline: [{ type: 'requested', reason: 'wrong plan' }, {}],
    });
  });

  it('registers a job, and counts from its own time', async () => {
    const { externalId, jobId } = names();
    const Time = Math.floor(Date.parse('2026-11-23T12:00:00Z') / 1000);
    await register({ externalId, jobId }, { Time });
    await settled();
    expect(await run.items('JobDirectory')).toContainEqual(
      expect.objectContaining({ pk: `acme#job#${externalId}`, sk: jobId, registeredAt: '2026-11-23T12:00:00.000Z' }),
    );
  });

  it('cannot claim another partner: that is the rule’s to say', async () => {
    const { externalId, jobId } = names();
    await run.addJob(externalId, jobId);
    await requestCancel({ externalId }, { Source: 'partner.globex' });
    await requestCancel({ externalId, partnerId: 'acme' }, { Source: 'partner.globex' });
    await settled();
    expect(run.simulator.job(jobId)?.status).not.toBe('cancelled');
    expect(run.queue.deadLetters().length).toBeGreaterThanOrEqual(2);
  });

  it('of a source that no rule wants is dropped', async () => {
    const { externalId, jobId } = names();
    await run.addJob(externalId, jobId);
    await requestCancel({ externalId }, { Source: 'somebody.else' });
    await publish('Something Else', { externalId });
    expect(run.eventBridge.dropped().slice(-2)).toMatchObject([
      { source: 'somebody.else' },
      { 'detail-type': 'Something Else' },
    ]);
    expect(run.simulator.job(jobId)?.status).not.toBe('cancelled');
  });

  it('that is malformed goes to the DLQ; its batch-mates succeed', async () => {
    const good = Array.from({ length: 4 }, names);
    for (const { externalId, jobId } of good) await run.addJob(externalId, jobId);
    const poison = { externalId: 'poison', force: true };
    await Promise.all([requestCancel(poison), ...good.map(({ externalId }) => requestCancel({ externalId }))]);
    await settled();
    for (const { jobId } of good) expect(run.simulator.job(jobId)?.status).toBe('cancelled');
    expect(run.queue.deadLetters().filter((body) => body.includes('poison'))).toHaveLength(1);
  });

  it('that beats its registration is tried again, and cancels once that has come', async () => {
    const { externalId, jobId } = names();
    run.simulator.addJob({ id: jobId, externalId });
    const Time = Math.floor(Date.now() / 1000);
    await requestCancel({ externalId }, { Time });
    await sleep(150);
    await register({ externalId, jobId }, { Time: Time - 5 });
    await settled();
    expect(run.simulator.job(jobId)?.status).toBe('cancelled');
    expect(await recordsOf(jobId)).toEqual(['requested', 'closed']);
  });

  it('for a job that nobody registers ends in the DLQ, refused on record once', async () => {
    const { externalId } = names();
    await requestCancel({ externalId });
    await settled();
    const refused = (await run.items('CancellationLog')).filter((record) => record['externalId'] === externalId);
    expect(refused).toMatchObject([{ type: 'refused', why: 'job_not_found', door: 'events' }]);
    expect(run.queue.deadLetters().filter((body) => body.includes(`"${externalId}"`))).toHaveLength(1);
  });

  it('delivered twice reaches its own job alone, though one was submitted anew meanwhile', async () => {
    const { externalId, jobId } = names();
    await run.addJob(externalId, jobId);
    await requestCancel({ externalId });
    await settled();
    const body = JSON.stringify({
      partnerId: 'acme',
      id: (await run.items('CancellationLog')).find((record) => record['jobId'] === jobId)?.['requestId'],
      time: new Date().toISOString().replace(/\.\d+Z/, 'Z'),
      detailType: 'Job Cancellation Requested',
      detail: { externalId },
    });
    await run.addJob(externalId, `${jobId}_anew`);
    run.queue.send(body);
    await settled();
    expect(run.simulator.job(`${jobId}_anew`)?.status).not.toBe('cancelled');
    expect(await recordsOf(jobId)).toContain('joined');
  });

  it('that went to the DLQ can be given back', async () => {
    const { externalId, jobId } = names();
    await requestCancel({ externalId, jobId });
    await settled();
    run.simulator.addJob({ id: jobId, externalId });
    await run.addJob(externalId, jobId);
    expect(run.queue.redrive()).toBeGreaterThan(0);
    await settled();
    expect(run.simulator.job(jobId)?.status).toBe('cancelled');
  });
});

describe('an entry that EventBridge would refuse', () => {
  it.each([
    [{ Source: '', DetailType: 't', Detail: '{}' }, 'InvalidArgument'],
    [{ Source: 's', DetailType: '', Detail: '{}' }, 'InvalidArgument'],
    [{ Source: 's', DetailType: 't', Detail: 'no JSON' }, 'MalformedDetail'],
    [{ Source: 's', DetailType: 't', Detail: '[1]' }, 'MalformedDetail'],
    [{ Source: 's', DetailType: 't'.repeat(129), Detail: '{}' }, 'InvalidArgument'],
    [{ Source: 's', DetailType: 't', Detail: '{}', Time: 1e300 }, 'InvalidArgument'],
    [{ Source: 'aws.s3', DetailType: 't', Detail: '{}' }, 'NotAuthorizedForSourceException'],
  ])('is refused: %o', async (entry, code) => {
    await expect(putEvent(run.endpoints.eventbridge, entry)).rejects.toThrow(code);
  });
});

describe('PUT /v1/jobs/{jobId}', () => {
  const put = (jobId: string, body: unknown, partner: 'acme' | 'globex' = 'acme') =>
    run.call(partner, `PUT /v1/jobs/${jobId}`, body);

  it('registers a job, again and again the same', async () => {
    const { externalId, jobId } = names();
    const first = await put(jobId, { externalId, projectId: 'proj_1' });
    expect(first.status).toBe(200);
    expect(registeredJobSchema.parse(first.body)).toMatchObject({ jobId, externalId, projectId: 'proj_1' });
    expect((await put(jobId, { externalId, projectId: 'proj_1' })).body).toEqual(first.body);
    run.simulator.addJob({ id: jobId, externalId });
    expect((await run.call('acme', 'POST /v1/cancellations', { externalId })).status).toBe(200);
  });

  it('leaves a job to whom and what it was first registered for', async () => {
    const { externalId, jobId } = names();
    await put(jobId, { externalId });
    for (const answered of [await put(jobId, { externalId: 'other' }), await put(jobId, { externalId }, 'globex')]) {
      expect(problemSchema.parse(answered.body)).toMatchObject({ status: 409, code: 'job_registered_otherwise' });
    }
  });

  it.each([
    ['a%2fb', { externalId: 'x' }],
    ['job_1', {}],
    ['job_1', { externalId: '' }],
    ['job_1', { externalId: 'x', projectId: '../x' }],
    ['job_1', { externalId: 'x', jobId: 'job_1' }],
  ])('refuses %s %o', async (jobId, body) => {
    expect((await put(jobId, body)).body).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});
