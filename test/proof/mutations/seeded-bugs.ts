import { core, type SeededBug } from './seeded-bug.ts';
import { seededBugsOfRegions } from './seeded-bugs-of-regions.ts';
import { seededBugsOfTexts } from './seeded-bugs-of-texts.ts';
import { seededBugsOfWakeUps } from './seeded-bugs-of-wake-ups.ts';

/** Plausible mistakes in the protocol. */
export const seededBugs: readonly SeededBug[] = [
  core(
    'use-cases/request-cancellation',
    'the call comes before the intent',
    'let begun = await begin(ports, request, jobId);',
    'await ports.plangrep.cancel(jobId, request.untilMs); let begun = await begin(ports, request, jobId);',
  ),
  core(
    'use-cases/attempt',
    'no fence: a lost race counts as won',
    "if (appended.kind === 'appended') return",
    'if (appended.kind.length > 0) return',
  ),
  core(
    'use-cases/request-cancellation',
    'a request that lost the race still calls',
    'let begun = await begin(ports, request, jobId);',
    `let begun = await begin(ports, request, jobId);
  if (begun.kind === 'lost') await settle(ports, begun.standing, { firstCall, untilMs: request.untilMs });`,
  ),
  core(
    'use-cases/reconcile-cancellation',
    'a reconciler that lost the race still calls',
    "if (kind === 'lost') return;\n  const settled",
    'const settled',
  ),
  core(
    'cancellation/decide',
    '5xx is read as failed',
    "return ended(attempt, 'unknown', { why, httpStatus, retryAfterMs });",
    "return { kind: 'end', body: { type: 'closed', outcome: 'too_late' } };",
  ),
  core(
    'cancellation/decide',
    'a terminal job is read as an error',
    'return judgeJob(answer.job);',
    "const judged = judgeJob(answer.job); return judged.kind === 'alive' ? judged : { kind: 'failed', failure: { kind: 'unknown', why: 'unreadable_answer' } };",
  ),
  core(
    'cancellation/decide',
    'a cancel’s error closes, instead of a read',
    "if (answer.kind === 'refused') return { kind: 'read_job', refusal: answer };",
    "if (answer.kind === 'refused') return { kind: 'end', body: { type: 'closed', outcome: 'too_late' } };",
  ),
  core(
    'cancellation/decide',
    'an accepted cancel counts as a cancelled job',
    "ended(attempt, 'accepted', openFactsOf(judged.job))",
    "{ kind: 'end', body: { type: 'closed', outcome: 'cancelled' } }",
  ),
  core(
    'cancellation/decide',
    'a job that does not exist counts as cancelled',
    "{ type: 'closed', outcome: 'job_not_found' }",
    "{ type: 'closed', outcome: 'cancelled' }",
  ),
  core('cancellation/job-status', 'a failed job counts as cancelled', "failed: 'too_late'", "failed: 'cancelled'"),
  core(
    'use-cases/attempt',
    'delete on error: the wake-up that would bring the reconciler is removed',
    "report('AUDIT_WRITE_FAILED', { ...idsOf(claimed.state), type: body.type });",
    `await ports.log.removeWakeUp({ partnerId: claimed.state.partnerId, jobId, seq: claimed.state.last.seq, wakeAt: claimed.wakeAt ?? '' });
     report('AUDIT_WRITE_FAILED', { ...idsOf(claimed.state), type: body.type });`,
  ),
  core(
    'use-cases/attempt',
    'an end that cannot be written is thrown at the caller',
    "if (!(error instanceof DependencyUnavailable)) throw error;\n    report('AUDIT_WRITE_FAILED'",
    "if (error instanceof DependencyUnavailable) throw error;\n    report('AUDIT_WRITE_FAILED'",
  ),
  core(
    'cancellation/decide',
    'the wake-up is forgotten when an attempt ends',
    "return { kind: 'leaves_open', body, wakeAt };",
    "return { kind: 'leaves_open', body, wakeAt: body.result === 'accepted' ? wakeAt : undefined };",
  ),
  core('cancellation/pace', 'the lease is shorter than the function', 'LEASE_MS = 45_000', 'LEASE_MS = 5_000'),
  core(
    'use-cases/reconcile-due',
    'an attempt is taken over before its lease ends',
    'const late = pending.filter(({ wakeAt }) => wakeAt <= toTimestamp(startedMs - LATE_MS));',
    'const late = pending;',
  ),
  core(
    'cancellation/state',
    'an accepted cancel is sent again',
    "step.kind === 'waiting' && step.result === 'accepted' ? step.since : undefined",
    "step.kind === 'waiting' && step.result === 'accepted' && step.since === '' ? step.since : undefined",
  ),
  core(
    'use-cases/reconcile-cancellation',
    'a cancel is sent again without a read',
    "{ firstCall: 'read', untilMs }",
    "{ firstCall: 'cancel', untilMs }",
  ),
  core(
    'use-cases/reconcile-cancellation',
    'two reconcilers poll without claiming',
    'if (!(await log.moveWakeUp(wakeUp, moved.wakeAt, toTimestamp(clock.now())))) return;',
    'await log.moveWakeUp(wakeUp, moved.wakeAt, toTimestamp(clock.now()));',
  ),
  core(
    'use-cases/reconcile-cancellation',
    'the wake-up is removed before the next event is there',
    'const claim = newClaim(clock);',
    'await log.removeWakeUp(wakeUp); const claim = newClaim(clock);',
  ),
  core(
    'use-cases/reconcile-cancellation',
    'the claim’s wake-up is removed though the end was not written',
    'if (settled.state.last.seq > seq) await',
    'if (settled.state.last.seq > 0) await',
  ),
  core(
    'use-cases/reconcile-cancellation',
    'obsolete wake-ups are left behind',
    "await log.removeWakeUp(wakeUp);\n      return 'obsolete';",
    "return 'obsolete';",
  ),
  core(
    'cancellation/decide',
    'nothing is ever escalated',
    'if (state.escalatedAt === undefined && openMs',
    'if (state.escalatedAt !== undefined && openMs',
  ),
  core(
    'cancellation/pace',
    'a job is polled every second',
    'POLL_DELAYS_MS = [READ_FLOOR_MS, 10_000',
    'POLL_DELAYS_MS = [1_000, 1_000',
  ),
  core(
    'cancellation/chain',
    'an event is not chained to the one before',
    'previous?.hash ?? genesisHash',
    'genesisHash',
  ),
  core(
    'find-job/find-job',
    'a request key is not bound',
    "if (requestKey === undefined || (found.kind === 'unresolved' && reach.kind !== 'event')) return found;",
    'if (found.kind.length > 0) return found;',
  ),
  core(
    'find-job/reach',
    'a repeat reaches jobs registered after it was first seen',
    'firstSeenAt === undefined || registeredAt <= firstSeenAt',
    "firstSeenAt === undefined || registeredAt !== ''",
  ),
  core(
    'find-job/find-job',
    'a request counts as seen only half a second after it came',
    'reach.firstSentAt : seenAt);',
    'reach.firstSentAt : toTimestamp(Date.parse(seenAt) + 500));',
  ),
  core(
    'find-job/reach',
    'an event’s own time is ignored',
    "if (eventTime === undefined) return { kind: 'until', firstSeenAt };",
    "if (sentAt !== '') return { kind: 'until', firstSeenAt: undefined };",
  ),
  core(
    'find-job/reach',
    'an event reaches the job that was registered last, though an older one bears the externalId',
    'entries.filter(({ registeredAt }) => registeredAt < reach.second)',
    'entries.slice(0, 1)',
  ),
  core(
    'find-job/choose-job',
    'of several live jobs the newest is guessed',
    "if (live.length > 1) return { kind: 'ambiguous_external_id', candidates: live };",
    '',
  ),
  core(
    'find-job/choose-job',
    'a job that cannot be read counts as ended',
    "if (readable === 'not_all') return { kind: 'unresolved' };",
    '',
  ),
  core(
    'find-job/search-jobs',
    'a directory entry that cannot be read is overlooked',
    'stored.unreadable.length > 0 && !isNamed',
    "stored.unreadable.includes('')",
  ),
  core(
    'use-cases/request-cancellation',
    'a refusal leaves no record',
    'await recordRefused(ports, request, step.refusal.kind);',
    '',
  ),
  core(
    'use-cases/request-cancellation',
    'a request that joins leaves no record',
    'await recordJoined(ports, request, begun.standing.state);',
    '',
  ),
  core(
    'use-cases/attempt',
    'a cancel whose effect is unknown is sent again at once',
    'const step = decideAfterCancel(attempt, await plangrep.cancel(jobId, untilMs), first);',
    "let answer = await plangrep.cancel(jobId, untilMs); if (answer.kind === 'unknown') answer = await plangrep.cancel(jobId, untilMs); const step = decideAfterCancel(attempt, answer, first);",
  ),
  core(
    'use-cases/request-cancellation',
    'a process that was frozen calls however late it is',
    'await settle(ports, standing, { ...attempt, untilMs })',
    'await settle(ports, standing, { ...attempt, untilMs: Number.MAX_SAFE_INTEGER })',
  ),
  core(
    'use-cases/attempt',
    'the loser of a race continues with what it would have written',
    "return { kind: 'lost', standing: standingOfStream(appended.stream) };",
    "return { kind: 'lost', standing: standingOf(next, wakeAt) };",
  ),
  core(
    'cancellation/pace',
    'Plangrep’s Retry-After is ignored',
    'retryAfterMs ?? retryDelayMs(attempt, result)',
    'retryDelayMs(attempt, result)',
  ),
  core(
    'find-job/reach',
    'a request that names a job reaches the newest one',
    'entries.filter(({ jobId }) => jobId === reach.jobId)',
    'entries.slice(0, 1)',
  ),
  core(
    'find-job/verify-job',
    'no ownership check',
    "if (job.externalId !== undefined && job.externalId !== externalId) return 'foreign';",
    "if (job.id !== '') return 'owned';",
  ),
  core(
    'find-job/verify-job',
    'the externalId that Plangrep shows is not compared',
    "if (job.externalId !== undefined && job.externalId !== externalId) return 'foreign';",
    '',
  ),
  core(
    'find-job/choose-job',
    'whose job it is is checked after the cancel',
    "entries.length === 1 && standingOf(access, only) === 'verified'",
    "entries.length === 1 && standingOf(access, only) !== 'lost'",
  ),
  core(
    'find-job/verify-job',
    'the owner row comes before the verification',
    "if (answer.kind !== 'job') return { kind: 'not_confirmed' };",
    `await ports.directory.claim(registrant.partnerId, registrant.externalId, { ...entry, verifiedAt: toTimestamp(ports.clock.now()) });
     if (answer.kind !== 'job') return { kind: 'not_confirmed' };`,
  ),
  {
    name: 'a stale project list: a partner’s record is read once',
    file: 'functions/adapters/dynamodb/remember-access.ts',
    from: 'standing !== undefined && now < standing.until',
    to: 'standing !== undefined && now !== standing.until',
  },
  core(
    'find-job/verify-job',
    'a verified entry is good for ever',
    "return access.projects.includes(entry.projectId) ? 'verified' : 'lost';",
    "return 'verified';",
  ),
  core(
    'find-job/read-jobs',
    'candidates are shown before they are verified',
    'const { verifiedAt } = entry;',
    `const { verifiedAt } = entry;
     const seen = await ports.plangrep.read(entry.jobId, untilMs);
     if (seen.kind === 'job' && !isTerminal(seen.job.status)) return shown({ ...entry, verifiedAt: entry.registeredAt }, seen.job.status);`,
  ),
  core(
    'use-cases/read-cancellations',
    'a reader sees unverified registrations',
    'entry.verifiedAt !== undefined && !isExpired(entry, now)',
    '!isExpired(entry, now)',
  ),
  core(
    'use-cases/register-job',
    'a registration that Plangrep refutes is kept',
    "if (verification.kind !== 'not_confirmed') return verification;",
    "if (verification.kind === 'registered_otherwise') return verification;",
  ),
  core(
    'find-job/verify-job',
    'a job that another partner owns is taken as well',
    "if (claimed.kind === 'claimed') return { kind: 'owned', entry: claimed.entry, jobStatus: job.status };",
    "if (claimed.kind !== 'taken' || claimed.owner.partnerId !== partnerId) return { kind: 'owned', entry: { ...entry, projectId: job.projectId, verifiedAt: now }, jobStatus: job.status };",
  ),
  core(
    'find-job/find-job',
    'a repeat reaches the job of its key without another look',
    'if (binding?.jobId !== undefined) return reachBound(ports, request, access, stored, binding.jobId);',
    "if (binding?.jobId !== undefined) return { kind: 'job', jobId: binding.jobId, firstCall: 'read' };",
  ),
  core('job-directory', 'an expired registration counts', 'expiresAt <= now', "expiresAt <= ''"),
  core(
    'find-job/choose-job',
    'candidates are read without a limit',
    'unread.slice(0, readsLeft.count)',
    'unread.slice(0)',
  ),
  core('find-job/choose-job', 'a second search begins to count its reads anew', 'readsLeft.count -= reads.length;', ''),
  core('use-cases/register-job', 'a full name is read to its end', '.slice(from, to)', '.slice(from)'),
  core(
    'find-job/job-reads',
    'every delivery of an event reads as many jobs as the first',
    'number > 1 ? READS_LATER : JOB_READS - READS_OF_ATTEMPT - READS_LATER * (max - 1)',
    'JOB_READS - READS_OF_ATTEMPT',
  ),
  core(
    'find-job/choose-job',
    'unverified registrations are among the candidates',
    "if (read.kind === 'alive') live.push(candidateOf(read));",
    `if (read.kind === 'alive') live.push(candidateOf(read));
     if (live.length === 2) live.push(...entries.filter(({ verifiedAt }) => verifiedAt === undefined).map((entry) => ({ ...entry, jobStatus: '' })));`,
  ),
  core(
    'find-job/discover-jobs',
    'a remembered list counts as a new one',
    'listedAt < arrivedMs ? listedAt + LISTING_REMEMBERED_MS - clock.now() : undefined',
    'listedAt < 0 ? listedAt + LISTING_REMEMBERED_MS - clock.now() : undefined',
  ),
  ...seededBugsOfTexts,
  ...seededBugsOfWakeUps,
  ...seededBugsOfRegions,
];
