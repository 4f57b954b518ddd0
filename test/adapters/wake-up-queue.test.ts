import { describe, expect, test } from 'vitest';
import type { Message } from '../../functions/adapters/sqs/send-message.ts';
import { createWakeUpQueue } from '../../functions/adapters/sqs/wake-up-queue.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { readWakeUpMessage } from '../../functions/core/wake-up-message.ts';
import { acme, documentedJob } from '../support/names.ts';

const url = 'https://sqs.eu-central-1.amazonaws.com/111122223333/wake-ups';
const now = Date.parse('2026-11-26T12:00:00.000Z');
const wakeUpIn = (ms: number) => ({ partnerId: acme, jobId: documentedJob, seq: 2, wakeAt: toTimestamp(now + ms) });

async function sent(ms: number): Promise<Message | undefined> {
  const messages: [string, Message][] = [];
  const queue = createWakeUpQueue(async (...message) => void messages.push(message), url, { now: () => now });
  await queue.send(wakeUpIn(ms));
  expect(messages.map(([queueUrl]) => queueUrl)).toEqual([url]);
  return messages[0]?.[1];
}

describe('the wake-up queue', () => {
  test.each([
    [-60_000, 0],
    [0, 0],
    [999, 0],
    [1_000, 1],
    [10_999, 10],
    [900_999, 900],
    [3_600_000, 900],
  ])('gets a wake-up that is due in %d ms with a delay of %d s: in its last second, or early', async (ms, seconds) => {
    expect((await sent(ms))?.DelaySeconds).toBe(seconds);
  });

  test('gets only what names the wake-up, in the form that its reader knows, counted for its partner', async () => {
    const message = await sent(2_000);

    expect(message?.MessageGroupId).toBe(acme);
    expect(readWakeUpMessage(message?.MessageBody ?? '')).toEqual(wakeUpIn(2_000));
    expect(Object.keys(JSON.parse(message?.MessageBody ?? ''))).toEqual(['partnerId', 'jobId', 'seq', 'wakeAt']);
  });

  test('is named when it does not take a message', async () => {
    const cause = new Error('SQS answered 500');
    const queue = createWakeUpQueue(() => Promise.reject(cause), url, { now: () => now });

    await expect(queue.send(wakeUpIn(0))).rejects.toMatchObject({ dependency: 'wake-ups', cause });
  });
});
