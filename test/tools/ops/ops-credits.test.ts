import { describe, expect, test } from 'vitest';
import { type CancellationAnswer, cancellationWithTimelineSchema } from '../../../functions/contract/answers.ts';
import { givenOps } from '../../support/given-ops.ts';

const ops = givenOps();

async function closeSome(): Promise<readonly CancellationAnswer[]> {
  const { service } = ops;
  const jobs = [
    await service.newJob(),
    await service.newJob({ cancelTakes: 1, pagesPerSecond: 50, creditsPerPage: 10 }),
    await service.newJob({ status: 'completed', pageCount: 12 }),
  ];
  for (const { externalId } of jobs) await service.cancel({ externalId });
  await service.reconcile();
  const shown = await Promise.all(jobs.map(({ jobId }) => service.show(jobId)));
  return shown.map(({ body }) => cancellationWithTimelineSchema.parse(body));
}
const sum = (numbers: readonly (number | null | undefined)[]) =>
  numbers.reduce<number>((all, one) => all + (one ?? 0), 0);

describe('credits', () => {
  test('adds up by partner what its cancellations show, and lists the open ones apart', async () => {
    const nothing = await ops.run('credits --month 2024-02');
    const closed = await closeSome();
    await ops.service.cancel({ externalId: 'order-7891' });
    const month = closed[0]?.closedAt?.slice(0, 7);

    const [json, text, other] = await Promise.all([
      ops.run(`credits --month ${month} --json`),
      ops.run(`credits --month ${month}`),
      ops.run(`credits --month ${month} --partner globex`),
    ]);

    expect(nothing).toMatchObject({ code: 1, stdout: 'No cancellation closed in 2024-02 (local).\n' });
    expect(closed.map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled', 'too_late']);
    const of = (party: 'us' | 'plangrep' | 'person') => sum(closed.map(({ spentMs }) => spentMs?.[party]));
    const acme = {
      partnerId: 'acme',
      closed: 3,
      outcomes: { cancelled: 2, too_late: 1, job_not_found: 0 },
      ranMs: sum(closed.map(({ ranMs }) => ranMs)),
      spentMs: { us: of('us'), plangrep: of('plangrep'), person: of('person') },
      creditsDebitedMeanwhile: sum(closed.map((one) => one.creditsDebitedMeanwhile)),
      creditsToldBy: 1,
      open: 1,
    };
    const open = [{ partnerId: 'acme', jobId: 'job_slow00000000000000000007891' }];
    expect(JSON.parse(json.stdout)).toMatchObject({ month, partners: [acme], total: { closed: 3, open: 1 }, open });
    expect(json).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(
      /^PARTNER +CLOSED +CANCELLED +TOO LATE +NOT FOUND +RAN +US +PLANGREP +A PERSON +CREDITS +PAGES STOPPED +OPEN$/m,
    );
    expect(text.stdout).toMatch(/^acme +3 +2 +1 +0 +\d+ s /m);
    expect(text.stdout).toMatch(/^acme +job_slow00000000000000000007891 +\d{4}-/m);
    expect(text.stdout).toContain('told the credits of 1 of 3 cancellations');
    expect(other).toMatchObject({ code: 1 });
  });

  test.each([
    ['credits', '"credits" needs --month 2026-11.'],
    ['credits --month november', '--month takes a month like 2026-11, not "november".'],
    ['credits --month 2026-13', '--month takes a month like 2026-11, not "2026-13".'],
    ['credits --month 2999-01', '--month 2999-01 has not begun.'],
    ['credits --month 2026-11 --partner Acme!', '--partner'],
  ])('%s: says what is wrong', async (line, why) => {
    expect(await ops.run(line)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(why) });
  });
});
