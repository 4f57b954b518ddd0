import { beforeEach, describe, expect, it } from 'vitest';
import type { CancelRequest } from '../../functions/core/cancel-request.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import type { PlangrepJob } from '../../functions/core/ports.ts';
import { registerJob } from '../../functions/core/use-cases/register-job.ts';
import { requestCancellation } from '../../functions/core/use-cases/request-cancellation.ts';
import { createMemoryPorts, type MemoryPorts } from '../support/memory-ports.ts';
import {
  acme,
  cancelOrder7890,
  documentedJob,
  documentedProject,
  externalId,
  globex,
  jobId,
  order7890,
} from '../support/names.ts';

let ports: MemoryPorts;
beforeEach(() => {
  ports = createMemoryPorts();
  ports.projects.set(acme, [documentedProject]);
});
const cancel = (more: Partial<CancelRequest> = {}) => requestCancellation(ports, { ...cancelOrder7890, ...more });
const job = (id: string, status = 'processing', more: Partial<PlangrepJob> = {}): PlangrepJob => ({
  id: jobId(id),
  status,
  externalId: order7890,
  ...more,
});
const listed = (...jobs: PlangrepJob[]) => {
  ports.plangrep.onList = () => ({ kind: 'jobs', jobs });
};
const list = `list ${documentedProject}`;

describe('a job that nobody registered', () => {
  it('is found by listing the partner’s projects, remembered, and cancelled', async () => {
    listed(job('job_other', 'processing', { externalId: 'order-78900' }), job('job_1'));
    expect(await cancel()).toMatchObject({ state: { jobId: 'job_1', step: { outcome: 'cancelled' } } });
    expect(ports.plangrep.calls).toEqual([list, 'cancel job_1']);
    expect(await ports.directory.find(acme, order7890)).toMatchObject([{ jobId: 'job_1', listed: true }]);
  });

  it('is as old as Plangrep says', async () => {
    listed(job('job_1', 'processing', { createdAt: '2024-11-02T09:00:00.000Z' }));
    await cancel();
    expect(await ports.directory.find(acme, order7890)).toMatchObject([{ registeredAt: '2024-11-02T09:00:00.000Z' }]);
  });

  it('is not looked for by a partner without projects', async () => {
    expect(await cancel({ partnerId: globex })).toEqual({ kind: 'job_not_found' });
    expect(ports.plangrep.calls).toEqual([]);
  });

  it('is unknown, never “not found”, while a listing fails', async () => {
    ports.plangrep.onList = () => ({ kind: 'unknown', why: 'timeout' });
    expect(await cancel()).toEqual({ kind: 'unresolved' });
    expect(ports.log.refused).toEqual([]);
  });

  it('is not in a project that Plangrep does not have, and that is reported', async () => {
    ports.plangrep.onList = () => ({ kind: 'not_found' });
    expect(await cancel()).toEqual({ kind: 'job_not_found' });
    expect(ports.reported.map(({ code }) => code)).toContain('LISTING_FAILED');
  });

  it('is not found when no project has it', async () => {
    listed();
    expect(await cancel()).toEqual({ kind: 'job_not_found' });
  });

  it('may be named by its jobId', async () => {
    listed(job('job_1'), job('job_2'));
    expect(await cancel({ jobId: jobId('job_2') })).toMatchObject({ state: { jobId: 'job_2' } });
  });

  it('is left to the partner who has it', async () => {
    const taken = { jobId: jobId('job_1'), registeredAt: toTimestamp(0) };
    await ports.directory.register(globex, externalId('theirs'), taken);
    listed(job('job_1'));
    expect(await cancel()).toEqual({ kind: 'job_not_found' });
  });

  it('is answered by its end when it has ended', async () => {
    listed(job('job_2', 'failed'), job('job_1', 'completed'));
    ports.plangrep.onRead = (id) => ({ kind: 'job', job: { id, status: 'failed' } });
    expect(await cancel()).toMatchObject({ state: { jobId: 'job_2', step: { outcome: 'too_late' } } });
  });

  it('of several that live is never guessed', async () => {
    listed(job('job_1'), job('job_2'), job('job_3', 'completed'));
    expect(await cancel()).toMatchObject({ kind: 'ambiguous_external_id', candidates: { length: 2 } });
  });

  it('of 20,000 in a project is found, and the directory stays small', async () => {
    listed(...Array.from({ length: 20_000 }, (_, n) => job(`job_${n}`, n === 777 ? 'uploading' : 'completed')));
    expect(await cancel()).toMatchObject({ state: { jobId: 'job_777' } });
    expect(await ports.directory.find(acme, order7890)).toHaveLength(1);
  });
});

describe('a listed job that was submitted anew under its externalId', () => {
  const first = job('job_1', 'processing', { createdAt: '2026-11-23T10:00:00.000Z' });
  const second = job('job_2', 'processing', { createdAt: '2026-11-23T11:00:00.000Z' });

  it('is found although the first one is in the directory', async () => {
    listed(first);
    await cancel();
    listed(second, { ...first, status: 'cancelled' });
    ports.plangrep.onRead = (id) => ({ kind: 'job', job: { id, status: id === 'job_1' ? 'cancelled' : 'processing' } });
    expect(await cancel()).toMatchObject({ state: { jobId: 'job_2' } });
  });

  it('is found although the directory knows that the first one ended', async () => {
    listed({ ...first, status: 'completed' });
    ports.plangrep.onRead = (id) => ({ kind: 'job', job: { id, status: id === 'job_1' ? 'completed' : 'processing' } });
    await cancel();
    await ports.directory.rememberTerminal(acme, order7890, jobId('job_1'), 'completed');
    listed(second, { ...first, status: 'completed' });
    expect(await cancel()).toMatchObject({ state: { jobId: 'job_2' } });
  });

  it('is not looked for while the first one’s cancellation is open, nor by a request that names its job', async () => {
    listed(first);
    ports.plangrep.onCancel = (id) => ({ kind: 'job', job: { id, status: 'processing' } });
    await cancel();
    ports.plangrep.calls.length = 0;
    await cancel();
    await cancel({ jobId: jobId('job_1') });
    expect(ports.plangrep.calls).toEqual([]);
  });

  it('is not reached by a late duplicate of the first request', async () => {
    listed(first);
    await cancel({ requestKey: 'k' });
    listed(second, { ...first, status: 'cancelled' });
    expect(await cancel({ requestKey: 'k' })).toMatchObject({ state: { jobId: 'job_1' } });
  });

  it('is not reached by an event of before', async () => {
    listed(second, { ...first, status: 'cancelled' });
    expect(await cancel({ eventTime: '2026-11-23T10:30:00.000Z' })).toEqual({ kind: 'job_not_found' });
  });
});

describe('registering a job', () => {
  const registration = { partnerId: acme, externalId: order7890, jobId: documentedJob, door: 'https' } as const;

  it('puts it in the directory, once', async () => {
    const registeredAt = toTimestamp(0);
    const entry = { jobId: documentedJob, registeredAt, projectId: undefined };
    const register = (at: string) => registerJob(ports, { ...registration, registeredAt: at, requestId: 'r' });
    expect(await register(registeredAt)).toEqual({ kind: 'registered', entry });
    expect(await register(toTimestamp(1))).toEqual({ kind: 'registered', entry });
    expect(await ports.directory.find(acme, order7890)).toEqual([entry]);
  });
});

describe('an event’s time, which covers a whole second', () => {
  const eventTime = '2026-11-23T11:00:00.000Z';
  const at = (registeredAt: string, id: string) =>
    ports.directory.register(acme, order7890, { jobId: jobId(id), registeredAt });
  beforeEach(() => listed());

  it('reaches a job registered within that second when there is no other', async () => {
    await at('2026-11-23T11:00:00.999Z', 'job_1');
    expect(await cancel({ eventTime })).toMatchObject({ state: { jobId: 'job_1' } });
  });

  it('reaches the one registered before it, not the one within that second', async () => {
    await at('2026-11-23T10:59:59.999Z', 'job_1');
    await at('2026-11-23T11:00:00.500Z', 'job_2');
    expect(await cancel({ eventTime })).toMatchObject({ state: { jobId: 'job_1' } });
  });

  it('reaches none registered later, unless the event names it', async () => {
    await at('2026-11-23T11:00:01.000Z', 'job_1');
    expect(await cancel({ eventTime })).toEqual({ kind: 'job_not_found' });
    expect(await cancel({ eventTime, jobId: jobId('job_1') })).toMatchObject({ state: { jobId: 'job_1' } });
  });
});

describe('a refusal that will be tried again', () => {
  it('is not on record yet', async () => {
    listed();
    expect(await cancel({ refusal: 'provisional' })).toEqual({ kind: 'job_not_found' });
    expect(ports.log.refused).toEqual([]);
  });
});
