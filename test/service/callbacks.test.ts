import { describe, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../local/arrange.ts';
import { givenCallbacks } from '../support/callbacks/given-callbacks.ts';
import { givenService } from '../support/given-service.ts';
import { startTestRun } from '../support/local-run.ts';
import type { ReceiverBehaviour } from '../support/callbacks/hostile-receiver.ts';

const soon = { timeout: 15_000, interval: 5 };

describe('a partner with an endpoint', () => {
  const service = givenService({ callbacks: 'delivered', queueVisibilityMs: 300 });
  const callbacks = givenCallbacks(service);
  const about = (jobId: string) => callbacks.about(jobId);

  test('is called back, signed, when its cancellation closes; and its records are in the log', async () => {
    await callbacks.setEndpoint('acme');
    const { externalId, jobId } = await service.newJob();

    await service.cancel({ externalId });

    await vi.waitFor(() => expect(about(jobId)).toHaveLength(1), soon);
    const [{ told, objection } = { told: {}, objection: 'nothing came' }] = about(jobId);
    expect(objection).toBeUndefined();
    expect(told).toMatchObject({ type: 'cancellation.closed', data: { jobId, externalId, outcome: 'cancelled' } });
    expect(await service.show(jobId)).toMatchObject({ status: 200 });
    await vi.waitFor(async () => {
      const attempts = (await service.recordsOf(jobId)).filter(({ type }) => type === 'callback');
      expect(attempts).toMatchObject([{ result: 'delivered', httpStatus: 200, about: 'event#000002' }]);
    }, soon);
  });

  test('is called back when a cancel is refused, over HTTPS too', async () => {
    const { externalId } = service.newNames();

    expect(await service.cancel({ externalId })).toMatchObject({ status: 404 });

    await vi.waitFor(() => {
      const types = callbacks.receiver.arrivals
        .map(({ body }) => JSON.parse(body))
        .filter(({ data }) => data.externalId === externalId);
      expect(types).toMatchObject([{ type: 'cancellation.refused' }]);
    }, soon);
  });

  test('is called back again when its endpoint failed: with the same id, and only until it has it', async () => {
    const turns: ReceiverBehaviour[] = ['broken'];
    callbacks.receiver.behave(() => turns.shift() ?? 'ok');
    const { externalId, jobId } = await service.newJob();

    await service.cancel({ externalId });

    await vi.waitFor(() => expect(about(jobId)).toHaveLength(2), soon);
    expect(new Set(about(jobId).map(({ id }) => id)).size).toBe(1);
    expect(about(jobId).map(({ behaviour }) => behaviour)).toEqual(['broken', 'ok']);
  });

  test('that has none is not called, and no attempt is on record', async () => {
    await callbacks.removeEndpoint('acme');
    const { externalId, jobId } = await service.newJob();

    await service.cancel({ externalId });

    await vi.waitFor(() => expect(service.run.callbackQueue.waiting()).toEqual([]), soon);
    expect(about(jobId)).toEqual([]);
    expect((await service.recordsOf(jobId)).map(({ type }) => type)).toEqual(['requested', 'closed']);
  });
});

test('the secret that callbacks are signed with is the same after a restart', async () => {
  const dataDir = temporaryFolder();
  const masterOf = async () => {
    const run = await startTestRun({ dataDir });
    await run.close();
    return run.callbackSecret;
  };
  const first = await masterOf();

  expect(first).toMatch(/^[\w-]{64}$/);
  expect(await masterOf()).toBe(first);
});
