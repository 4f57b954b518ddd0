import { beforeEach, describe, expect, it } from 'vitest';
import type { CancelRequest } from '../../functions/core/cancel-request.ts';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import type { EventBody } from '../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { DependencyUnavailable } from '../../functions/core/report.ts';
import { readCancellation, readCancellationsOf } from '../../functions/core/use-cases/read-cancellations.ts';
import { requestCancellation } from '../../functions/core/use-cases/request-cancellation.ts';
import { broken, createMemoryPorts, type MemoryPorts } from '../support/memory-ports.ts';
import { acme, cancelOrder7890, documentedJob, externalId, globex, jobId, order7890 } from '../support/names.ts';

const older = jobId('job_older');
const newer = jobId('job_newer');

let ports: MemoryPorts;
beforeEach(async () => {
  ports = createMemoryPorts();
  await register(documentedJob, -60_000);
});

/** @param ms after the ports' now */
const register = (id: typeof documentedJob, ms: number, name = order7890) =>
  ports.directory.register(acme, name, { jobId: id, registeredAt: toTimestamp(ports.clock.now() + ms) });
const cancel = (more: Partial<CancelRequest> = {}) => requestCancellation(ports, { ...cancelOrder7890, ...more });
const typesOf = async (id = documentedJob) => (await ports.log.read(acme, id)).events.map(({ type }) => type);
const aliveBut = (...terminal: string[]) => {
  ports.plangrep.onRead = (id) => ({
    kind: 'job',
    job: { id, status: terminal.includes(id) ? 'completed' : 'processing' },
  });
};

describe('a request for a job that nobody cancelled yet', () => {
  it('writes its intent, cancels, and closes', async () => {
    expect(await cancel()).toMatchObject({ kind: 'closed', state: { step: { outcome: 'cancelled' } } });
    expect(await typesOf()).toEqual(['requested', 'closed']);
    expect(ports.plangrep.calls).toEqual([`cancel ${documentedJob}`]);
  });

  it('calls Plangrep only once the intent is durable', async () => {
    ports.plangrep.onCancel = async (id) => {
      expect(await typesOf()).toEqual(['requested']);
      return { kind: 'job', job: { id, status: 'cancelled' } };
    };
    await cancel();
    expect.assertions(1);
  });

  it('carries a wake-up at the end of its lease with the intent, and none once closed', async () => {
    const wakeUps: (string | undefined)[] = [];
    const append = ports.log.append.bind(ports.log);
    ports.log.append = (event, wakeAt) => {
      wakeUps.push(wakeAt);
      return append(event, wakeAt);
    };
    await cancel();
    expect(wakeUps).toEqual([toTimestamp(ports.clock.now() + 45_000), undefined]);
  });

  it('stays open, and says when to look again, when Plangrep takes its time', async () => {
    ports.plangrep.onCancel = (id) => ({ kind: 'job', job: { id, status: 'processing' } });
    expect(await cancel()).toMatchObject({ state: { step: { kind: 'waiting' } }, retryAfterMs: 15_000 });
    expect(await typesOf()).toEqual(['requested', 'attempt_ended']);
  });

  it('raises the alarm when Plangrep refuses our key, and stays open', async () => {
    ports.plangrep.onCancel = () => ({ kind: 'key_refused' });
    expect(await cancel()).toMatchObject({ state: { step: { kind: 'waiting', result: 'key_refused' } } });
    expect(ports.reported.map(({ code }) => code)).toContain('PLANGREP_KEY_REFUSED');
  });

  it('does nothing at all when the intent cannot be written', async () => {
    ports.log.beforeWrite = () => Promise.reject(broken('cancellation-log'));
    await expect(cancel()).rejects.toThrow(DependencyUnavailable);
    expect(ports.plangrep.calls).toEqual([]);
  });

  it('answers that it is open, which is the truth, when only the end cannot be written', async () => {
    ports.log.beforeWrite = (record) => {
      if (record.type === 'closed') throw broken('cancellation-log');
    };
    expect(await cancel()).toMatchObject({ state: { step: { kind: 'attempting' } }, retryAfterMs: 45_000 });
    expect(ports.reported).toContainEqual({
      code: 'AUDIT_WRITE_FAILED',
      fields: { partnerId: acme, jobId: documentedJob, type: 'closed' },
    });
  });

  it('lets a bug surface', async () => {
    ports.log.beforeWrite = (record) => {
      if (record.type === 'closed') throw new TypeError('a bug');
    };
    await expect(cancel()).rejects.toThrow('a bug');
  });

  it('is fenced when it wakes up after another took its attempt over', async () => {
    const takeOver = async () => {
      const [requested] = (await ports.log.read(acme, documentedJob)).events;
      if (requested === undefined) throw new Error('no intent');
      const body: EventBody = { type: 'closed', outcome: 'too_late', jobStatus: 'completed' };
      const place = { eventId: 'other', at: toTimestamp(ports.clock.now()) };
      await ports.log.append(sealEvent(requested, requested, body, place));
    };
    ports.plangrep.onCancel = async (id) => {
      await takeOver();
      return { kind: 'job', job: { id, status: 'cancelled' } };
    };
    expect(await cancel()).toMatchObject({ state: { step: { outcome: 'too_late' } } });
    expect(ports.reported.map(({ code }) => code)).toEqual(['ATTEMPT_FENCED']);
  });
});

describe('a request for a job that has a cancellation', () => {
  it('joins it, calls nothing, and is on record', async () => {
    await cancel();
    expect(await cancel({ requestId: 'request-2', reason: 'again' })).toMatchObject({
      state: { step: { outcome: 'cancelled' } },
    });
    expect(ports.plangrep.calls).toHaveLength(1);
    expect(ports.log.joined).toMatchObject([{ type: 'joined', requestId: 'request-2', reason: 'again', keyId: 'key' }]);
  });

  it('is due at once if its wake-up was removed by tampering', async () => {
    ports.plangrep.onCancel = (id) => ({ kind: 'job', job: { id, status: 'processing' } });
    const open = await cancel();
    const [, newest] = ports.log.streams.get(`acme#${documentedJob}`) ?? [];
    if (newest !== undefined) newest.wakeAt = undefined;

    expect(open).toMatchObject({ kind: 'open', retryAfterMs: 15_000 });
    expect(await cancel()).toMatchObject({ kind: 'open', retryAfterMs: 0 });
  });

  it('finds one winner among many at once', async () => {
    const ends = await Promise.all(Array.from({ length: 50 }, (_, n) => cancel({ requestId: `request-${n}` })));
    expect(ends.every(({ kind }) => kind === 'open' || kind === 'closed')).toBe(true);
    expect(ports.plangrep.calls).toHaveLength(1);
    expect(ports.log.joined).toHaveLength(49);
  });

  it('is answered even when its own record cannot be written, and that is reported', async () => {
    await cancel();
    ports.log.beforeWrite = ({ type }) => {
      if (type === 'joined') throw broken('cancellation-log');
    };
    expect(await cancel()).toMatchObject({ kind: 'closed' });
    expect(ports.reported.map(({ code }) => code)).toContain('AUDIT_WRITE_FAILED');
  });

  it('lets a bug in recording surface', async () => {
    await cancel();
    ports.log.beforeWrite = ({ type }) => {
      if (type === 'joined') throw new TypeError('a bug');
    };
    await expect(cancel()).rejects.toThrow('a bug');
  });
});

describe('a request that reaches no job', () => {
  it.each([
    ['an externalId nobody registered', { externalId: externalId('order-1') }],
    ['another partner’s externalId', { partnerId: globex }],
    ['a jobId that is not behind the externalId', { jobId: newer }],
  ])('%s: not found, on record, nothing called', async (_, more) => {
    expect(await cancel(more)).toEqual({ kind: 'job_not_found' });
    expect(ports.log.refused).toMatchObject([{ type: 'refused', why: 'job_not_found', requestId: 'request-1' }]);
    expect(ports.plangrep.calls).toEqual([]);
  });

  it('is unavailable, not refused, when the refusal cannot be recorded', async () => {
    ports.log.beforeWrite = () => Promise.reject(broken('cancellation-log'));
    await expect(cancel({ partnerId: globex })).rejects.toThrow(DependencyUnavailable);
  });
});

describe('several jobs behind one externalId', () => {
  beforeEach(async () => {
    await register(older, -120_000);
    await register(newer, -1_000);
  });

  it('cancels the one that is named', async () => {
    expect(await cancel({ jobId: older })).toMatchObject({ state: { jobId: older } });
    expect(ports.plangrep.calls).toEqual([`cancel ${older}`]);
  });

  it('never guesses between two that live', async () => {
    aliveBut(older);
    const end = await cancel();
    expect(end).toMatchObject({
      kind: 'ambiguous_external_id',
      candidates: [
        { jobId: newer, jobStatus: 'processing' },
        { jobId: documentedJob, jobStatus: 'processing' },
      ],
    });
    expect(ports.plangrep.calls.filter((call) => call.startsWith('cancel'))).toEqual([]);
    expect(ports.log.refused).toMatchObject([{ why: 'ambiguous_external_id' }]);
  });

  it('takes the only one that lives, and reads the others once and for all', async () => {
    aliveBut(older, documentedJob);
    expect(await cancel()).toMatchObject({ state: { jobId: newer } });
    ports.plangrep.calls.length = 0;
    await cancel();
    expect(ports.plangrep.calls).toEqual([`read ${newer}`]);
  });

  it('leaves out a job that Plangrep does not know', async () => {
    ports.plangrep.onRead = (id) =>
      id === newer ? { kind: 'job', job: { id, status: 'uploading' } } : { kind: 'not_found' };
    expect(await cancel()).toMatchObject({ state: { jobId: newer } });
  });

  it('answers by the newest when all have ended, without a cancel call', async () => {
    aliveBut(older, documentedJob, newer);
    expect(await cancel()).toMatchObject({ state: { jobId: newer, step: { outcome: 'too_late' } } });
    expect(ports.plangrep.calls.filter((call) => call.startsWith('cancel'))).toEqual([]);
  });

  it('does not decide while one of them cannot be read', async () => {
    ports.plangrep.onRead = (id) =>
      id === older ? { kind: 'unknown', why: 'timeout' } : { kind: 'job', job: { id, status: 'completed' } };
    expect(await cancel()).toEqual({ kind: 'unresolved' });
    expect(ports.log.streams.size).toBe(0);
  });

  it('cancels all the same when it cannot remember which have ended', async () => {
    aliveBut(older, documentedJob);
    ports.directory.before = (call) => {
      if (call === 'rememberTerminal') throw broken('job-directory');
    };
    expect(await cancel()).toMatchObject({ state: { jobId: newer } });
    expect(ports.reported.map(({ code }) => code)).toContain('DEPENDENCY_UNAVAILABLE');
  });

  it('lets a bug in remembering surface', async () => {
    aliveBut(older, documentedJob);
    ports.directory.before = (call) => {
      if (call === 'rememberTerminal') throw new TypeError('a bug');
    };
    await expect(cancel()).rejects.toThrow('a bug');
  });

  it('stops reading at the second live one, however many there are', async () => {
    for (let n = 0; n < 200; n++) await register(jobId(`job_${n}`), n);
    await cancel();
    expect(ports.plangrep.calls).toHaveLength(5);
  });

  it('reads on through a long history of ended ones', async () => {
    for (let n = 0; n < 20; n++) await register(jobId(`job_${n}`), n);
    aliveBut(...Array.from({ length: 20 }, (_, n) => `job_${n}`), older, newer);
    expect(await cancel()).toMatchObject({ state: { jobId: documentedJob } });
  });
});

describe('a job known to have ended', () => {
  it('is read, not cancelled', async () => {
    await ports.directory.rememberTerminal(acme, order7890, documentedJob, 'completed');
    aliveBut(documentedJob);
    expect(await cancel()).toMatchObject({ state: { step: { outcome: 'too_late' } } });
    expect(ports.plangrep.calls).toEqual([`read ${documentedJob}`]);
  });
});

describe('a request with a key', () => {
  const requestKey = 'key-1';
  beforeEach(() => aliveBut());

  it('is bound to its job: a repeat never reaches a job that was submitted anew', async () => {
    await cancel({ requestKey });
    ports.clock.advance(1_000);
    await register(newer, 0);
    aliveBut(documentedJob);
    expect(await cancel({ requestKey })).toMatchObject({ state: { jobId: documentedJob } });
    expect(ports.plangrep.calls).toEqual([`cancel ${documentedJob}`]);
  });

  it('is refused when the key stands for another request', async () => {
    await cancel({ requestKey });
    expect(await cancel({ requestKey, reason: 'other' })).toEqual({ kind: 'idempotency_key_reused' });
    expect(ports.log.refused).toMatchObject([{ why: 'idempotency_key_reused' }]);
  });

  it('belongs to its partner alone', async () => {
    await cancel({ requestKey });
    expect(await cancel({ requestKey, partnerId: globex, externalId: externalId('x') })).toEqual({
      kind: 'job_not_found',
    });
  });

  it('reaches no job registered after it was first seen, though it reached none then', async () => {
    const name = externalId('order-1');
    expect(await cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });
    ports.clock.advance(1_000);
    await register(newer, 0, name);
    expect(await cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });
    expect(await cancel({ requestKey: 'key-2', externalId: name })).toMatchObject({ state: { jobId: newer } });
  });

  it('was first seen before anything was read: a job that is registered meanwhile came after it', async () => {
    const name = externalId('order-1');
    const find = ports.directory.find.bind(ports.directory);
    ports.directory.find = async (...names) => {
      const found = await find(...names);
      ports.clock.advance(5);
      await register(newer, 0, name);
      ports.clock.advance(5);
      return found;
    };
    expect(await cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });
    ports.directory.find = find;
    expect(await cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });
  });

  it('is bound later when it was ambiguous at first', async () => {
    await register(older, -120_000);
    expect(await cancel({ requestKey })).toMatchObject({ kind: 'ambiguous_external_id' });
    aliveBut(older);
    expect(await cancel({ requestKey })).toMatchObject({ state: { jobId: documentedJob } });
    expect(ports.directory.bindings.get(`acme#${requestKey}`)?.jobId).toBe(documentedJob);
  });

  it('leaves no binding when it could not be resolved', async () => {
    await register(older, -120_000);
    ports.plangrep.onRead = () => ({ kind: 'rate_limited' });
    expect(await cancel({ requestKey })).toEqual({ kind: 'unresolved' });
    expect(ports.directory.bindings.size).toBe(0);
  });

  it('goes by the binding that another made first', async () => {
    await register(older, -120_000);
    const bind = ports.directory.bind.bind(ports.directory);
    ports.directory.bind = async (partnerId, key, binding) => {
      await bind(partnerId, key, { ...binding, jobId: older });
      return bind(partnerId, key, binding);
    };
    aliveBut(older);
    expect(await cancel({ requestKey })).toMatchObject({ state: { jobId: older } });
  });

  it('notices at binding time that the key just came to stand for another request', async () => {
    const bind = ports.directory.bind.bind(ports.directory);
    ports.directory.bind = async (partnerId, key, binding) => {
      await bind(partnerId, key, { ...binding, fingerprint: 'other' });
      return bind(partnerId, key, binding);
    };
    expect(await cancel({ requestKey })).toEqual({ kind: 'idempotency_key_reused' });
  });

  it('stays without a job when another request of its kind just found none', async () => {
    const name = externalId('order-1');
    const bind = ports.directory.bind.bind(ports.directory);
    ports.directory.bind = async (partnerId, key, binding) => {
      await bind(partnerId, key, binding);
      return bind(partnerId, key, binding);
    };
    expect(await cancel({ requestKey, externalId: name })).toEqual({ kind: 'job_not_found' });
  });
});

describe('a request with a time of its own', () => {
  it('reaches no job registered later', async () => {
    const eventTime = toTimestamp(ports.clock.now() - 120_000);
    expect(await cancel({ eventTime })).toEqual({ kind: 'job_not_found' });
    expect(await cancel({ eventTime: toTimestamp(ports.clock.now()) })).toMatchObject({ kind: 'closed' });
  });
});

describe('reading', () => {
  it('shows a cancellation with its events and who joined', async () => {
    await cancel();
    await cancel({ requestId: 'request-2' });
    const found = await readCancellationsOf(ports, acme, order7890);
    const [view] = found.kind === 'cancellations' ? found.views : [];
    expect(view?.events.map(({ type }) => type)).toEqual(['requested', 'closed']);
    expect(view?.joined.map(({ requestId }) => requestId)).toEqual(['request-2']);
    expect(await readCancellation(ports, acme, documentedJob)).toEqual(view);
  });

  it('tells an unknown externalId from one without a cancellation', async () => {
    expect(await readCancellationsOf(ports, acme, order7890)).toEqual({ kind: 'cancellations', views: [] });
    expect(await readCancellationsOf(ports, globex, order7890)).toEqual({ kind: 'job_not_found' });
  });

  it('never shows another partner’s cancellation', async () => {
    await cancel();
    expect(await readCancellation(ports, globex, documentedJob)).toBeUndefined();
  });
});
