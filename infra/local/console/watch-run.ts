import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalDynamoDb } from '../aws/dynamodb.ts';
import { countStopped } from './count-stopped.ts';
import { listCancellations } from './list-cancellations.ts';
import type { MoodId } from '../../scenes/moods.ts';

const LOOK_EVERY_MS = 200;

export interface Watched {
  readonly dynamodb: LocalDynamoDb;
  readonly mood: () => MoodId | undefined;
}

/**
 * Tells a page what there is to see, as server-sent events: all of it at once, then again whenever something was written
 * to the cancellation log or the mood changed. Ends when the page goes away.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const watchRun = async (response: ServerResponse, { dynamodb, mood }: Watched): Promise<void> => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  let seen: string | undefined;
  while (!response.destroyed) {
    const { PutItem, UpdateItem } = dynamodb.counts();
    const log = dynamodb.tableNames.CancellationLog;
    const state = JSON.stringify([PutItem?.[log], UpdateItem?.[log], mood()]);
    if (state !== seen) {
      seen = state;
      const cancellations = await listCancellations(dynamodb);
      const told = { mood: mood() ?? null, stopped: countStopped(cancellations), cancellations };
      response.write(`data: ${JSON.stringify(told)}\n\n`);
    }
    await sleep(LOOK_EVERY_MS, undefined, { ref: false });
  }
};
