import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { CancelRequest } from '../../../functions/core/cancel-request.ts';
import { callbackSchema } from '../../../functions/core/callbacks/callback-record.ts';
import { BrokenStream } from '../../../functions/core/cancellation/state.ts';
import { type JobId, toTimestamp } from '../../../functions/core/identifiers.ts';
import {
  CALLBACKS_SHOWN,
  type FoundCancellations,
  type PageRequest,
  readCancellation,
  readCancellationsOf,
} from '../../../functions/core/use-cases/read-cancellations.ts';
import { DependencyUnavailable } from '../../../functions/core/report.ts';
import { given, type Scene } from '../../support/given.ts';
import { broken } from '../../support/memory-ports.ts';
import { callbackRecord } from '../../support/stored-streams.ts';
import { acme, documentedJob, externalId, globex, jobId, order7890 } from '../../support/names.ts';

const noRefusals = { refusals: [], count: 0 };
let scene: Scene;
beforeEach(async () => {
  scene = await given();
});

function readPage(page: Partial<PageRequest> = {}): Promise<FoundCancellations> {
  const asked = { partnerId: acme, externalId: order7890, limit: 20, maxBytes: 1_000, bytesOf: () => 1 };
  return readCancellationsOf(scene.ports, { ...asked, ...page });
}

/** The jobs that a page shows, and the job after which the next one begins. */
async function readJobs(page: Partial<PageRequest> = {}) {
  const found = await readPage(page);
  if (found.kind !== 'cancellations') throw new Error(found.kind);
  return { jobs: found.views.map(({ state }) => state.jobId), next: found.next };
}

/** Walks over all pages. @param between runs after each page */
async function walk(page: Partial<PageRequest>, between: (pages: number) => Promise<unknown> = async () => undefined) {
  const pages: (readonly JobId[])[] = [];
  let after: string | undefined;
  do {
    const { jobs, next } = await readJobs({ ...page, after });
    pages.push(jobs);
    await between(pages.length);
    after = next;
  } while (after !== undefined);
  return pages;
}

async function cancelNewJob(id: string, msAgo = 1_000): Promise<void> {
  await scene.register({ jobId: jobId(id), msAgo });
  await scene.cancel({ jobId: jobId(id) });
}

describe('a read', () => {
  test('shows no cancellation whose externalId was erased', async () => {
    await cancelNewJob('job_new');
    await scene.cancel({ jobId: documentedJob });
    scene.ports.log.erase({ partnerId: acme, jobId: documentedJob });

    expect((await readJobs()).jobs).toEqual(['job_new']);
  });

  test('shows a cancellation with its events and the requests that joined', async () => {
    await scene.cancel();
    await scene.cancel({ requestId: 'request-2' });
    const found = await readPage();
    const [view] = found.kind === 'cancellations' ? found.views : [];

    expect(view?.events.map(({ type }) => type)).toEqual(['requested', 'closed']);
    expect(view?.joined.map(({ requestId }) => requestId)).toEqual(['request-2']);
    expect(view?.joinedCount).toBe(1);
    expect(await readCancellation(scene.ports, acme, documentedJob)).toEqual(view);
  });

  test('shows the newest attempts to tell the partner, in the order of their times, of whatever events', async () => {
    await scene.cancel();
    const attempts = Array.from({ length: CALLBACKS_SHOWN + 2 }, (_, n) => {
      const at = toTimestamp(Date.parse('2026-11-23T12:00:00.000Z') + n);
      return callbackSchema.parse(callbackRecord({ at, number: n + 1 }).fields);
    });
    const inAnotherOrder = [...attempts.slice(30), ...attempts.slice(0, 30)];
    scene.ports.log.callbacks = { items: inAnotherOrder, unreadable: [] };

    const view = await readCancellation(scene.ports, acme, documentedJob);
    expect(view?.callbacks.map(({ number }) => number)).toEqual(attempts.slice(2).map(({ number }) => number));
  });

  test('says how often Plangrep was asked about the job, and when it last was', async () => {
    const looks = async () => {
      const view = await readCancellation(scene.ports, acme, documentedJob);
      return { looks: view?.looks, at: view?.lastLookedAt };
    };
    scene.plangrepAnswers({ cancel: { kind: 'not_sent', why: 'no_key' } });
    await scene.cancel();
    const requestedAt = toTimestamp(scene.ports.clock.now());
    const first = await looks();
    scene.plangrepAnswers({ cancel: 'processing', read: 'processing' });
    await scene.reconcileAfter(60_000);
    const retriedAt = toTimestamp(scene.ports.clock.now());
    const second = await looks();
    for (const _ of [1, 2]) await scene.reconcileAfter(60_000);

    expect(first).toEqual({ looks: 1, at: requestedAt });
    expect(second).toEqual({ looks: 2, at: retriedAt });
    expect(await looks()).toEqual({ looks: 4, at: toTimestamp(scene.ports.clock.now()) });
  });

  test('distinguishes an unknown externalId from one without a cancellation', async () => {
    expect(await readPage()).toEqual({ kind: 'cancellations', views: [], refused: noRefusals });
    expect(await readPage({ partnerId: globex })).toEqual({ kind: 'job_not_found' });
  });

  test('reports an entry that cannot be read, shows the others, and never calls the job unknown', async () => {
    scene.ports.directory.unreadable.push('acme#job#sha256:0 job_bad');

    expect(await readPage()).toEqual({ kind: 'cancellations', views: [], refused: noRefusals });
    expect(await readPage({ partnerId: globex })).toEqual({ kind: 'unresolved' });
    scene.ports.directory.findPage = async () => ({ items: [], unreadable: ['job_bad'], next: 'job_bad' });
    expect(await readPage()).toEqual({ kind: 'cancellations', views: [], next: 'job_bad', refused: noRefusals });
    expect(scene.codes()).toEqual(['RECORD_UNREADABLE', 'RECORD_UNREADABLE', 'RECORD_UNREADABLE']);
  });

  test('leaves out a broken stream and a malformed joined record, reports them, and shows the rest', async () => {
    await scene.cancel();
    await cancelNewJob('job_a');
    const { log } = scene.ports;
    const { read, readJoined } = { read: log.read.bind(log), readJoined: log.readJoined.bind(log) };
    log.read = async (partnerId, id) => {
      if (id === documentedJob) throw new BrokenStream('not an event');
      return read(partnerId, id);
    };
    log.readJoined = async (...asked) => ({ ...(await readJoined(...asked)), unreadable: ['acme#job_a joined#1'] });
    log.callbacks = { items: [], unreadable: ['acme#job_a callback#1'] };

    expect((await readJobs()).jobs).toEqual(['job_a']);
    const reported = scene.ports.reported.filter(({ code }) => /^(RECORD|STREAM)_/.test(code));
    expect(reported).toEqual(
      expect.arrayContaining([
        { code: 'RECORD_UNREADABLE', fields: { dependency: 'cancellation-log', key: 'acme#job_a joined#1' } },
        { code: 'RECORD_UNREADABLE', fields: { dependency: 'cancellation-log', key: 'acme#job_a callback#1' } },
        { code: 'STREAM_BROKEN', fields: { partnerId: acme, jobId: documentedJob, why: 'not an event' } },
      ]),
    );
    expect(reported).toHaveLength(3);
    log.read = () => Promise.reject(broken('cancellation-log'));
    await expect(readPage()).rejects.toThrow(DependencyUnavailable);
  });

  test('never calls a broken stream no cancellation, and advances past it', async () => {
    await scene.cancel();
    await scene.register({ jobId: jobId('job_0') });
    scene.ports.log.read = async (_, id) => {
      if (id === documentedJob) throw new BrokenStream('not an event');
      return { events: [] };
    };

    expect(await readPage()).toEqual({ kind: 'unresolved' });
    expect(await readJobs({ limit: 1 })).toEqual({ jobs: [], next: documentedJob });
  });

  test('never shows another partner’s cancellation', async () => {
    await scene.cancel();

    expect(await readCancellation(scene.ports, globex, documentedJob)).toBeUndefined();
  });
});

describe('a page', () => {
  beforeEach(async () => {
    scene = await given({ jobs: [] });
  });

  test('shows the newest job first, and the next one begins where it ends', async () => {
    await cancelNewJob('job_a', 1_000);
    await cancelNewJob('job_b', 2_000);
    await cancelNewJob('job_c', 3_000);
    await cancelNewJob('job_d', 2_500);

    expect(await readJobs({ limit: 3 })).toEqual({ jobs: ['job_b', 'job_d', 'job_c'], next: 'job_b' });
    expect(await readJobs({ limit: 3, after: jobId('job_b') })).toEqual({ jobs: ['job_a'], next: undefined });
    expect(await readJobs({ limit: 4 })).toEqual({ jobs: ['job_a', 'job_b', 'job_d', 'job_c'], next: undefined });
  });

  test('is shorter by the jobs without a cancellation, and the last one may be empty', async () => {
    await cancelNewJob('job_b');
    await scene.register({ jobId: jobId('job_a') });

    expect(await walk({ limit: 1 })).toEqual([['job_b'], []]);
    expect(await readPage({ after: jobId('a') })).toEqual({ kind: 'cancellations', views: [], refused: noRefusals });
  });

  test('ends before it takes too many bytes, but shows at least one', async () => {
    for (const id of ['job_a', 'job_b', 'job_c', 'job_d', 'job_e', 'job_f', 'job_g']) await cancelNewJob(id);

    expect(await walk({ maxBytes: 3, bytesOf: () => 1 })).toEqual([
      ['job_g', 'job_f', 'job_e'],
      ['job_d', 'job_c', 'job_b'],
      ['job_a'],
    ]);
    expect(await walk({ maxBytes: 3, bytesOf: () => 4, limit: 2 })).toHaveLength(7);
  });

  test('reads no more cancellations than it has room for, but for a few', async () => {
    for (let n = 10; n < 30; n += 1) await cancelNewJob(`job_${n}`);
    let reads = 0;
    const { log } = scene.ports;
    const read = log.read.bind(log);
    log.read = (...name) => {
      reads += 1;
      return read(...name);
    };
    await readJobs({ maxBytes: 1 });

    expect(reads).toBeLessThanOrEqual(5);
  });

  test('whatever is registered meanwhile, a walk shows each job once', async () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(names, names, fc.integer({ min: 1, max: 4 }), async (before, meanwhile, limit) => {
        scene = await given({ jobs: [] });
        for (const id of before) await cancelNewJob(id);
        const pages = await walk({ limit }, (n) => cancelNewJob(meanwhile[n % meanwhile.length] ?? 'x'));
        const shown: readonly string[] = pages.flat();

        expect(new Set(shown).size).toBe(shown.length);
        expect(before.filter((id) => !shown.includes(id))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('requests that reached no job', () => {
  const name = externalId('order-1');
  const refuse = (fields: Partial<CancelRequest> = {}) => scene.cancel({ externalId: name, ...fields });
  const refusedOf = async (page: Partial<PageRequest> = {}) => {
    const found = await readPage({ externalId: name, ...page });
    if (found.kind !== 'cancellations') throw new Error(found.kind);
    return found.refused;
  };

  test('are shown to their partner, the newest first, also where the externalId has no job', async () => {
    await refuse({ requestId: 'r-1' });
    scene.ports.clock.advance(1_000);
    await refuse({ requestId: 'r-2', door: 'events', jobId: jobId('job_asked') });

    expect(await readPage({ externalId: name })).toEqual({
      kind: 'cancellations',
      views: [],
      refused: {
        refusals: [
          {
            at: '2026-11-23T12:00:01.000Z',
            why: 'job_not_found',
            door: 'events',
            requestId: 'r-2',
            jobId: 'job_asked',
          },
          { at: '2026-11-23T12:00:00.000Z', why: 'job_not_found', door: 'https', requestId: 'r-1' },
        ],
        count: 2,
      },
    });
    expect(await readPage({ externalId: name, partnerId: globex })).toEqual({ kind: 'job_not_found' });
    expect(await readPage({ externalId: externalId('order-2') })).toEqual({ kind: 'job_not_found' });
  });

  test('are shown beside cancellations', async () => {
    await scene.cancel();
    await scene.cancel({ jobId: jobId('job_of_another_name') });

    expect(await readPage()).toMatchObject({ views: [{}], refused: { count: 1 } });
  });

  test('are the newest 20, and are counted up to 100', async () => {
    for (let n = 0; n < 120; n += 1) {
      scene.ports.clock.advance(1_000);
      await refuse({ requestId: `r-${n}` });
    }
    const { refusals, count } = await refusedOf();

    expect(count).toBe(100);
    expect(refusals.map(({ requestId }) => requestId)).toEqual(Array.from({ length: 20 }, (_, n) => `r-${119 - n}`));
  });

  test('are shown for 30 days', async () => {
    await refuse();
    scene.ports.clock.advance(30 * 86_400_000);
    expect(await refusedOf()).toMatchObject({ count: 1 });
    scene.ports.clock.advance(1);

    expect(await readPage({ externalId: name })).toEqual({ kind: 'job_not_found' });
  });

  test('are refused also when only the list of them cannot be written, and that is reported', async () => {
    scene.ports.directory.before = (call) => {
      if (call === 'keepRefusal') throw broken('job-directory');
    };

    expect(await refuse()).toEqual({ kind: 'job_not_found' });
    expect(scene.ports.log.refused).toHaveLength(1);
    expect(scene.codes()).toContain('DEPENDENCY_UNAVAILABLE');
  });

  test('do not hide a bug in listing them', async () => {
    scene.ports.directory.before = (call) => {
      if (call === 'keepRefusal') throw new TypeError('a bug');
    };

    await expect(refuse()).rejects.toThrow('a bug');
  });

  test('that cannot be read are counted and reported', async () => {
    await refuse();
    const { directory } = scene.ports;
    directory.findRefusals = async () => ({ items: [], unreadable: ['acme#refused#sha256:0 sha256:1'] });

    expect(await refusedOf()).toEqual({ refusals: [], count: 1 });
    expect(scene.codes()).toContain('RECORD_UNREADABLE');
  });
});
