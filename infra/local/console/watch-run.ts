import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MoodId } from '../../scenes/faults-and-problems.ts';
import type { RunParts } from '../run.ts';
import { type EndpointId, readEndpoint, type ReceiverAnswer } from './receive-callbacks.ts';
import { countStopped, type ShownCancellation, type ShownCancellations } from './list-cancellations.ts';

const LOOK_EVERY_MS = 200;
/** At least so often something is sent: the page takes a longer silence for a run that is suspended. */
const BEAT_EVERY_MS = 5_000;

/** What the pages have chosen for the run. */
export interface CurrentScene {
  mood: MoodId | 'normal';
  /** To callbacks, where partners have the console as their endpoint. */
  answer: ReceiverAnswer;
}

/** What a page is sent: the state, and of the cancellations those that have changed since the message before. */
export interface WatchMessage {
  readonly mood: MoodId | null;
  readonly endpoint: EndpointId | null;
  readonly stopped: ReturnType<typeof countStopped>;
  readonly changed: readonly ShownCancellation[];
  /** Those that are not shown any more: erased, or no longer among the newest. */
  readonly gone: readonly Pick<ShownCancellation, 'partnerId' | 'jobId'>[];
}

/**
 * Sends the state of the run to a page as lines of JSON: once at the start, then after each write to the cancellation log or to
 * an endpoint, and each change of the scene. `look` is the same for all pages, so that what one has read another does not read
 * again. Ends when the page goes away. (Not server-sent events: `EventSource` cannot send a key.)
 */
export async function watchRun(
  response: ServerResponse,
  parts: RunParts,
  look: () => Promise<ShownCancellations>,
  scene: CurrentScene,
): Promise<void> {
  const { dynamodb } = parts;
  const { CancellationLog, Partners } = dynamodb.tableNames;
  const port = response.socket?.localPort ?? 0;
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' });
  let sent: ShownCancellations = new Map();
  let seen = '';
  let sentAt = performance.now();
  while (!response.destroyed) {
    const { PutItem, UpdateItem } = dynamodb.counts();
    const written = [CancellationLog, Partners].map((name) => [PutItem?.[name], UpdateItem?.[name]]);
    const state = JSON.stringify([written, scene]);
    const begunAt = performance.now();
    if (state !== seen) {
      seen = state;
      const [shown, endpoint] = await Promise.all([look(), readEndpoint(scene.answer, port, parts)]);
      const message: WatchMessage = {
        mood: scene.mood === 'normal' ? null : scene.mood,
        endpoint,
        stopped: countStopped(shown.values()),
        ...changesOf(shown, sent),
      };
      response.write(`${JSON.stringify(message)}\n`);
      sent = shown;
      sentAt = performance.now();
    } else if (performance.now() - sentAt >= BEAT_EVERY_MS) {
      response.write('\n');
      sentAt = performance.now();
    }
    // While much is written to a long log, a page takes at most half of the run's time.
    await sleep(Math.max(LOOK_EVERY_MS, performance.now() - begunAt), undefined, { ref: false });
  }
}

function changesOf(shown: ShownCancellations, sent: ShownCancellations): Pick<WatchMessage, 'changed' | 'gone'> {
  return {
    changed: [...shown].filter(([key, one]) => sent.get(key) !== one).map(([, one]) => one),
    gone: [...sent].filter(([key]) => !shown.has(key)).map(([, { partnerId, jobId }]) => ({ partnerId, jobId })),
  };
}
