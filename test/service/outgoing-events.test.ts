import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { closedEvent, refusedEvent } from '../../infra/blueprint/bus-events.ts';
import type { BusEvent } from '../../infra/local/aws/events/event-rules.ts';
import { startLocalRun } from '../../infra/local/run.ts';
import { givenService } from '../support/given-service.ts';
import { callAs, itemsOf } from '../support/local-run.ts';
import { watchAnswers } from '../support/openapi/openapi-answers.ts';
import { compileCache } from '../support/run-command.ts';
import { writeOldCancellation } from '../support/write-old-cancellation.ts';

type Detail = Readonly<Record<string, unknown>>;

const detailOf = ({ detail }: BusEvent): Detail => ({ ...Object(detail) });
const about = (events: readonly BusEvent[], jobId: string): readonly BusEvent[] =>
  events.filter((event) => detailOf(event)['jobId'] === jobId);
const text = expect.stringMatching(/./);

describe('what goes out on the bus', () => {
  const events: BusEvent[] = [];
  const service = givenService({ onAnnounced: (event) => events.push(event), queueVisibilityMs: 300 });
  const one = (jobId: string): Promise<BusEvent | undefined> =>
    vi.waitFor(() => {
      expect(about(events, jobId)).toHaveLength(1);
      return about(events, jobId)[0];
    }, 10_000);

  test('is a Job Cancellation Closed with every field of it, as text', async () => {
    const { externalId, jobId } = await service.newJob({
      status: 'processing',
      pageCount: 204,
      successfulPageCount: 112,
    });

    const answer = await service.cancel({ externalId });

    const event = await one(jobId);
    const [, closed] = await service.recordsOf(jobId);
    expect(event).toMatchObject({
      source: closedEvent.source,
      'detail-type': closedEvent.detailType,
      account: '000000000000',
    });
    expect(event?.detail).toEqual({
      partnerId: 'acme',
      jobId,
      outcome: 'cancelled',
      jobStatus: 'cancelled',
      pageCount: '204',
      successfulPageCount: String(closed?.['successfulPageCount']),
      creditsDebited: String(closed?.['creditsDebited']),
      closedAt: closed?.['at'],
      requestId: answer.headers.get('x-request-id'),
      eventId: closed?.['eventId'],
    });
    expect(closed).toMatchObject({ type: 'closed', begunBy: answer.headers.get('x-request-id') });
  });

  test('has empty texts where Plangrep has not counted the pages', async () => {
    const { externalId, jobId } = await service.newJob({ status: 'preflighting', pageCount: null });

    await service.cancel({ externalId });

    const detail = detailOf((await one(jobId)) ?? expect.fail('no event'));
    expect(detail).toMatchObject({ outcome: 'cancelled', pageCount: '', requestId: text, eventId: text });
    expect(Object.keys(detail)).toEqual([
      'partnerId',
      'jobId',
      'outcome',
      'jobStatus',
      'pageCount',
      'successfulPageCount',
      'creditsDebited',
      'closedAt',
      'requestId',
      'eventId',
    ]);
  });

  test('tells of a job that Plangrep does not know, and again when its cancellation begins anew', async () => {
    const names = service.newNames();
    await writeOldCancellation(service, names, 12, [
      [11, { type: 'attempt_ended', attempt: 1, result: 'accepted' }],
      [10, { type: 'observed', result: 'not_found' }],
      [6, { type: 'observed', result: 'not_found' }],
      [1, { type: 'observed', result: 'not_found' }],
    ]);
    await service.reconcile();
    const first = await one(names.jobId);

    await service.run.addJob(names.externalId, names.jobId);
    const answer = await service.cancel({ externalId: names.externalId });

    await vi.waitFor(() => expect(about(events, names.jobId)).toHaveLength(2), 10_000);
    expect(about(events, names.jobId)).toMatchObject([
      { detail: { outcome: 'job_not_found', jobStatus: '', requestId: `r-${names.jobId}` } },
      { detail: { outcome: 'cancelled', requestId: answer.headers.get('x-request-id') } },
    ]);
    expect(first).toMatchObject({ 'detail-type': closedEvent.detailType });
  });

  test('comes once, however often the cancel is repeated', async () => {
    const { externalId, jobId } = await service.newJob();

    await Promise.all([service.cancel({ externalId }), service.cancel({ externalId })]);
    await service.cancel({ externalId });
    await service.reconcile();
    const later = await service.newJob();
    await service.cancel({ externalId: later.externalId });

    await one(later.jobId);
    expect(about(events, jobId)).toHaveLength(1);
  });

  test('is a Job Cancellation Refused for a cancel that came as an event and reaches no job', async () => {
    const { externalId } = service.newNames();
    const before = events.length;

    await service.publish('Job Cancellation Requested', { externalId, jobId: 'job_nowhere' });
    await service.cancel({ externalId: `${externalId} over HTTPS` });
    await service.eventsSettled();

    const records = await service.run.items('CancellationLog');
    const refused = records.find((record) => record['externalId'] === externalId);
    await one('job_nowhere');
    expect(events.slice(before)).toMatchObject([
      { source: refusedEvent.source, 'detail-type': refusedEvent.detailType },
    ]);
    expect(events.at(-1)?.detail).toEqual({
      partnerId: 'acme',
      requestId: refused?.['requestId'],
      why: 'job_not_found',
      jobId: 'job_nowhere',
      refusedAt: refused?.['at'],
      eventId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });
});

describe('a run that is killed', () => {
  const script = (dataDir: string): string => `
    import { writeSync } from 'node:fs';
    import { startLocalRun } from ${JSON.stringify(new URL('../../infra/local/run.ts', import.meta.url).href)};
    const onAnnounced = ({ detail }) => writeSync(1, 'announced ' + JSON.stringify(detail) + '\\n');
    const { baseUrl, partners } = await startLocalRun({ dataDir: ${JSON.stringify(dataDir)}, onAnnounced });
    writeSync(1, 'started ' + JSON.stringify({ baseUrl, partners }) + '\\n');`;

  test('has announced each closed cancellation at least once when it has run again', { timeout: 60_000 }, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'outgoing-'));
    const announced: Detail[] = [];
    const args = ['--input-type=module', '--eval', script(dataDir)];
    const child = spawn(process.execPath, args, { env: { ...compileCache }, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout });
    const started = new Promise<Parameters<typeof callAs>[0]>((resolve) => {
      lines.on('line', (line) => {
        const [, what, json = ''] = /^(\w+) (.+)$/.exec(line) ?? [];
        if (what === 'started') resolve(JSON.parse(json));
        if (what === 'announced') announced.push(JSON.parse(json));
      });
    });
    const run = await started;
    const register = async (n: number): Promise<unknown> =>
      callAs(run, 'acme', 'POST /v1/cancellations', { externalId: `order-789${n}` });
    await Promise.race([Promise.all([0, 1, 2, 3, 4].map(register)), once(lines, 'line')]);
    child.kill('SIGKILL');
    await once(lines, 'close');

    const { onAnswer, throwIfWrong } = watchAnswers();
    const again = await startLocalRun({
      dataDir,
      reconcileEveryMs: 0,
      onAnswer,
      onAnnounced: (event) => announced.push(detailOf(event)),
    });
    const closed = (await itemsOf(again, 'CancellationLog')).filter(({ type }) => type === 'closed');
    await vi.waitFor(() => {
      const told = new Set(announced.map(({ eventId }) => eventId));
      expect(closed.filter(({ eventId }) => !told.has(eventId))).toEqual([]);
    }, 10_000);
    const shown = await callAs(again, 'acme', 'GET /v1/cancellations?externalId=order-7890');
    await again.close();

    expect([200, 404]).toContain(shown.status);
    throwIfWrong();
    expect(closed.length).toBeGreaterThan(0);
    expect(announced.every(({ eventId }) => closed.some((record) => record['eventId'] === eventId))).toBe(true);
  });
});
