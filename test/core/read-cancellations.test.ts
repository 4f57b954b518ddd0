import { beforeEach, describe, expect, test } from 'vitest';
import { readCancellation, readCancellationsOf } from '../../functions/core/use-cases/read-cancellations.ts';
import { given, type Scene } from '../support/given.ts';
import { acme, documentedJob, globex, order7890 } from '../support/names.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await given();
});

describe('a read', () => {
  test('shows a cancellation with its events and the requests that joined', async () => {
    await scene.cancel();
    await scene.cancel({ requestId: 'request-2' });
    const found = await readCancellationsOf(scene.ports, acme, order7890);
    const [view] = found.kind === 'cancellations' ? found.views : [];

    expect(view?.events.map(({ type }) => type)).toEqual(['requested', 'closed']);
    expect(view?.joined.map(({ requestId }) => requestId)).toEqual(['request-2']);
    expect(await readCancellation(scene.ports, acme, documentedJob)).toEqual(view);
  });

  test('distinguishes an unknown externalId from one without a cancellation', async () => {
    expect(await readCancellationsOf(scene.ports, acme, order7890)).toEqual({ kind: 'cancellations', views: [] });
    expect(await readCancellationsOf(scene.ports, globex, order7890)).toEqual({ kind: 'job_not_found' });
  });

  test('reports an entry that cannot be read, shows the others, and never calls the job unknown', async () => {
    scene.ports.directory.unreadable.push('acme#job#sha256:0 job_bad');

    expect(await readCancellationsOf(scene.ports, acme, order7890)).toEqual({ kind: 'cancellations', views: [] });
    expect(await readCancellationsOf(scene.ports, globex, order7890)).toEqual({ kind: 'unresolved' });
    expect(scene.codes()).toEqual(['RECORD_UNREADABLE', 'RECORD_UNREADABLE']);
  });

  test('never shows another partner’s cancellation', async () => {
    await scene.cancel();

    expect(await readCancellation(scene.ports, globex, documentedJob)).toBeUndefined();
  });
});
