import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { givenOps } from '../support/given-ops.ts';
import { givenRunbook, rowOf } from './given-runbook.ts';

const ops = givenOps();
const { service } = ops;
const follow = givenRunbook(ops, 'events');

const deadLetters = () => service.run.queue.deadLetters();
const idsOfDeadLetters = () => deadLetters().map((body) => /"id":"([^"]+)"/.exec(body)?.[1] ?? 'none');
const cancelRequested = (externalId: string, more = {}) =>
  service.publish('Job Cancellation Requested', { externalId, ...more });
const givenUp = (count: number) => vi.waitFor(() => expect(deadLetters()).toHaveLength(count), 15_000);
const isCancelled = (jobId: string) =>
  vi.waitFor(() => expect(service.run.simulator.job(jobId)?.status).toBe('cancelled'), 15_000);
const queuesCommand = 'npm run ops -- queues --environment prod';

afterEach(() => expect(deadLetters()).toEqual([]));

describe('an operator who follows the runbook', () => {
  test('finds why an event failed, and sends it again when that is repaired', async () => {
    const section = follow('Events fail');
    const { externalId, jobId } = await service.newJob();
    const malformed = { pk: `acme#job#${externalId}`, sk: `${jobId}_malformed` };
    const { client } = service.run.dynamodb;
    const Item = toItem({ ...malformed, registeredAt: 'once' });
    await client.send(new PutItemCommand({ TableName: 'JobDirectory', Item }));
    await cancelRequested(externalId);
    await givenUp(1);

    const { stdout } = await section.first();
    const [, requestId = ''] = / requestId=(\S+)/.exec(stdout) ?? [];
    const why = await section.type('npm run ops -- logs <requestId> --environment prod', { requestId });
    await client.send(new DeleteItemCommand({ TableName: 'JobDirectory', Key: toItem(malformed) }));
    const redriven = await section.type('AWS_PROFILE=redrive-prod npm run ops -- dlq redrive --environment prod');
    await isCancelled(jobId);
    const [found, left] = await section.over({ requestId });

    expect(why.stdout).toMatch(/RECORD_UNREADABLE .*dependency=job-directory/);
    expect(redriven.code).toBe(0);
    expect(found?.stdout).toMatch(/^state +closed: cancelled$/m);
    expect(left && rowOf(left, 'events')[1]).toBe('0');
  });

  test('tells the partner what is wrong with an event, and deletes it', async () => {
    const section = follow('Events are malformed');
    await service.publish('Job Cancellation Requested', { externalId: ['not a text'] });
    await givenUp(1);
    // As a rule passes on an event that lacks a field: it is not JSON, and still names its partner.
    service.run.queue.send('{"partnerId":"globex","id":"cut-off","time":,"detail":{}}');
    await givenUp(2);
    const [eventId = ''] = idsOfDeadLetters();

    const { stdout } = await section.first();
    const shown = await section.type('AWS_PROFILE=redrive-prod npm run ops -- dlq show --environment prod');
    const drop = 'AWS_PROFILE=redrive-prod npm run ops -- dlq drop <requestId> --environment prod';
    const dropped = [await section.type(drop, { requestId: eventId })];
    dropped.push(await section.type(drop, { requestId: 'cut-off' }), await section.type(drop, { requestId: 'none' }));
    const [left] = await section.over();

    expect(stdout).toMatch(
      new RegExp(`partnerId=acme requestId=${eventId} path=detail.externalId what=must be a string`),
    );
    expect(stdout).toMatch(/partnerId=globex requestId=cut-off what=is not JSON/);
    expect(shown.stdout).toMatch(/ globex +cut-off +the message is not JSON$/m);
    expect(dropped.map(({ code }) => code)).toEqual([0, 0, 1]);
    expect(left && rowOf(left, 'events')[1]).toBe('0');
  });

  test('finds why an event was refused, and sends it again or deletes it', async () => {
    const section = follow('Events in the dead-letter queue');
    const { externalId, jobId } = service.newNames();
    await cancelRequested(externalId);
    await cancelRequested('never-registered');
    await givenUp(2);

    const { stdout } = await section.first();
    const [event] = idsOfDeadLetters();
    const why = await section.type('npm run ops -- logs <event> --since 1d --environment prod', { event });
    await service.run.addJob(externalId, jobId);
    await section.type('AWS_PROFILE=redrive-prod npm run ops -- dlq redrive --environment prod');
    await isCancelled(jobId);
    await givenUp(1);
    const [hopeless] = idsOfDeadLetters();
    const drop = 'AWS_PROFILE=redrive-prod npm run ops -- dlq drop <event> --environment prod';
    const dropped = await section.type(drop, { event: hopeless });
    const [left] = await section.over();

    expect(stdout).toContain(`${event}  not malformed: refused, or failed`);
    expect(why.stdout).toMatch(/EVENT_REFUSED .*why=job_not_found isLastTry=true/);
    expect(dropped.code).toBe(0);
    expect(left && rowOf(left, 'events')[1]).toBe('0');
  });

  test('sees that events wait, that one partner sends them, and that they have gone', async () => {
    const [wait, pile] = [follow('Events wait'), follow('Events pile up')];
    const jobs = await Promise.all(Array.from({ length: 40 }, () => service.newJob()));
    service.plangrepFails({ on: 'any', kind: 'late', delayMs: 1_500 });
    for (const { externalId } of jobs) await cancelRequested(externalId);
    await cancelRequested('unknown');

    const waiting = await wait.first();
    const piled = await pile.first();
    service.run.simulator.faults.clear();
    const failing =
      'npm run ops -- logs FUNCTION_FAILED,DEPENDENCY_UNAVAILABLE,UNEXPECTED_ERROR --since 15m --environment prod';
    await Promise.all([
      wait.type(failing),
      wait.type(
        'aws lambda list-event-source-mappings --function-name plangrep-cancellation-prod-consume-events:live --query "EventSourceMappings[].[UUID,State,StateTransitionReason]" --output text',
      ),
      wait.type('aws lambda update-event-source-mapping --uuid <uuid> --enabled', { uuid: 'id' }),
      pile.type(queuesCommand),
      pile.type(
        'aws events list-rules --event-bus-name plangrep-cancellation-prod --query "Rules[].[Name,Description,State]" --output text',
      ),
      pile.type('aws events disable-rule --event-bus-name plangrep-cancellation-prod --name <name>', { name: 'rule' }),
      pile.type('aws events enable-rule --event-bus-name plangrep-cancellation-prod --name <name>', { name: 'rule' }),
    ]);
    await service.eventsSettled();
    const over = [...(await wait.over()), ...(await pile.over())];

    expect(Number(rowOf(waiting, 'to consume-events')[1])).toBeGreaterThan(10);
    expect(piled.stdout).toMatch(/; by partner: acme \d+/);
    for (const ended of over) expect(rowOf(ended, 'to consume-events')[1]).toBe('0');
    for (const event of idsOfDeadLetters()) await ops.run(['dlq', 'drop', event, '--yes']);
  });

  test('knows the commands for what only AWS has', async () => {
    const [undelivered, outgoing] = [follow('Events undelivered'), follow('Outgoing events undelivered')];
    const values = { url: 'https://sqs/queue' };
    const purge = 'aws sqs purge-queue --queue-url <url>';

    const ends = await Promise.all([
      undelivered.first(),
      undelivered.type(
        'aws sqs receive-message --queue-url <url> --message-attribute-names All --max-number-of-messages 10',
        values,
      ),
      undelivered.type(purge, values),
      outgoing.first(),
      outgoing.type('npm run ops -- logs CANCELLATION_CLOSED,EVENT_REFUSED --since 1d --environment prod'),
      outgoing.type('npm run ops -- logs DEPENDENCY_UNAVAILABLE,FUNCTION_FAILED --since 1d --environment prod'),
      outgoing.type(
        'aws lambda list-event-source-mappings --function-name plangrep-cancellation-prod-announce-cancellations:live --query "EventSourceMappings[].[UUID,State,LastProcessingResult]" --output text',
      ),
      outgoing.type(purge, values),
    ]);
    const over = [...(await undelivered.over()), ...(await outgoing.over())];

    // No dead letter waits: `dlq list` then ends with 1.
    expect(ends.map(({ code }) => code)).toEqual([1, 0, 0, 1, 0, expect.any(Number), 0, 0]);
    for (const ended of over) expect(ended.stdout).toMatch(/^events +0 /m);
  });
});
