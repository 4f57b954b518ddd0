import { describe, expect, test } from 'vitest';
import { projects } from '../../infra/scenes/stories.ts';
import { expectProblem, givenService } from '../support/given-service.ts';
import { documentedJob, order7890 } from '../support/names.ts';

const service = givenService();

test('1,000 identical requests at once make one cancel call, one cancellation, and 1,000 answers that name it', async () => {
  const requests = Array.from({ length: 1_000 }, () => service.cancel({ externalId: order7890 }));

  const answers = await Promise.all(requests);

  const others = answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 202);
  expect(others).toEqual([]);
  expect(new Set(answers.map(({ body }) => body['jobId']))).toEqual(new Set([documentedJob]));
  expect(service.run.simulator.requests.count('cancel')).toBe(1);
  const types = (await service.run.items('CancellationLog')).map(({ type }) => type);
  const count = (wanted: string) => types.filter((type) => type === wanted).length;
  expect([types.length, count('requested'), count('closed'), count('joined')]).toEqual([1_001, 1, 1, 999]);
}, 120_000);

describe('an unregistered job', () => {
  // One container: its memory is the one of the listing.
  const one = givenService({ containersPerFunction: 1 });

  test('asked for again too soon for another listing: the caller is told when, and it counts as no failure', async () => {
    const { jobId, externalId } = one.newNames();
    one.run.simulator.addJob({ id: jobId, externalId, status: 'processing', projectId: projects.acme });
    const first = await one.cancel({ externalId });
    const again = await one.cancel({ externalId });

    expect(first).toMatchObject({ status: 200, body: { jobId, outcome: 'cancelled' } });
    expectProblem(again, 'temporarily_unavailable');
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(20);
    const lines = one.run.logs.filter((line) => line.includes(String(again.body['requestId'])));
    expect(lines.map((line) => /"code":"(\w+)"/.exec(line)?.[1])).toEqual([
      'REQUEST_REFUSED',
      'REQUEST_DEFERRED',
      'REQUEST_ANSWERED',
    ]);
  });
});
