import { core, type SeededBug } from './seeded-bug.ts';

/** Plausible mistakes in what the wake-up queue, waiting requests and jobs that are not found for a while brought. */
export const seededBugsOfWakeUps: readonly SeededBug[] = [
  core(
    'use-cases/look-at-wake-up',
    'a message is trusted as a claim: its own time counts, not the stream’s',
    'Date.parse(wakeUp.wakeAt) - ports.clock.now()',
    'Date.parse(message.wakeAt) - ports.clock.now()',
  ),
  core(
    'use-cases/look-at-wake-up',
    'a message that is sent again is the newest wake-up’s, so messages multiply',
    'if (message.seq === seq && message.wakeAt === wakeUp.wakeAt) {',
    'if (message.seq > 0) {',
  ),
  core(
    'use-cases/attempt',
    'the message is sent before the put',
    'const appending = await append(ports, state, state, next.body, wakeAt);',
    `if (wakeAt !== undefined) await sendWakeUp(ports, { ...state, seq: state.last.seq + 1, wakeAt });
     const appending = await append(ports, state, state, next.body, wakeAt);`,
  ),
  core(
    'use-cases/attempt',
    'the claim of an attempt sends a message too',
    "&& next.body.type !== 'attempt_started'",
    '',
  ),
  core('use-cases/attempt', 'no message is sent', 'await wakeUpQueue.send(wakeUp);', ''),
  core(
    'use-cases/reconcile-cancellation',
    'a poll that changes nothing sends no message',
    "case 'wait':\n      return sendWakeUp(ports, moved, requestId);",
    "case 'wait':\n      return;",
  ),
  core('cancellation/pace', 'the schedule leaves to the queue what it lost', 'LATE_MS = 5_000', 'LATE_MS = 500_000'),
  core(
    'use-cases/reconcile-cancellation',
    'a poll moves its wake-up only after the read',
    `if (!(await log.moveWakeUp(wakeUp, moved.wakeAt, toTimestamp(clock.now())))) return;

  const reading = judgeRead(await plangrep.read(jobId, untilMs));`,
    `const reading = judgeRead(await plangrep.read(jobId, untilMs));
     if (!(await log.moveWakeUp(wakeUp, moved.wakeAt, toTimestamp(clock.now())))) return;`,
  ),
  core(
    'use-cases/stay-with',
    'a request that waits sends an accepted cancel again',
    'await reconcileStream(ports, wakeUp, stream, untilMs);',
    'await ports.plangrep.cancel(jobId, untilMs); await reconcileStream(ports, wakeUp, stream, untilMs);',
  ),
  core(
    'use-cases/stay-with',
    'a request that waits looks before the wake-up is due',
    "if (newest.kind === 'closed' || Date.parse(newest.wakeAt) > nowMs || nowMs > endMs) continue;",
    "if (newest.kind === 'closed') continue;",
  ),
  core(
    'cancellation/pace',
    'reads of one job know no floor',
    'withJitter(hasRead ? Math.max(wantedMs, READ_FLOOR_MS) : wantedMs, random)',
    'withJitter(wantedMs, random)',
  ),
  core(
    'cancellation/decide',
    'the Retry-After of a 503 is ignored by attempts',
    "return ended(attempt, 'unknown', { why, httpStatus, retryAfterMs });",
    "return ended(attempt, 'unknown', { why, httpStatus });",
  ),
  core(
    'cancellation/decide',
    'the Retry-After of a 503 is ignored by polls',
    "failure.kind === 'rate_limited' || failure.kind === 'unknown' ? failure.retryAfterMs",
    "failure.kind === 'rate_limited' ? failure.retryAfterMs",
  ),
  core(
    'use-cases/reconcile-cancellation',
    'what Plangrep asked for counts from before the read',
    '{ ...poll, nowMs: clock.now() }',
    'poll',
  ),
  core(
    'cancellation/pace',
    'absence is frozen: one 404 closes',
    'reads >= ABSENT.reads && forMs >= ABSENT.forMs',
    'reads >= 1 && forMs >= 0',
  ),
  core(
    'cancellation/pace',
    'three reads at once prove an absence',
    'reads >= ABSENT.reads && forMs >= ABSENT.forMs',
    'reads >= ABSENT.reads',
  ),
  core(
    'cancellation/state',
    '404s of different absences add up',
    'expiresAt: expiresAt ?? facts.expiresAt }, absence: undefined }',
    'expiresAt: expiresAt ?? facts.expiresAt }, absence }',
  ),
  core(
    'cancellation/decide',
    'an attempt whose cancel fails forgets that its read showed the job',
    "first?.kind === 'alive' ? openFactsOf(first.job) : {}",
    '{}',
  ),
  core(
    'cancellation/decide',
    'a job is gone before it expires',
    'return expiredMs <= nowMs &&',
    'return expiredMs >= nowMs &&',
  ),
  core(
    'cancellation/decide',
    'a job that was shown after its expiry counts as expired',
    ' && expiredMs >= lastAliveMs(account);',
    ';',
  ),
  core(
    'find-job/reach',
    'an event with a slow clock reaches the job that was submitted again',
    'return entries.filter(({ registeredAt }) => registeredAt <= sameTime);',
    'return entries.slice(0, 1);',
  ),
  core(
    'find-job/reach',
    'an event’s clock that is fast counts',
    'startOfSecond(earliest(eventTime, firstSentAt))',
    'startOfSecond(eventTime)',
  ),
  core(
    'use-cases/request-cancellation',
    'a request begins the cancellation anew while it is open',
    "return step.kind === 'closed' && step.outcome === 'job_not_found';",
    "return step.kind !== 'closed' || step.outcome === 'job_not_found';",
  ),
  core(
    'use-cases/request-cancellation',
    'a request begins the cancellation anew without a read',
    "if (reading.kind !== 'absent') {",
    '{',
  ),
  core(
    'use-cases/request-cancellation',
    'an end as job_not_found is for ever',
    "return step.kind === 'closed' && step.outcome === 'job_not_found';",
    "return step.kind !== 'closed' && step.kind === 'waiting' && step.since === '';",
  ),
];
