import { describe, expect, test } from 'vitest';
import type { PlangrepAnswer } from '../../functions/adapters/plangrep/plangrep-answer.ts';
import { createListingReader, MAX_JOBS_READ } from '../../functions/adapters/plangrep/read-listing.ts';
import { documentedProject } from '../support/names.ts';

const KEY = 'pgk_live_0123456789abcdef';
const MiB = 1024 * 1024;
const job = (id: string, externalId: unknown = 'order-1', more: object = {}) => ({
  id,
  status: 'processing',
  externalId,
  ...more,
});
const answer = (interrupted?: PlangrepAnswer['interrupted'], status = 200): PlangrepAnswer => ({
  kind: 'answer',
  status,
  headers: {},
  body: Buffer.alloc(0),
  interrupted,
  key: KEY,
  receivedAt: 0,
});

/** What is made of a list of these entries, given as they stand in the body. */
const read = (...entries: unknown[]) => {
  const texts = entries.map((entry) => (Buffer.isBuffer(entry) ? entry : Buffer.from(JSON.stringify(entry))));
  const reader = createListingReader({ jobs: 1_000 });
  const body = Buffer.concat([
    Buffer.from('{"jobs":['),
    ...texts.flatMap((text, n) => [Buffer.from(n > 0 ? ',' : ''), text]),
    Buffer.from(']}'),
  ]);
  expect(reader.take(body)).toBe(true);
  const list = reader.finish(answer(), 7, true);
  if (list.kind !== 'jobs') throw new Error(`read as ${JSON.stringify(list)}`);
  return list;
};

describe('a job in a list', () => {
  test('is found by its externalId, with what tells whose it is and how old', () => {
    const times = { createdAt: '20241102T090000Z', updatedAt: '2024-11-02T10:00:00+01:00', completedAt: null };
    const list = read(
      job('job_1', 'order-1', { ...times, projectId: documentedProject, files: [{ id: 'file_1' }] }),
      job('job_2', 'order-2'),
    );
    const at = '2024-11-02T09:00:00.000Z';

    expect(list).toMatchObject({ listedAt: 7, count: 2, unreadable: 0 });
    expect(list.jobsOf('order-1')).toEqual({
      jobs: [
        {
          id: 'job_1',
          status: 'processing',
          externalId: 'order-1',
          projectId: documentedProject,
          createdAt: at,
          updatedAt: at,
        },
      ],
      isWhole: true,
    });
    expect(list.jobsOf('order-3')).toEqual({ jobs: [], isWhole: true });
  });

  const shortJob = { id: 'job_1', status: 'processing' };
  test.each([shortJob, ...[null, 'order-2', '', 'x'.repeat(400)].map((externalId) => ({ ...shortJob, externalId }))])(
    'of another name, or without one, is not the one that is looked for: %j',
    (other) => {
      const list = read(other, job('job_2'));

      expect(list.jobsOf('order-1')).toMatchObject({ jobs: [{ id: 'job_2' }], isWhole: true });
      expect(list).toMatchObject({ count: 2, unreadable: 0 });
    },
  );

  test('may be in the list twice: the core decides', () => {
    expect(read(job('job_1'), job('job_1')).jobsOf('order-1').jobs).toHaveLength(2);
  });

  test('is kept without the fields that are not as documented', () => {
    const more = { projectId: '../x', createdAt: 7, updatedAt: 'x'.repeat(1_000) };

    expect(read(job('job_1', 'order-1', more)).jobsOf('order-1').jobs).toEqual([
      { id: 'job_1', status: 'processing', externalId: 'order-1' },
    ]);
  });

  test('may have a file name that is not UTF-8', () => {
    const list = read(Buffer.from(JSON.stringify(job('job_1', 'order-1', { files: ['Grundriß'] })), 'latin1'));

    expect(list.jobsOf('order-1')).toMatchObject({ jobs: [{ id: 'job_1' }], isWhole: true });
  });
});

describe('an entry that cannot be read', () => {
  const unreadable = [
    job('legacy:77'),
    job('../x'),
    { externalId: 'order-1', status: 'processing' },
    { id: 'job_1', externalId: 'order-1' },
    job('job_1', 'order-1', { status: 7 }),
    job('job_1', 'order-1', { status: '' }),
    job(`job_${KEY}`),
    job('job_1', 'order-1', { status: `key ${KEY}` }),
  ];

  test.each(unreadable)('matters to those who look for its name: %j', (entry) => {
    const list = read(job('job_2'), entry, job('job_3', 'order-2'));
    const isAny = JSON.stringify(entry).includes(KEY);

    expect(list.jobsOf('order-1')).toMatchObject({ jobs: [{ id: 'job_2' }], isWhole: false });
    expect(list.jobsOf('order-2')).toMatchObject({ jobs: [{ id: 'job_3' }], isWhole: !isAny });
    expect(list.unreadable).toBe(1);
  });

  test.each([{ id: 'legacy:77' }, { id: 'legacy:77', externalId: null }, {}])(
    'matters to none when it has no name: %j',
    (entry) => {
      const list = read(entry, job('job_2'));

      expect(list.jobsOf('order-1')).toMatchObject({ jobs: [{ id: 'job_2' }], isWhole: true });
      expect(list).toMatchObject({ count: 2, unreadable: 1 });
    },
  );

  test.each([
    7,
    null,
    'order-2',
    [],
    ['order-2'],
    job('job_1', 7),
    job('job_1', { name: 'order-2' }),
    Buffer.from('{"id":"job_1","externalId":"order-2","pageCount":NaN}'),
    Buffer.from('{"id":"job_1","externalId":"order-2","files":[}]}'.replace(']}', '}')),
    Buffer.from(JSON.stringify(job('job_1', 'commande-é')), 'latin1'),
    Buffer.from('{"id":"job_1","status":"failed","externalI\xff":"order-2"}', 'latin1'),
  ])('matters to all when it may have any name: %s', (entry) => {
    const list = read(entry, job('job_2'));

    expect(list.jobsOf('order-1')).toMatchObject({ jobs: [{ id: 'job_2' }], isWhole: false });
    expect(list.unreadable).toBe(1);
  });

  test('is not one whose name has a U+FFFD of its own', () => {
    expect(read(job('job_1', 'commande-\ufffd')).jobsOf('commande-é')).toEqual({ jobs: [], isWhole: true });
  });
});

describe('a list that is not whole', () => {
  const oversized = { kind: 'unknown', why: 'oversized_answer', httpStatus: 200 };

  test('is unreadable when it was cut where nothing shows it', () => {
    const reader = createListingReader({ jobs: 10 });
    reader.take(Buffer.from('{"jobs":[{"id":"job_1","status":"processing"},'));

    expect(reader.finish(answer(), 0, true)).toEqual({ kind: 'unknown', why: 'unreadable_answer', httpStatus: 200 });
  });

  test.each([
    ['much had arrived in its time', 8 * MiB, true, 'oversized_answer'],
    ['little had arrived: the connection is slow', 8 * MiB - 1, true, 'timeout'],
    ['it had less than its time', 8 * MiB, false, 'timeout'],
  ])('ends as a timeout or as too long: %s', (_, bytes, hadItsTime, why) => {
    const reader = createListingReader({ jobs: 1_000 });
    reader.take(Buffer.from('{"jobs":['));
    const entry = Buffer.from(`{"a":"${'x'.repeat(64 * 1024 - 9)}"},`);
    for (let left = bytes - 9; left > 0; left -= entry.length) reader.take(entry.subarray(0, left));

    expect(reader.finish(answer('timeout'), 0, hadItsTime)).toEqual({ kind: 'unknown', why, httpStatus: 200 });
  });

  test('is too long with more jobs than there is room for, which other lists share until they are done', () => {
    const room = { jobs: 3 };
    const [one, two] = [createListingReader(room), createListingReader(room)];
    expect(one.take(Buffer.from('{"jobs":[{},{}]}'))).toBe(true);
    expect(two.take(Buffer.from('{"jobs":[{},{}]}'))).toBe(false);

    expect(two.finish(answer('unreadable_answer'), 0, true)).toEqual(oversized);
    two.release();

    expect(one.finish(answer(), 0, true)).toMatchObject({ kind: 'jobs', count: 2 });
    one.release();

    expect(room).toEqual({ jobs: 3 });
  });

  test('has at most 200,000 jobs', () => {
    expect(MAX_JOBS_READ).toBe(200_000);
  });
});
