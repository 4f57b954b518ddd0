import { describe, expect, test } from 'vitest';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { CancellationEvent, EventBody } from '../../../functions/core/cancellation/events.ts';
import { streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { partnerIdSchema } from '../../../functions/core/identifiers.ts';
import type { ScannedRecord } from '../../../infra/cli/audit/scan-log.ts';
import { createMonthlySums, OPEN_SHOWN } from '../../../infra/cli/credits/add-up.ts';
import { acme, jobId, retention } from '../../support/names.ts';
import { accepted, again, requested, started, unknownJob } from '../../support/stored-streams.ts';

const november = { from: '2026-11-01T00:00:00.000Z', until: '2026-12-01T00:00:00.000Z' };
const globex = partnerIdSchema.parse('globex');
const cancelled = {
  type: 'closed',
  outcome: 'cancelled',
  jobStatus: 'cancelled',
  pageCount: 204,
  successfulPageCount: 63,
} as const satisfies EventBody;
const completed = { type: 'closed', outcome: 'too_late', jobStatus: 'completed' } as const satisfies EventBody;

/** The records of a stream as a scan finds them: its events at these times, and a request that joined. */
function streamOf(job: string, events: readonly (readonly [at: string, body: EventBody])[], partnerId = acme) {
  const name = { partnerId, jobId: jobId(job) };
  const sealed: CancellationEvent[] = [];
  for (const [at, body] of events)
    sealed.push(sealEvent(name, sealed.at(-1), body, { eventId: 'e', at, keptDays: retention.events }));
  const partition = streamKey(name);
  const records = sealed.map(
    (event): ScannedRecord => ({
      partition,
      record: { key: `event#${String(event.seq).padStart(6, '0')}`, fields: { ...event } },
    }),
  );
  return [...records, { partition, record: { key: 'joined#2026', fields: {} } }];
}
const addUp = (records: readonly ScannedRecord[], partner?: typeof acme) => {
  const sums = createMonthlySums(november, partner);
  for (const record of records) sums.take(record);
  return sums.end();
};

describe('the sums of a month', () => {
  test('add up by partner what closed in it, from its first to its last millisecond', () => {
    const closedAt = (job: string, at: string, body: EventBody = cancelled, partner = acme) =>
      streamOf(
        job,
        [
          ['2026-10-31T23:59:59.000Z', requested],
          [at, body],
        ],
        partner,
      );
    const { partners, total, open, broken } = addUp([
      ...closedAt('before', '2026-10-31T23:59:59.999Z'),
      ...closedAt('first', '2026-11-01T00:00:00.000Z'),
      ...closedAt('last', '2026-11-30T23:59:59.999Z', completed),
      ...closedAt('after', '2026-12-01T00:00:00.000Z'),
      ...closedAt('other', '2026-11-01T00:00:01.000Z', cancelled, globex),
    ]);

    expect([...partners.keys()]).toEqual(['acme', 'globex']);
    expect(partners.get('acme')).toMatchObject({
      closed: 2,
      outcomes: { cancelled: 1, too_late: 1, job_not_found: 0 },
      ranMs: 1_000 + 30 * 86_400_000 + 999,
      pagesStopped: 141,
      open: 0,
    });
    expect(partners.get('globex')).toMatchObject({
      closed: 1,
      ranMs: 2_000,
      spentMs: { us: 0, plangrep: 2_000, person: 0 },
    });
    expect(total).toMatchObject({ closed: 3, outcomes: { cancelled: 2, too_late: 1 }, pagesStopped: 282 });
    expect({ open, broken }).toEqual({ open: [], broken: [] });
  });

  test('add up the time of each party, and the credits that job reads told', () => {
    const stream = (job: string, credits: readonly [number?, number?]) =>
      streamOf(job, [
        ['2026-11-02T09:00:00.000Z', requested],
        [
          '2026-11-02T09:00:01.000Z',
          { ...accepted(1), jobStatus: 'blocked_insufficient_credits', creditsDebited: credits[0] },
        ],
        [
          '2026-11-02T09:00:11.000Z',
          { ...cancelled, creditsDebited: credits[1], completedAt: '2026-11-02T09:00:08.000Z' },
        ],
      ]);
    const { total } = addUp([...stream('job_1', [0.1, 0.3]), ...stream('job_2', [1, 1.1]), ...stream('job_3', [5])]);

    expect(total).toMatchObject({
      closed: 3,
      ranMs: 24_000,
      spentMs: { us: 9_000, plangrep: 3_000, person: 21_000 },
      creditsDebitedMeanwhile: 0.3,
      creditsToldBy: 2,
    });
  });

  test('count one that began anew each time that it closed', () => {
    const { total } = addUp(
      streamOf('job_1', [
        ['2026-11-02T09:00:00.000Z', requested],
        ['2026-11-02T09:10:00.000Z', unknownJob],
        ['2026-11-05T09:00:00.000Z', again(2)],
        ['2026-11-05T09:00:02.000Z', cancelled],
      ]),
    );

    expect(total).toMatchObject({ closed: 2, outcomes: { cancelled: 1, job_not_found: 1 }, ranMs: 2_000 });
  });

  test('list the open ones apart: those that were requested before the end of the month', () => {
    const { partners, open } = addUp([
      ...streamOf('old', [
        ['2026-10-02T09:00:00.000Z', requested],
        ['2026-10-02T10:00:00.000Z', started(2)],
      ]),
      ...streamOf('new', [['2026-12-01T00:00:00.000Z', requested]]),
    ]);

    expect(open).toEqual([{ partnerId: 'acme', jobId: 'old', requestedAt: '2026-10-02T09:00:00.000Z', attempts: 2 }]);
    expect(partners.get('acme')).toMatchObject({ closed: 0, open: 1 });
  });

  test('count every open one, and keep the oldest', () => {
    const many = Array.from({ length: 3 * OPEN_SHOWN }, (_, n) => {
      const at = new Date(Date.parse(november.from) + ((n * 7_919) % 1_009) * 1_000).toISOString();
      return streamOf(`job_${n}`, [[at, requested]]);
    });
    const { total, open } = addUp(many.flat());

    const all = many.map(([first]) => String(first?.record.fields['at'])).toSorted();
    expect(total.open).toBe(3 * OPEN_SHOWN);
    expect(open.map(({ requestedAt }) => requestedAt)).toEqual(all.slice(0, OPEN_SHOWN));
  });

  test('are of one partner alone, if that is asked for', () => {
    const at = '2026-11-02T09:00:00.000Z';
    const both = [acme, globex].flatMap((partner) =>
      streamOf(
        'job_1',
        [
          [at, requested],
          [at, cancelled],
        ],
        partner,
      ),
    );

    expect([...addUp(both, globex).partners.keys()]).toEqual(['globex']);
  });

  test('leave out what does not fold, from there on, and name it', () => {
    const at = '2026-11-02T09:00:00.000Z';
    const [first, , joined] = streamOf('gap', [
      [at, requested],
      [at, accepted(1)],
    ]);
    const [, closing] = streamOf('gap', [
      [at, requested],
      [at, cancelled],
    ]);
    const [foreign] = streamOf('another', [[at, requested]]);
    const [whole, end] = streamOf('whole', [
      [at, requested],
      [at, cancelled],
    ]);
    if (!first || !joined || !closing || !foreign || !whole || !end) throw new Error('a stream has records');
    const late = { ...closing, record: { ...closing.record, fields: { ...closing.record.fields, seq: 3 } } };
    const moved = { ...foreign, partition: 'acme#moved' };
    const odd = { partition: 'acme#odd', record: { key: 'event#000001', fields: { type: 'no such type' } } };
    const { total, broken } = addUp([first, late, closing, joined, moved, odd, whole, end]);

    expect(total.closed).toBe(1);
    expect(broken).toEqual(['acme#gap', 'acme#moved', 'acme#odd']);
  });

  test('know nothing of requests that reached no job', () => {
    const record = { key: '2026-11-02T09:00:00.000Z#r', fields: { type: 'refused' } };

    expect(addUp([{ partition: 'acme#refused#2026-11-02', record }])).toMatchObject({
      broken: [],
      total: { closed: 0 },
    });
  });
});
