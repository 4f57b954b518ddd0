import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, type Fault, fault, holds, same } from '../check.ts';
import { expectHeader, expectProblem, expectStatus } from '../expect-answer.ts';
import type { Answer } from '../send-request.ts';
import type { OperatorStage } from '../stage.ts';
import { cancel, entriesOf, expectClosed, registered, show } from './cancels.ts';

const EVERY_MS = 2_000;
/** What the queue and a cold start may take. The minute's schedule would be later by up to 60 s. */
const LATEST_MS = 4_000;
const CLOSES_WITHIN_MS = 45_000;
const lookAt = 'infra/constructs/events/wake-ups.ts, npm run ops -- find REQUESTID';

/** A cancellation as soon as it is closed, or as it is when it should have been. */
async function untilClosed(stage: OperatorStage, jobId: string): Promise<Answer> {
  const until = performance.now() + CLOSES_WITHIN_MS;
  for (;;) {
    const shown = await show(stage, jobId);
    if (shown.body['state'] === 'closed' || performance.now() > until) return shown;
    await sleep(EVERY_MS, undefined, { signal: stage.signal });
  }
}

/** 202 with when it is looked at next. */
function expectAccepted(answer: Answer): readonly Fault[] {
  const { headers, body } = answer;
  return [
    ...expectStatus(answer, 202),
    ...holds(/^[1-9]\d*$/.test(headers['retry-after'] ?? ''), 'no Retry-After in whole seconds', 'Retry-After'),
    ...holds(typeof body['nextLookAt'] === 'string', 'no nextLookAt', 'nextLookAt'),
  ];
}

/** Cancels a new job of one of the sandbox's kinds, and waits for its end. */
async function cancelAndFollow(stage: OperatorStage, kind: string, check: string) {
  const { jobId, externalId } = await registered(stage, kind, check);
  const answer = await cancel(stage, { externalId });
  return { externalId, answer, closed: await untilClosed(stage, jobId) };
}

/** Of every check that waits for the end. */
const followed = { changes: true, runs: 'beside', limitMs: 60_000, lookAt } as const;

/** What happens after the answer, and when: by the wake-up queue, to the second. */
export const wakeUpChecks: readonly Check[] = [
  {
    id: 'wake-ups.retry',
    shows: 'Plangrep has too many requests for 5 s: 202, and the queue brings the retry when nextLookAt said',
    needs: 'operator credentials',
    ...followed,
    async run(stage) {
      const { answer, closed } = await cancelAndFollow(stage, 'rate_limited', 'retry');
      const [second] = entriesOf(closed, 'attempt_started');
      const [announced, began] = [Date.parse(String(answer.body['nextLookAt'])), Date.parse(String(second?.['at']))];
      const late = began - announced;
      return [
        ...expectAccepted(answer),
        ...expectClosed(closed, 'cancelled'),
        ...holds(
          late >= 0 && late <= LATEST_MS,
          `the second attempt ${late} ms after nextLookAt`,
          `at most ${LATEST_MS} ms after it`,
        ),
      ];
    },
  },
  {
    id: 'wake-ups.prefer-wait',
    shows: 'the same with Prefer: wait=10: the answer comes when the job is cancelled',
    needs: 'operator credentials',
    changes: true,
    runs: 'beside',
    lookAt,
    async run(stage) {
      const { externalId } = await registered(stage, 'rate_limited', 'prefer-wait');
      const answer = await cancel(stage, { externalId }, { Prefer: 'wait=10' });
      return [
        ...expectStatus(answer, 200),
        ...expectClosed(answer, 'cancelled'),
        ...expectHeader(answer, 'preference-applied', 'wait=10'),
        ...holds(answer.ms >= 3_000, `an answer after ${answer.ms} ms`, 'one that waited for the retry'),
      ];
    },
  },
  {
    id: 'wake-ups.lost-answer',
    shows: 'a cancel that took effect although its answer was lost: 202, the attempt is unknown, then cancelled',
    needs: 'operator credentials',
    ...followed,
    async run(stage) {
      const { answer, closed } = await cancelAndFollow(stage, 'lost', 'lost');
      return [
        ...expectAccepted(answer),
        ...expectClosed(closed, 'cancelled'),
        ...same('result of the first attempt', entriesOf(closed, 'attempt_ended')[0]?.['result'], 'unknown'),
      ];
    },
  },
  {
    id: 'wake-ups.late-answer',
    shows: 'Plangrep answers after 6 s: 202 before that, then cancelled',
    needs: 'operator credentials',
    ...followed,
    async run(stage) {
      const { answer, closed } = await cancelAndFollow(stage, 'late', 'late');
      return [...expectAccepted(answer), ...expectClosed(closed, 'cancelled')];
    },
  },
  {
    id: 'wake-ups.completes-first',
    shows: 'a job that completes although its cancel was accepted: 202, then too_late, and 409 from then on',
    needs: 'operator credentials',
    ...followed,
    async run(stage) {
      const { externalId, answer, closed } = await cancelAndFollow(stage, 'completes_first', 'completes-first');
      if (closed.body['state'] !== 'closed') return fault('still open', `closed within ${CLOSES_WITHIN_MS / 1000} s`);
      const again = await cancel(stage, { externalId });
      return [
        ...expectAccepted(answer),
        ...expectClosed(closed, 'too_late'),
        ...expectProblem(again, 'job_already_terminal'),
      ];
    },
  },
];
