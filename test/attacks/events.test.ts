import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { type AccessKey, callSigned, createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { putEvent } from '../../infra/local/aws/events/event-bridge.ts';
import { eventsQueueName } from '../../infra/local/seeds.ts';
import { envelope, readBatchFailures, sqsEvent, sqsRecord } from '../proof/crash/invocations.ts';
import { givenAttacks } from '../support/given-attacks.ts';
import type { JobNames } from '../support/given-service.ts';

/** Forged events. What the bus refuses entry by entry: see events-door.test.ts. */
const attacks = givenAttacks();
const { service, victimJob, expectUnknown, expectUnharmed } = attacks;
const cancelRequested = 'Job Cancellation Requested';
const aboutJob = (text: string) => service.run.queue.deadLetters().filter((body) => body.includes(text));
const keyOf = (partnerId: string) => service.run.partners.find((partner) => partner.partnerId === partnerId)?.aws;

let victim: JobNames;
let detail: Pick<JobNames, 'externalId'>;
beforeEach(async () => {
  victim = await victimJob();
  detail = { externalId: victim.externalId };
});

function put(key: AccessKey, Source: string, fields: object = {}): Promise<string> {
  const entry = { Source, DetailType: cancelRequested, Detail: JSON.stringify(detail), ...fields };
  return putEvent(service.run.endpoints.eventbridge, key, entry);
}

describe('an event in globex’s name', () => {
  test.each<[string, () => AccessKey, string]>([
    ['acme', () => keyOf('acme') ?? service.run.aws, 'partner.globex'],
    ['an operator', () => service.run.aws, 'partner.globex'],
    ['a key that the run does not know', createAccessKey, 'partner.globex'],
    [
      'globex’s key id with another secret',
      () => ({ ...createAccessKey(), accessKeyId: keyOf('globex')?.accessKeyId ?? '' }),
      'partner.globex',
    ],
    ['acme, with the source in capitals', () => keyOf('acme') ?? service.run.aws, 'PARTNER.GLOBEX'],
    ['acme, with a space behind the source', () => keyOf('acme') ?? service.run.aws, 'partner.globex '],
    ['acme, in the name of AWS', () => keyOf('acme') ?? service.run.aws, 'aws.partner.globex'],
  ])('is put by %s: refused, and nothing happens', async (_who, key, source) => {
    await expect(put(key(), source)).rejects.toThrow();

    await service.eventsSettled();
    await expectUnharmed(victim);
  });

  test('is put for another bus, or without a signature: refused', async () => {
    const { eventbridge } = service.run.endpoints;
    const entry = { Source: 'partner.globex', DetailType: cancelRequested, Detail: JSON.stringify(detail) };
    const unsigned = await fetch(eventbridge, {
      method: 'POST',
      headers: { 'X-Amz-Target': 'AWSEvents.PutEvents', 'Content-Type': 'application/x-amz-json-1.1' },
      body: JSON.stringify({ Entries: [entry] }),
    });

    expect(unsigned.ok).toBe(false);
    await expect(put(keyOf('acme') ?? service.run.aws, 'partner.globex', { EventBusName: 'other' })).rejects.toThrow();
    await service.eventsSettled();
    await expectUnharmed(victim);
  });

  test('is sent to the queue itself, by each key of the run: refused', async () => {
    const message = envelope('globex', randomUUID(), cancelRequested, detail, Date.now());
    const { sqs } = service.run.endpoints;
    const QueueUrl = `${sqs}/000000000000/${eventsQueueName}`;
    for (const key of [service.run.aws, keyOf('acme') ?? service.run.aws, keyOf('globex') ?? service.run.aws]) {
      for (const target of ['AmazonSQS.SendMessage', 'AmazonSQS.SendMessageBatch']) {
        const entries = [{ Id: 'a', MessageBody: message }];
        const body = JSON.stringify({ QueueUrl, MessageBody: message, Entries: entries });
        const { status } = await callSigned(sqs, key, { service: 'sqs', target, body });
        expect(status).toBeGreaterThanOrEqual(400);
      }
    }

    await service.eventsSettled();
    await expectUnharmed(victim);
  });

  test('is handed to the function itself, at each listener: there is no such door', async () => {
    const { endpoints, baseUrl, plangrepUrl } = service.run;
    const message = envelope('globex', randomUUID(), cancelRequested, detail, Date.now());
    const body = JSON.stringify(sqsEvent(sqsRecord('forged', message)));
    for (const origin of [...Object.values(endpoints), baseUrl, plangrepUrl]) {
      const url = `${origin}/2015-03-31/functions/consume-events/invocations`;
      const { status } = await fetch(url, { method: 'POST', body });
      expect(status, url).toBeGreaterThanOrEqual(400);
    }

    await expectUnharmed(victim);
  });
});

describe('acme’s own event', () => {
  test.each<[string, () => object]>([
    ['names globex’s externalId', () => detail],
    ['names globex’s job', () => victim],
    ['names globex as its partner', () => ({ ...detail, partnerId: 'globex' })],
    ['brings a whole envelope', () => ({ partnerId: 'globex', detailType: cancelRequested, detail })],
    ['breaks out of the rule’s template', () => ({ externalId: `${detail.externalId}","partnerId":"globex` })],
  ])('that %s reaches nothing, and is kept for the operator', async (_how, forged) => {
    await service.publish(cancelRequested, forged());
    await service.eventsSettled();

    await expectUnharmed(victim);
    expect(aboutJob(JSON.stringify(detail.externalId).slice(1, -1))).toHaveLength(1);
  });

  test('that registers globex’s job claims nothing', async () => {
    await service.publish('Job Registered', victim);
    await service.publish('Job Registered', { ...victim, externalId: service.newNames().externalId });
    await service.eventsSettled();

    await expectUnknown(victim);
    await expectUnharmed(victim);
    const keys = (await service.run.items('JobDirectory')).map(({ pk, sk }) => `${String(pk)} ${String(sk)}`);
    expect(keys.filter((key) => key.startsWith('acme#job#') && key.includes(victim.jobId))).toEqual([]);
  });

  test('that repeats the id of globex’s, or its own with another detail, reaches no job by it', async () => {
    const id = randomUUID();
    const own = await service.newJob();
    const consume = (partnerId: string, about: object) => {
      const body = envelope(partnerId, id, cancelRequested, about, Date.now());
      return service.run.lambda.invoke('consume-events', sqsEvent(sqsRecord('repeat', body))).then(readBatchFailures);
    };
    expect(await consume('acme', { externalId: service.newNames().externalId })).toEqual(['repeat']);

    expect(await consume('acme', { externalId: own.externalId })).toEqual(['repeat']);
    expect(await consume('acme', detail)).toEqual(['repeat']);
    expect(service.run.simulator.job(own.jobId)?.status).not.toBe('cancelled');
    await expectUnharmed(victim);
  });

  test('that is malformed stops no other in its batch', async () => {
    const own = await service.newJob();
    const batch = ['{', '[]', 'null', '"x"', '{"partnerId":"acme"}', '\u0000', '{"__proto__":{"partnerId":"globex"}}'];
    const good = envelope('acme', randomUUID(), cancelRequested, { externalId: own.externalId }, Date.now());
    const records = [...batch, good].map((body, n) => sqsRecord(`message-${n}`, body));

    const ended = await service.run.lambda.invoke('consume-events', sqsEvent(...records));

    expect(readBatchFailures(ended)).toEqual([]);
    expect(service.run.simulator.job(own.jobId)?.status).toBe('cancelled');
    await expectUnharmed(victim);
  });
});
