import type { Context, SQSEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { DependencyUnavailable } from '../../../functions/core/report.ts';
import { handleCallbacks } from '../../../functions/doors/callbacks/handle-callbacks.ts';
import { cancellationEvents } from '../../support/stored-streams.ts';
import { CallbackWorld } from '../../support/callbacks/memory-callbacks.ts';
import { acme, documentedJob } from '../../support/names.ts';

const name = { partnerId: acme, jobId: documentedJob };
const context = { getRemainingTimeInMillis: () => 40_000 } as Context;

function given() {
  const world = new CallbackWorld(Date.parse('2026-11-26T12:00:00.000Z'));
  world.log.streams.set(streamKey(name), cancellationEvents());
  world.endpoints.set(acme, { url: 'https://partner.example/', version: 1 });
  const handle = (body: string) =>
    handleCallbacks(world.ports)({ Records: [{ messageId: 'm-1', body }] } as SQSEvent, context);
  return { world, handle };
}
const down = () => {
  throw new DependencyUnavailable('cancellation-log', new Error('away'));
};

describe('a message whose handling fails', () => {
  test('is tried again in the same invocation, because it holds its group', async () => {
    const { world, handle } = given();
    const faults = [down, down];
    world.log.beforeWrite = () => faults.shift()?.();

    expect(await handle(JSON.stringify(name))).toEqual({ batchItemFailures: [] });

    expect(world.slept).toEqual([1_000, 3_000]);
    expect(world.log.records().map(({ result }) => result)).toEqual(['delivered']);
    expect(new Set(world.posted.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test('goes back to the queue after the third time, each on a line of the log', async () => {
    const { world, handle } = given();
    world.log.beforeWrite = down;

    expect(await handle(JSON.stringify(name))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });

    expect(world.lines.map(([code, fields]) => [code, fields?.['jobId']])).toEqual(
      Array.from({ length: 3 }, () => ['DEPENDENCY_UNAVAILABLE', documentedJob]),
    );
  });
});

test('what is not a message of this queue is reported by its id, and does not come back', async () => {
  const { world, handle } = given();

  expect(await handle('{"partnerId":"acme","url":"https://secret.example/"}')).toEqual({ batchItemFailures: [] });

  expect(world.lines).toEqual([['RECORD_UNREADABLE', { dependency: 'callbacks', key: 'm-1' }]]);
});
