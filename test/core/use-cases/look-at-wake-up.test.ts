import { beforeEach, describe, expect, test } from 'vitest';
import type { WakeUp } from '../../../functions/core/ports.ts';
import { DependencyUnavailable } from '../../../functions/core/report.ts';
import { lookAtWakeUp } from '../../../functions/core/use-cases/look-at-wake-up.ts';
import { given, type Scene } from '../../support/given.ts';
import { acme, documentedJob, jobId } from '../../support/names.ts';

let scene: Scene;
let message: WakeUp;
beforeEach(async () => {
  scene = await given({ plangrep: { cancel: { kind: 'unknown', why: 'timeout' } } });
  await scene.cancel();
  const [sent] = scene.ports.wakeUpQueue.sent.splice(0);
  if (sent === undefined) throw new Error('no message');
  message = sent;
  scene.ports.plangrep.calls.length = 0;
  scene.plangrepAnswers({ cancel: 'cancelled' });
});

const look = (wakeUp = message) => lookAtWakeUp(scene.ports, wakeUp, Number.MAX_VALUE);
const untilDueMs = () => Date.parse(message.wakeAt) - scene.ports.clock.now();

describe('a message of the wake-up queue', () => {
  test('brings the look that is due', async () => {
    scene.ports.clock.advance(untilDueMs());
    await look();

    expect(scene.calls()).toEqual([`read ${documentedJob}`, `cancel ${documentedJob}`]);
    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended', 'attempt_started', 'closed']);
  });

  test('that comes within the last second waits for the rest, and never looks sooner', async () => {
    scene.ports.clock.advance(untilDueMs() - 1_000);
    await look();

    expect(untilDueMs()).toBe(0);
    expect(await scene.eventTypes()).toContain('closed');
  });

  test('that comes earlier is sent again, and looks at nothing', async () => {
    scene.ports.clock.advance(untilDueMs() - 1_001);
    await look();

    expect(scene.ports.wakeUpQueue.sent).toEqual([message]);
    expect(scene.calls()).toEqual([]);
  });

  test('that comes earlier and cannot be sent again leaves a line with the id of the request', async () => {
    scene.ports.wakeUpQueue.before = () => {
      throw new DependencyUnavailable('wake-ups', new Error('down'));
    };
    await look();

    const [first] = (await scene.ports.log.read(acme, documentedJob)).events;
    const requestId = first?.type === 'requested' ? first.requestId : undefined;
    expect(requestId).toBeDefined();
    expect(scene.ports.reported.at(-1)).toMatchObject({ code: 'WAKE_UP_NOT_SENT', fields: { requestId } });
  });

  test('that a newer wake-up replaced is not sent again', async () => {
    await look({ ...message, wakeAt: '2026-11-23T11:00:00.000Z' });
    await look({ ...message, seq: 1 });

    expect(scene.ports.wakeUpQueue.sent).toEqual([]);
    expect(scene.calls()).toEqual([]);
  });

  test('that is repeated makes no second attempt', async () => {
    scene.ports.clock.advance(untilDueMs());
    await Promise.all([look(), look(), look()]);
    await look();

    expect(scene.calls()).toEqual([`read ${documentedJob}`, `cancel ${documentedJob}`]);
  });

  test('that comes an hour late does no harm: the stream says what is left to do', async () => {
    scene.ports.clock.advance(untilDueMs());
    await look();
    scene.ports.clock.advance(3_600_000);
    await look();

    expect(scene.calls()).toHaveLength(2);
  });

  test('entitles to nothing: the claim of another invocation holds', async () => {
    scene.plangrepAnswers({ read: () => Promise.reject(new Error('killed')) });
    scene.ports.clock.advance(untilDueMs());
    await expect(look()).rejects.toThrow('killed');
    scene.plangrepAnswers({ read: 'processing' });
    scene.ports.plangrep.calls.length = 0;
    await look();

    expect(scene.calls()).toEqual([]);

    scene.ports.clock.advance(45_000);
    await look();

    expect(scene.calls()).toEqual([`read ${documentedJob}`, `cancel ${documentedJob}`]);
  });

  test('of a cancellation that is not there is dropped', async () => {
    await look({ ...message, partnerId: acme, jobId: jobId('job_other') });

    expect(scene.calls()).toEqual([]);
  });
});
