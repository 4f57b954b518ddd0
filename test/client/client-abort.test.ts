import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../client/src/client.ts';
import type { ClientOptions } from '../../client/src/index.ts';
import { type ClientRun, startClientRun } from '../support/client-run.ts';
import { busy } from '../support/front-server.ts';

let service: ClientRun;
beforeAll(async () => {
  service = await startClientRun();
});
afterAll(() => service.close());

describe('an aborted signal ends a call with its reason', () => {
  const reason = new Error('the user went home');

  it('before it starts: nothing is sent', async () => {
    const { client, requests } = service.watchClient();
    const signal = AbortSignal.abort(reason);
    for (const call of [
      client.cancel({ externalId: 'order-7890' }, { signal }),
      client.read({ jobId: 'job_1' }, { signal }),
      client.list({ externalId: 'order-7890' }, { signal }),
      client.registerJob({ jobId: 'job_1', externalId: 'x' }, { signal }),
      client.waitUntilClosed({ jobId: 'job_1' }, { signal }),
    ]) {
      await expect(call).rejects.toBe(reason);
    }
    expect(requests()).toEqual([]);
  });

  it.each([
    ['while there is no answer', () => undefined],
    ['in the middle of an answer', (response: { write(text: string): unknown }) => response.write('{"jobId":')],
  ])('%s, in the last try too', async (_what, begin) => {
    const { client, requests } = service.watchClient({ maxTries: 1 });
    const controller = new AbortController();
    service.front.misbehave((response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      begin(response);
      setTimeout(() => controller.abort(reason), 50);
    });
    await expect(client.cancel({ externalId: 'order-7890' }, { signal: controller.signal })).rejects.toBe(reason);
    expect(requests()).toHaveLength(1);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('between two tries, and between two looks', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 3_600_000 });
    const waiting = () => {
      const controller = new AbortController();
      const clock: ClientOptions['clock'] = {
        now: () => systemClock.now(),
        sleep: (ms, signal) => {
          setTimeout(() => controller.abort(reason), 50);
          return systemClock.sleep(ms, signal);
        },
      };
      return { ...service.watchClient({ clock }), signal: controller.signal };
    };
    const tried = waiting();
    service.front.misbehave(busy(30));
    await expect(tried.client.cancel({ externalId }, { signal: tried.signal })).rejects.toBe(reason);
    expect(tried.requests()).toHaveLength(1);

    await service.watchClient().client.cancel({ externalId });
    const looked = waiting();
    await expect(looked.client.waitUntilClosed({ jobId }, { signal: looked.signal })).rejects.toBe(reason);
    expect(looked.requests()).toHaveLength(1);
    expect(getEventListeners(looked.signal, 'abort')).toEqual([]);
  });

  it('after it has ended: nothing changes', async () => {
    const { externalId } = await service.newJob();
    const controller = new AbortController();
    const result = await service.watchClient().client.cancel({ externalId }, { signal: controller.signal });
    controller.abort(reason);
    expect(result.kind).toBe('cancelled');
  });
});
