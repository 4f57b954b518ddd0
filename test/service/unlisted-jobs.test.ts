import { describe, expect, test } from 'vitest';
import { expectProblem, givenService } from '../support/given-service.ts';

const service = givenService();

describe('a cancel of a job that is not registered, while Plangrep’s list', () => {
  test('fails at the moment, is repeated when the list is asked for again', async () => {
    service.plangrepFails({ on: 'list', kind: 'status', status: 500 });

    const answered = await service.cancel({ externalId: 'order-9089' }, { partner: 'globex' });

    expectProblem(answered, 'temporarily_unavailable');
    expect(answered.headers.get('Retry-After')).toBe('5');
    expect(answered.body['detail']).toMatch(/repeat the request\.$/);
  });

  test('will fail again, is told to register the job, which works at once', async () => {
    const { externalId, jobId } = service.newNames();
    service.run.simulator.addJob({ id: jobId, externalId });
    service.plangrepFails({ on: 'list', kind: 'status', status: 403 });

    const answered = await service.cancel({ externalId });

    expectProblem(answered, 'temporarily_unavailable');
    expect(answered.headers.get('Retry-After')).toBe('300');
    expect(answered.body['detail']).toContain('Register the job with PUT /v1/jobs/{jobId}');
    expect(await service.register(jobId, { externalId })).toMatchObject({ status: 200 });
    expect(await service.cancel({ externalId })).toMatchObject({ status: 200, body: { jobId, outcome: 'cancelled' } });
  });
});
