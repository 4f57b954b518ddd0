import { describe, expect, test } from 'vitest';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { CancellationEvent, EventBody } from '../../../functions/core/cancellation/events.ts';
import { stateOf } from '../../../functions/core/cancellation/state.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { nextLookInMs } from '../../../functions/core/use-cases/stay-with.ts';
import { acme, documentedJob, retention } from '../../support/names.ts';
import { at, ended, requested } from '../../support/stored-streams.ts';

const SECOND = 1_000;

/** Of a stream whose events were all written at the time `at`. @param dueMs, askedMs milliseconds after that */
const nextLook = (bodies: readonly EventBody[], dueMs: number, askedMs: number): number => {
  const events: CancellationEvent[] = [];
  for (const body of bodies) {
    events.push(
      sealEvent({ partnerId: acme, jobId: documentedJob }, events.at(-1), body, {
        eventId: 'e',
        at,
        keptDays: retention.events,
      }),
    );
  }
  const wakeAt = toTimestamp(Date.parse(at) + dueMs);
  return nextLookInMs({ kind: 'open', state: stateOf(events), wakeAt }, Date.parse(at) + askedMs);
};

describe('the next look at an open cancellation will have happened', () => {
  const lease = 45 * SECOND;

  test.each([
    ['a look’s time after its wake-up', [requested, ended(1)], 5 * SECOND, 0, 6_500],
    ['when its attempt is over', [requested], lease, SECOND, 5_000],
    ['when the schedule has found the claim that its holder left', [requested], lease, 6 * SECOND, 105_000],
    ['when the schedule has found what the queue lost', [requested, ended(1)], 5 * SECOND, 7 * SECOND, 64_000],
    ['a minute later, when one run found nothing', [requested, ended(1)], 5 * SECOND, 71 * SECOND, 60_000],
    ['with the next run, however late it is', [requested, ended(1)], 5 * SECOND, 500 * SECOND, 51_000],
  ])('%s', (_, bodies, dueMs, askedMs, inMs) => {
    expect(nextLook(bodies, dueMs, askedMs)).toBe(inMs);
  });
});
