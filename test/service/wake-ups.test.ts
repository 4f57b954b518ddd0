import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { localQueueUrl } from '../../infra/local/aws/events/queue-endpoint.ts';
import { localRegion } from '../../infra/local/aws/loopback.ts';
import { startLocalRun } from '../../infra/local/run.ts';
import { wakeUpQueueName } from '../../infra/local/seeds.ts';
import { givenService, type Service } from '../support/given-service.ts';
import { callAs } from '../support/local-run.ts';
import { watchAnswers } from '../support/openapi/openapi-answers.ts';
import { temporaryFolder } from '../local/arrange.ts';

async function isClosed(service: Service, jobId: string): Promise<void> {
  const waiting = { timeout: 20_000, interval: 50 };
  await vi.waitFor(async () => expect((await service.show(jobId)).body).toMatchObject({ state: 'closed' }), waiting);
}
const codes = ({ run }: Service): readonly unknown[] =>
  run.logs.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).message?.code);

describe('without the schedule, the wake-up queue', () => {
  const service = givenService({ wakeUps: 'delivered' });

  test.each([
    ['was too busy', { on: 'cancel', kind: 'status', status: 429, headers: { 'Retry-After': '1' }, times: 1 }],
    ['failed', { on: 'cancel', kind: 'status', status: 500, times: 1 }],
    ['lost its answer', { on: 'cancel', kind: 'reset', effect: 'applied', times: 1 }],
  ] as const)('brings the next look after Plangrep %s', async (_, fault) => {
    service.plangrepFails(fault);
    const names = await service.newJob();

    const { status } = await service.cancel({ externalId: names.externalId });
    await isClosed(service, names.jobId);

    expect(status).toBe(202);
    expect((await service.show(names.jobId)).body).toMatchObject({ outcome: 'cancelled', attempts: 2 });
    expect(codes(service)).not.toContain('RECONCILED');
  });

  test('takes no message from a partner, and none that waits longer than 15 minutes', async () => {
    const { endpoints, partners, aws } = service.run;
    const send = async (credentials: typeof aws, DelaySeconds: number): Promise<unknown> => {
      const sqs = new SQSClient({ region: localRegion, endpoint: endpoints.sqs, credentials, maxAttempts: 1 });
      onTestFinished(() => sqs.destroy());
      const QueueUrl = localQueueUrl(endpoints.sqs, wakeUpQueueName);
      return sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', DelaySeconds }));
    };

    await expect(send(partners[0]?.aws ?? aws, 0)).rejects.toThrow('security token');
    await expect(send(aws, 901)).rejects.toThrow();
    // Another test's message may still wait.
    expect(service.run.wakeUpQueue.waiting()).not.toContain('x');
  });
});

describe('when the wake-up queue loses everything', () => {
  const service = givenService();

  test('the schedule finds the cancellation and says so', async () => {
    service.plangrepFails({ on: 'cancel', kind: 'status', status: 500, times: 1 });
    const names = await service.newJob();
    await service.cancel({ externalId: names.externalId });
    await vi.waitFor(() => expect(service.run.wakeUpQueue.waiting()).toEqual([]), { timeout: 10_000 });

    const run = await service.reconcile();

    await isClosed(service, names.jobId);
    expect(run).toMatchObject({ payload: { lostByQueue: 1 } });
  });
});

test('a message outlives a restart of the local run', { timeout: 30_000 }, async () => {
  const dataDir = temporaryFolder();
  const { onAnswer, throwIfWrong } = watchAnswers();
  const options = { dataDir, reconcileEveryMs: 0, wakeUps: 'delivered', onAnswer } as const;
  const first = await startLocalRun(options);
  first.simulator?.faults.add({ on: 'cancel', kind: 'status', status: 429, headers: { 'Retry-After': '3' }, times: 1 });
  const { status } = await callAs(first, 'acme', 'POST /v1/cancellations', { externalId: 'order-7890' });
  const waiting = first.wakeUpQueue.waiting();
  await first.close();
  expect(status).toBe(202);
  expect(waiting).toHaveLength(1);

  const second = await startLocalRun(options);
  onTestFinished(() => second.close());
  expect(second.wakeUpQueue.waiting()).toEqual(waiting);
  await vi.waitFor(() => expect(second.wakeUpQueue.waiting()).toEqual([]), { timeout: 20_000, interval: 50 });

  const { body } = await callAs(second, 'acme', 'GET /v1/cancellations?externalId=order-7890');
  expect(body['cancellations']).toMatchObject([{ state: 'closed', outcome: 'cancelled' }]);
  throwIfWrong();
});
