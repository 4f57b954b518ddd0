import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { registeredJobSchema } from '../../functions/contract/answers.ts';
import { problemSchema } from '../../functions/contract/problem-answers.ts';
import { putEvent } from '../../infra/local/aws/events/event-bridge.ts';
import { givenService } from '../support/given-service.ts';
import { documentedProject } from '../support/names.ts';

const service = givenService({ queueVisibilityMs: 400 });
const requestCancel = (detail: unknown, fields = {}) => service.publish('Job Cancellation Requested', detail, fields);
const announceJob = (detail: unknown, fields = {}) => service.publish('Job Registered', detail, fields);
const statusOf = (jobId: string) => service.run.simulator.job(jobId)?.status;
const typesOf = async (jobId: string) => (await service.recordsOf(jobId)).map(({ type }) => type);
const deadLettersWith = (text: string) => service.run.queue.deadLetters().filter((body) => body.includes(text));

describe('an event', () => {
  test('cancels a job like a request', async () => {
    const { externalId, jobId } = await service.newJob();

    await requestCancel({ externalId, reason: 'wrong plan' });
    await service.eventsSettled();

    expect(statusOf(jobId)).toBe('cancelled');
    expect((await service.show(jobId)).body).toMatchObject({
      outcome: 'cancelled',
      timeline: [{ type: 'requested', reason: 'wrong plan' }, {}],
    });
  });

  test('registers a job, at the time of the event', async () => {
    const { externalId, jobId } = service.newNames();
    const Time = Date.parse('2026-11-23T12:00:00Z') / 1000;
    service.run.simulator.addJob({ id: jobId, externalId, createdAt: '2026-11-23T11:00:00.000Z' });

    await announceJob({ externalId, jobId }, { Time });
    await service.eventsSettled();

    expect(await service.run.items('JobDirectory')).toContainEqual(
      expect.objectContaining({ pk: `acme#job#${externalId}`, sk: jobId, registeredAt: '2026-11-23T12:00:00.000Z' }),
    );
  });

  test('cannot claim another partner: the rule that matched names the partner', async () => {
    const { externalId, jobId } = await service.newJob();

    await requestCancel({ externalId }, { Source: 'partner.globex' });
    await requestCancel({ externalId, partnerId: 'acme' }, { Source: 'partner.globex' });
    await service.eventsSettled();

    expect(statusOf(jobId)).not.toBe('cancelled');
    expect(service.run.queue.deadLetters().length).toBeGreaterThanOrEqual(2);
  });

  test('that no rule matches is dropped', async () => {
    const { externalId, jobId } = await service.newJob();

    // The operator's account is the bus's own, which needs no permission from the bus's policy.
    await requestCancel({ externalId }, { Source: 'unknown.source' });

    expect(service.run.eventBridge.dropped().slice(-1)).toMatchObject([{ source: 'unknown.source' }]);
    expect(statusOf(jobId)).not.toBe('cancelled');
  });

  test.each<[string, 'acme' | 'globex' | 'operator', string, string, string]>([
    ["another partner's source", 'globex', 'partner.acme', 'Job Cancellation Requested', 'ForSource'],
    ["another partner's source, to register", 'globex', 'partner.acme', 'Job Registered', 'ForSource'],
    ["a partner's source, by an operator", 'operator', 'partner.acme', 'Job Cancellation Requested', 'ForSource'],
    ["this service's source", 'acme', 'plangrep-cancellation', 'Job Cancellation Closed', 'ForSource'],
    [
      "this service's source, by an operator",
      'operator',
      'plangrep-cancellation',
      'Job Cancellation Closed',
      'ForSource',
    ],
    ["this service's type", 'acme', 'partner.acme', 'Job Cancellation Closed', 'ForDetailType'],
  ])('with %s is refused and reaches no job', async (_what, by, Source, DetailType, code) => {
    const { externalId, jobId } = await service.newJob();
    const { endpoints, partners, aws } = service.run;
    const key = partners.find(({ partnerId }) => partnerId === by)?.aws ?? aws;
    const seen = service.run.eventBridge.dropped().length;

    const put = putEvent(endpoints.eventbridge, key, {
      Source,
      DetailType,
      Detail: JSON.stringify({ externalId, jobId }),
    });

    await expect(put).rejects.toThrow(`NotAuthorized${code}Exception`);
    expect(service.run.queue.waiting()).toEqual([]);
    expect(service.run.eventBridge.dropped()).toHaveLength(seen);
    expect(statusOf(jobId)).not.toBe('cancelled');
  });

  test('that is malformed goes to the DLQ after one try, and the others of its batch succeed', async () => {
    const good = await Promise.all(Array.from({ length: 4 }, () => service.newJob()));
    const poison = { externalId: 'poison', force: true };

    await Promise.all([requestCancel(poison), ...good.map(({ externalId }) => requestCancel({ externalId }))]);
    await service.eventsSettled();

    for (const { jobId } of good) expect(statusOf(jobId)).toBe('cancelled');
    expect(deadLettersWith('poison')).toHaveLength(1);
    const { id } = z.object({ id: z.string() }).parse(JSON.parse(deadLettersWith('poison')[0] ?? ''));
    const [line = '', ...more] = service.run.logs.filter((one) => one.includes('EVENT_MALFORMED') && one.includes(id));
    expect(more).toEqual([]);
    expect(line).toMatch(/partnerId\W+acme/);
    expect(line).toMatch(/path\W+detail\b/);
    expect(line).not.toContain('poison');
  });

  test('that arrives before the registration of its job is tried again, and cancels once the job is registered', async () => {
    const { externalId, jobId } = service.newNames();
    service.run.simulator.addJob({ id: jobId, externalId });
    const Time = Math.floor(Date.now() / 1000);

    await requestCancel({ externalId }, { Time });
    await sleep(150);
    await announceJob({ externalId, jobId }, { Time: Time - 5 });
    await service.eventsSettled();

    expect(statusOf(jobId)).toBe('cancelled');
    expect(await typesOf(jobId)).toEqual(['requested', 'closed']);
  });

  test('for a job that is never registered ends in the DLQ, with one refusal on record', async () => {
    const { externalId } = service.newNames();

    await requestCancel({ externalId });
    await service.eventsSettled();

    const records = await service.run.items('CancellationLog');
    const refused = records.filter((record) => record['externalId'] === externalId);
    expect(refused).toMatchObject([{ type: 'refused', why: 'job_not_found', door: 'events' }]);
    expect(deadLettersWith(`"${externalId}"`)).toHaveLength(1);
  });

  test('delivered twice reaches only its first job, although a job was submitted anew in between', async () => {
    const { externalId, jobId } = await service.newJob();
    await requestCancel({ externalId });
    await service.eventsSettled();
    const [requested] = await service.recordsOf(jobId);
    await service.run.addJob(externalId, `${jobId}_anew`);

    service.run.queue.send(
      JSON.stringify({
        partnerId: 'acme',
        id: requested?.['requestId'],
        time: new Date().toISOString().replace(/\.\d+Z/, 'Z'),
        detailType: 'Job Cancellation Requested',
        detail: { externalId },
      }),
    );
    await service.eventsSettled();

    expect(statusOf(`${jobId}_anew`)).not.toBe('cancelled');
    expect(await typesOf(jobId)).toContain('joined');
  });

  test('that went to the DLQ can be sent again', async () => {
    const { externalId, jobId } = service.newNames();
    await requestCancel({ externalId, jobId });
    await service.eventsSettled();
    service.run.simulator.addJob({ id: jobId, externalId });
    await service.run.addJob(externalId, jobId);

    const sentAgain = service.run.queue.redrive();
    await service.eventsSettled();

    expect(sentAgain).toBeGreaterThan(0);
    expect(statusOf(jobId)).toBe('cancelled');
  });
});

test.each([
  [{ Source: '', DetailType: 't', Detail: '{}' }, 'InvalidArgument'],
  [{ Source: 's', DetailType: '', Detail: '{}' }, 'InvalidArgument'],
  [{ Source: 's', DetailType: 't', Detail: 'no JSON' }, 'MalformedDetail'],
  [{ Source: 's', DetailType: 't', Detail: '[1]' }, 'MalformedDetail'],
  [{ Source: 's', DetailType: 't'.repeat(129), Detail: '{}' }, 'InvalidArgument'],
  [{ Source: 's', DetailType: 't', Detail: '{}', Time: 1e300 }, 'InvalidArgument'],
  [{ Source: 'aws.s3', DetailType: 't', Detail: '{}' }, 'NotAuthorizedForSourceException'],
])('an entry that EventBridge would refuse is refused: %o', async (entry, code) => {
  await expect(putEvent(service.run.endpoints.eventbridge, service.run.aws, entry)).rejects.toThrow(code);
});

describe('PUT /v1/jobs/{jobId}', () => {
  test('registers a job; a repeat gives the same answer', async () => {
    const { externalId, jobId } = service.newNames();
    const body = { externalId, projectId: 'proj_1' };
    service.run.simulator.addJob({ id: jobId, externalId });

    const first = await service.register(jobId, body);
    const second = await service.register(jobId, body);
    const cancelled = await service.cancel({ externalId });

    expect(first.status).toBe(200);
    expect(registeredJobSchema.parse(first.body)).toMatchObject({ jobId, externalId, projectId: documentedProject });
    expect(second.body).toEqual(first.body);
    expect(cancelled.status).toBe(200);
  });

  test('keeps the partner and the externalId that a job was first registered for', async () => {
    const { externalId, jobId } = await service.newJob();
    const otherName = await service.register(jobId, { externalId: 'other' });
    const otherPartner = await service.register(jobId, { externalId }, 'globex');

    expect(problemSchema.parse(otherName.body)).toMatchObject({ status: 409, code: 'job_registered_otherwise' });
    expect(problemSchema.parse(otherPartner.body)).toMatchObject({ status: 404, code: 'job_not_found' });
  });

  test.each([
    ['a%2fb', { externalId: 'x' }],
    ['job_1', {}],
    ['job_1', { externalId: '' }],
    ['job_1', { externalId: 'x', projectId: '../x' }],
    ['job_1', { externalId: 'x', jobId: 'job_1' }],
  ])('refuses %s %o', async (jobId, body) => {
    const answered = await service.register(jobId, body);

    expect(answered.body).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});
