import type { JobId } from '../../../functions/core/identifiers.ts';
import { type Standing, standingOfStream } from '../../../functions/core/use-cases/attempt.ts';
import { nextLookInMs } from '../../../functions/core/use-cases/stay-with.ts';
import type { World } from './world.ts';

/** A caller gives up after so many answers. */
const MOST_RETURNS = 6;

type Open = Extract<Standing, { kind: 'open' }>;

/**
 * A caller that was told `Retry-After`, and returns then: does it find more than it knew? More is the end, another event,
 * or a later next look. It is told another `Retry-After` then, as the reading door does.
 */
export const followRetryAfter = (world: World, jobId: JobId, known: Open, retryAfterMs: number, returns = 1): void => {
  const told = Math.max(1, Math.ceil(retryAfterMs / 1000)) * 1000;
  world.scheduler.after(told, async () => {
    const stream = await world.store.log.read(known.state.partnerId, jobId);
    // A run that is too long to keep everything has forgotten it: it was closed.
    if (stream.events.length === 0) return;
    const found = standingOfStream(stream);
    const isMore =
      found.kind === 'closed' || found.state.last.seq > known.state.last.seq || found.wakeAt > known.wakeAt;
    const { figures, isHealthy } = world;
    figures[isHealthy ? 'followed' : 'followedInTrouble'] += 1;
    if (isMore) figures[isHealthy ? 'foundMore' : 'foundMoreInTrouble'] += 1;
    world.note(() => `a caller returns for ${jobId} after ${told} ms and finds ${isMore ? 'more' : 'nothing new'}`);
    if (found.kind === 'closed' || returns === MOST_RETURNS) return;
    followRetryAfter(world, jobId, found, nextLookInMs(found, world.scheduler.now), returns + 1);
  });
};
