import type { Context, SQSRecord } from 'aws-lambda';
import { beforeEach, describe, expect, test } from 'vitest';
import type { WakeUp } from '../../../functions/core/ports.ts';
import { writeWakeUpMessage } from '../../../functions/core/wake-up-message.ts';
import { handleWakeUps } from '../../../functions/doors/wake-ups/handle-wake-ups.ts';
import { sqsRecord } from '../../proof/crash/invocations.ts';
import { given, type Scene } from '../../support/given.ts';
import { broken } from '../../support/memory-ports.ts';
import { acme, documentedJob } from '../../support/names.ts';

let scene: Scene;
let wakeUp: WakeUp;
beforeEach(async () => {
  scene = await given({ plangrep: { cancel: { kind: 'unknown', why: 'timeout' } } });
  await scene.cancel();
  const [sent] = scene.ports.wakeUpQueue.sent.splice(0);
  if (sent === undefined) throw new Error('no message');
  wakeUp = sent;
  scene.ports.plangrep.calls.length = 0;
  scene.ports.reported.length = 0;
  scene.plangrepAnswers({ cancel: 'cancelled' });
  scene.ports.clock.advance(Date.parse(wakeUp.wakeAt) - scene.ports.clock.now());
});

const context = { getRemainingTimeInMillis: () => 15_000 } as Context;
const consume = async (...Records: SQSRecord[]) => {
  const { batchItemFailures } = await handleWakeUps(scene.ports)({ Records }, context);
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
};
const logBreaks = (): void => {
  scene.ports.log.read = () => Promise.reject(broken('cancellation-log'));
};

describe('a message of the wake-up queue', () => {
  test('closes the cancellation that it names', async () => {
    expect(await consume(sqsRecord('one', writeWakeUpMessage(wakeUp)))).toEqual([]);

    expect(await scene.eventTypes()).toEqual(['requested', 'attempt_ended', 'attempt_started', 'closed']);
  });

  test('that comes twice, in one batch or later, does it once', async () => {
    const body = writeWakeUpMessage(wakeUp);

    expect(await consume(sqsRecord('one', body), sqsRecord('again', body))).toEqual([]);
    expect(await consume(sqsRecord('late', body))).toEqual([]);

    expect(scene.calls()).toEqual([`read ${documentedJob}`, `cancel ${documentedJob}`]);
  });

  test('for a stream that does not exist does nothing', async () => {
    const other = { ...wakeUp, jobId: 'job_other' as WakeUp['jobId'] };

    expect(await consume(sqsRecord('one', writeWakeUpMessage(other)))).toEqual([]);

    expect(scene.calls()).toEqual([]);
    expect(scene.ports.reported).toEqual([]);
  });

  const bad: readonly (readonly [string, (wakeUp: WakeUp) => string])[] = [
    ['no JSON', () => '{'],
    ['empty', () => ''],
    ['a list', (good) => JSON.stringify([good])],
    ['without a partner', ({ jobId, seq, wakeAt }) => JSON.stringify({ jobId, seq, wakeAt })],
    ['of a partner that cannot be', (good) => JSON.stringify({ ...good, partnerId: 'ACME#job_1' })],
    ['of a job that cannot be', (good) => JSON.stringify({ ...good, jobId: '../x' })],
    ['with the number 0', (good) => JSON.stringify({ ...good, seq: 0 })],
    ['with half a number', (good) => JSON.stringify({ ...good, seq: 1.5 })],
    ['with a time of another form', (good) => JSON.stringify({ ...good, wakeAt: 'soon' })],
    ['with a field too many', (good) => JSON.stringify({ ...good, claimedBy: 'me' })],
  ];
  test.each(bad)(
    'that is %s is reported by its id and dropped, and the others of its batch succeed',
    async (_, spoil) => {
      const Records = [sqsRecord('bad', spoil(wakeUp)), sqsRecord('good', writeWakeUpMessage(wakeUp))];

      expect(await consume(...Records)).toEqual([]);

      expect(scene.ports.reported.filter(({ code }) => code === 'RECORD_UNREADABLE')).toEqual([
        { code: 'RECORD_UNREADABLE', fields: { dependency: 'wake-ups', key: 'bad' } },
      ]);
      expect(await scene.eventTypes()).toContain('closed');
    },
  );

  test('whose look fails comes again twice, and is then left to the schedule', async () => {
    logBreaks();
    const receives = async (count: number) => consume(sqsRecord('one', writeWakeUpMessage(wakeUp), count));

    expect([await receives(1), await receives(2), await receives(3)]).toEqual([['one'], ['one'], []]);

    const fields = { partnerId: acme, jobId: documentedJob, dependency: 'cancellation-log', cause: 'Error' };
    const failure = { code: 'DEPENDENCY_UNAVAILABLE', fields };
    expect(scene.ports.reported).toEqual([failure, failure, failure]);
  });

  test('that ended the process three times is not looked at again', async () => {
    expect(await consume(sqsRecord('one', writeWakeUpMessage(wakeUp), 4))).toEqual([]);

    expect(scene.calls()).toEqual([]);
  });

  test('leaves 5 s of the invocation to the writes', async () => {
    const untils: number[] = [];
    scene.ports.plangrep.read = async (_, untilMs) => {
      untils.push(untilMs);
      return { kind: 'unknown', why: 'timeout' };
    };

    await consume(sqsRecord('one', writeWakeUpMessage(wakeUp)));

    expect(untils).toEqual([scene.ports.clock.now() + 10_000]);
  });
});
