import { describe, expect, test, vi } from 'vitest';
import { givenCallbacks } from '../support/callbacks/given-callbacks.ts';
import { givenOps } from '../support/given-ops.ts';
import { givenRunbook, rowOf } from './given-runbook.ts';

const ops = givenOps({ callbacks: 'delivered' });
const { service } = ops;
const callbacks = givenCallbacks(service);
const follow = givenRunbook(ops, 'callbacks');
const soon = { timeout: 40_000, interval: 10 };
const waiting = () => service.run.callbackQueue.waiting();

describe('an operator who follows the runbook', { timeout: 90_000 }, () => {
  test('sees that callbacks wait, that an endpoint is slow, and that they have gone', async () => {
    const section = follow('Callbacks wait');
    await callbacks.setEndpoint('acme');
    callbacks.receiver.behave('silent');
    const { externalId } = await service.newJob();
    await service.cancel({ externalId });
    await vi.waitFor(() => expect(waiting()).toHaveLength(1), soon);

    const first = await section.first();
    await callbacks.removeEndpoint('acme');
    await vi.waitFor(() => expect(waiting()).toEqual([]), soon);
    callbacks.receiver.behave('ok');
    const attempted = await section.type(
      'npm run ops -- logs CALLBACK_ATTEMPTED,FUNCTION_FAILED,DEPENDENCY_UNAVAILABLE --since 15m --environment prod',
    );
    await section.type(
      'aws lambda list-event-source-mappings --function-name plangrep-cancellation-prod-deliver-callbacks:live --query "EventSourceMappings[].[UUID,State,StateTransitionReason]" --output text',
    );
    await section.type('aws lambda update-event-source-mapping --uuid <uuid> --enabled', { uuid: 'id' });
    const [over] = await section.over();

    expect(rowOf(first, 'to deliver-callbacks')[1]).toBe('1');
    expect(attempted.stdout).toMatch(/CALLBACK_ATTEMPTED .*why=timeout/);
    expect(over && rowOf(over, 'to deliver-callbacks')[1]).toBe('0');
  });

  test('finds why messages were given up, and sends them again when that is repaired', async () => {
    const section = follow('Callbacks in the dead-letter queue');
    await callbacks.setEndpoint('acme', { version: 'first' });
    const { externalId, jobId } = await service.newJob();
    await service.cancel({ externalId });
    await vi.waitFor(() => expect(service.run.callbackQueue.deadLetters()).toHaveLength(1), soon);

    const first = await section.first();
    const why = await section.type(
      'npm run ops -- logs DEPENDENCY_UNAVAILABLE,RECORD_UNREADABLE,STREAM_BROKEN,UNEXPECTED_ERROR,FUNCTION_FAILED --since 1d --environment prod',
    );
    await callbacks.setEndpoint('acme');
    const redrive = 'AWS_PROFILE=callbacks-prod npm run ops -- dlq redrive --queue callbacks --environment prod';
    const redriven = await section.type(redrive);
    await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(1), soon);
    const [left] = await section.over();

    expect(rowOf(first, 'callbacks')[1]).toBe('1');
    expect(why.stdout).toMatch(/deliver-callbacks .*RECORD_UNREADABLE .*dependency=partners key=callback#acme/);
    expect(redriven.stdout).toContain('Redrive started: about 1 message.');
    expect(left && rowOf(left, 'callbacks')[1]).toBe('0');
    expect(await ops.run(['dlq', 'redrive', '--queue', 'wake-ups'])).toMatchObject({ code: 2 });
  });

  test('has a partner repair its endpoint, and delivers what was kept meanwhile', async () => {
    const section = follow('Callbacks kept');
    const values = { partner: 'acme', url: `${callbacks.receiver.url}/repaired` };
    const asOperator = (command: string) =>
      section.type(`AWS_PROFILE=callbacks-prod npm run ops -- callback ${command} --environment prod`, values);
    const show = 'npm run ops -- callback show --partner <partner> --environment prod';
    const keptAfter410 = async (): Promise<string> => {
      callbacks.receiver.behave('gone');
      const { externalId, jobId } = await service.newJob();
      await service.cancel({ externalId });
      await vi.waitFor(async () => expect((await section.type(show, values)).stdout).toMatch(/^kept +1 canc/m), soon);
      callbacks.receiver.behave('ok');
      return jobId;
    };
    const isDelivered = (jobId: string) => vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(2), soon);
    const nothingIsKept = () =>
      vi.waitFor(async () => expect((await section.over(values))[0]?.stdout).toMatch(/^kept +nothing$/m), soon);
    await callbacks.setEndpoint('acme');
    await asOperator('replay --partner <partner>');
    await nothingIsKept();

    const toReplay = await keptAfter410();
    const first = await section.first();
    const paused = await section.type(show, values);
    await asOperator('set --partner <partner> --url <url>');
    const tried = await asOperator('test --partner <partner>');
    await asOperator('replay --partner <partner>');
    await isDelivered(toReplay);
    const toResume = await keptAfter410();
    await asOperator('resume --partner <partner>');
    await isDelivered(toResume);

    expect(first.stdout).toMatch(/CALLBACK_KEPT .*why=gone httpStatus=410/);
    expect(paused.stdout).toContain('the endpoint answered 410');
    expect(tried.stdout).toContain('delivered, HTTP 200');
    await nothingIsKept();
  });

  test("sets a partner's callbacks, sees why none arrive, delivers what is late, and makes another secret", async () => {
    const task = follow("A partner's callbacks");
    await callbacks.removeEndpoint('acme');
    callbacks.receiver.behave(() => 'broken');
    const { externalId, jobId } = await service.newJob();
    const since = new Date(Date.now() - 1_000).toISOString();
    const type = (command: string) =>
      task.type(`AWS_PROFILE=callbacks-prod npm run ops -- callback ${command} --environment prod`, {
        partner: 'acme',
        url: `${callbacks.receiver.url}/runbook`,
        time: since,
      });

    const set = await type('set --partner <partner> --url <url>');
    const tested = await type('test --partner <partner>');
    await service.cancel({ externalId });
    // The attempt after these two is 5 minutes later.
    await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(2), soon);
    const shown = await type('show --partner <partner>');
    const logs = await task.type('npm run ops -- logs CALLBACK_ATTEMPTED --since 1d --environment prod');
    callbacks.receiver.behave(() => 'ok');
    const replayed = await type('replay --partner <partner>');
    await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(3), soon);
    await type('replay --partner <partner> --since <time>');
    await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(4), soon);
    const rotated = await type('rotate --partner <partner>');

    expect(set.stdout).toContain('whsec_');
    expect(tested.stdout).toContain('not delivered: http_status, HTTP 500');
    expect(shown.stdout).toMatch(/^retried +1, /m);
    expect(logs.stdout).toMatch(/CALLBACK_ATTEMPTED .*result=failed why=http_status httpStatus=500/);
    expect(replayed.stdout).toMatch(/^\d to deliver for acme/);
    expect(rotated.stdout).toContain('version 1 signs as well');
  });
});
