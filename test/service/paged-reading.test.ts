import { describe, expect, test } from 'vitest';
import { cancellationListSchema } from '../../functions/contract/answers.ts';
import { expectProblem, givenService } from '../support/given-service.ts';
import type { PartnerId } from '../support/local-run.ts';

const service = givenService();

const list = (externalId: string, query: string, partner: PartnerId = 'acme') =>
  service.run.call(partner, `GET /v1/cancellations?externalId=${encodeURIComponent(externalId)}${query}`);

async function readPage(externalId: string, query = '') {
  const { status, body } = await list(externalId, query);
  expect(status).toBe(200);
  const { cancellations, nextCursor } = cancellationListSchema.parse(body);
  return { jobIds: cancellations.map(({ jobId }) => jobId), nextCursor };
}

/** Cancels new jobs under one externalId. */
async function cancelJobs(externalId: string, ...jobIds: readonly string[]): Promise<void> {
  for (const jobId of jobIds) {
    await service.run.addJob(externalId, jobId);
    await service.cancel({ externalId, jobId });
  }
}

describe('the cancellations of an externalId in pages', () => {
  test('come `limit` jobs at a time, the newest of a page first, until `nextCursor` is null', async () => {
    await cancelJobs('in pages', 'job_p_3', 'job_p_1', 'job_p_2');

    const first = await readPage('in pages', '&limit=2');
    expect(first).toEqual({ jobIds: ['job_p_2', 'job_p_3'], nextCursor: expect.stringMatching(/^[\w-]+$/) });
    expect(await readPage('in pages', `&limit=2&cursor=${first.nextCursor}`)).toEqual({
      jobIds: ['job_p_1'],
      nextCursor: null,
    });
    expect(await readPage('in pages')).toEqual({ jobIds: ['job_p_2', 'job_p_1', 'job_p_3'], nextCursor: null });
  });

  test('lose and repeat none while jobs are registered, and hold at most 20 jobs', async () => {
    const old = Array.from({ length: 25 }, (_, n) => `job_w_${String(n * 2).padStart(3, '0')}`);
    await cancelJobs('walked', ...old);
    const shown: string[] = [];
    let added = 1;
    for (let query = '&limit=4'; ; ) {
      const { jobIds, nextCursor } = await readPage('walked', query);
      shown.push(...jobIds);
      await cancelJobs('walked', `job_w_${String(added).padStart(3, '0')}`);
      added += 10;
      if (nextCursor === null) break;
      query = `&limit=4&cursor=${nextCursor}`;
    }

    expect(new Set(shown).size).toBe(shown.length);
    expect(old.filter((jobId) => !shown.includes(jobId))).toEqual([]);
    expect((await readPage('walked')).jobIds).toHaveLength(20);
  });

  test('may be empty: a job that no request has asked to cancel has no cancellation', async () => {
    await service.run.addJob('partly', 'job_y_2');
    await cancelJobs('partly', 'job_y_1');

    const first = await readPage('partly', '&limit=1');
    expect(first.jobIds).toEqual([]);
    expect((await readPage('partly', `&limit=1&cursor=${first.nextCursor}`)).jobIds).toEqual(['job_y_1']);
  });
});

describe('a page that does not exist', () => {
  const cursorOf = async (externalId: string): Promise<string> =>
    (await readPage(externalId, '&limit=1')).nextCursor ?? '';

  test.each(['0', '21', '-1', '1.5', '1e1', '', ' 1', '01', 'all', '٣'])('has limit=%j', async (limit) => {
    const answered = await list('order-7890', `&limit=${encodeURIComponent(limit)}`);

    expectProblem(answered, 'invalid_request');
    expect(answered.body['errors']).toEqual([{ path: 'limit', message: 'must be a whole number from 1 to 20' }]);
  });

  test('has a malformed cursor, one of another externalId, or one of another partner: the same answer', async () => {
    await service.run.addJob('mine', 'job_m_1');
    await service.run.addJob('mine', 'job_m_2');
    const cursor = await cursorOf('mine');
    await service.register('job_f_1', { externalId: 'mine' }, 'globex');

    const answers = [
      ...(await Promise.all(
        ['', 'x', '=', '*', `${cursor}=`, `${cursor}A`, cursor.slice(0, -1), cursor.toLowerCase(), 'A'.repeat(300)].map(
          (wrong) => list('mine', `&cursor=${encodeURIComponent(wrong)}`),
        ),
      )),
      await list('order-7890', `&cursor=${cursor}`),
      await list('mine', `&cursor=${cursor}`, 'globex'),
    ];

    for (const answered of answers) {
      expectProblem(answered, 'invalid_request');
      expect(answered.body['errors']).toEqual([
        { path: 'cursor', message: 'must be the nextCursor of an earlier page of this externalId, unchanged' },
      ]);
    }
    expectProblem(await list('mine', `&cursor=${cursor}&cursor=${cursor}`), 'invalid_request');
  });
});
