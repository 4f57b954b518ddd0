import { describe, expect, test } from 'vitest';
import { previewListSchema } from '../../functions/contract/answers.ts';
import { expectProblem, givenService } from '../support/given-service.ts';
import type { PartnerId } from '../support/local-run.ts';

const service = givenService();
const preview = (externalIds: readonly unknown[], partner: PartnerId = 'acme') =>
  service.run.call(partner, 'POST /v1/cancellation-previews', { externalIds });
const statesOf = async (externalIds: readonly string[], partner?: PartnerId) =>
  previewListSchema.parse((await preview(externalIds, partner)).body).previews.map(({ state }) => state);

describe('a preview', () => {
  test('shows what a cancel would do, and leaves no record and no call that changes a job', async () => {
    const { externalId, jobId } = await service.newJob();
    service.run.simulator.requests.clear();

    const { status, headers, body } = await preview([externalId, 'order-none']);

    expect([status, headers.get('retry-after')]).toEqual([200, null]);
    expect(body).toEqual({
      previews: [
        { externalId, state: 'will_cancel', jobId, jobStatus: 'processing', candidates: [] },
        { externalId: 'order-none', state: 'not_found', jobId: null, jobStatus: null, candidates: [] },
      ],
    });
    expect(service.run.simulator.requests.all().filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(await service.recordsOf(jobId)).toEqual([]);
    expect((await service.list(externalId)).body['refusals']).toEqual([]);
  });

  test('has the same answer for another partner’s job as for none', async () => {
    const { externalId } = await service.newJob();

    expect(await statesOf([externalId, 'order-none'], 'globex')).toEqual(['not_found', 'not_found']);
  });

  test('says when to ask again for what is not known now', async () => {
    const { externalId } = await service.newJob();
    service.plangrepFails({ on: 'read', kind: 'status', status: 503 });

    const { headers, body } = await preview([externalId]);

    expect(previewListSchema.parse(body).previews).toMatchObject([{ state: 'unresolved', jobId: null }]);
    expect(headers.get('retry-after')).toBe('5');
  });

  test('of jobs that are submitted again afterwards names the one that was there', async () => {
    const { externalId, jobId } = await service.newJob();
    const { body } = await preview([externalId]);
    service.run.simulator.addJob({ id: jobId, externalId, status: 'completed' });
    await service.run.addJob(externalId, `${jobId}_again`);

    const named = previewListSchema.parse(body).previews[0]?.jobId;
    const { status } = await service.cancel({ externalId, jobId: named });

    expect([named, status]).toEqual([jobId, 409]);
    expect(await service.recordsOf(`${jobId}_again`)).toEqual([]);
  });

  test.each([
    ['no list', undefined, 'externalIds must be a list.'],
    ['an empty list', [], 'externalIds must have at least one item.'],
    ['eleven', Array.from({ length: 11 }, (_, n) => `order-${n}`), 'externalIds must have at most 10 items.'],
    ['a control character', ['a', 'b\u0007'], 'externalIds.1 must not contain control characters.'],
  ])('of %s is not valid', async (_what, externalIds, detail) => {
    const answered = await service.run.call('acme', 'POST /v1/cancellation-previews', { externalIds });

    expectProblem(answered, 'invalid_request');
    expect(answered.body['detail']).toBe(detail);
  });

  test('of ten of the longest externalIds fits into a body', async () => {
    const longest = Array.from({ length: 10 }, (_, n) => `${'😀'.repeat(179)}${n}`);

    expect(await statesOf(longest)).toEqual(longest.map(() => 'not_found'));
  });
});
