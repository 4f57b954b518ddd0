import { describe, expect, test, vi } from 'vitest';
import { givenCallbacks } from '../support/given-callbacks.ts';
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
});
