import type { AttemptEndedBody, CancellationEvent, ClosedBody, ObservedBody, RequestedBody } from './events.ts';

/** `person`: someone has to act, at Plangrep or on its key. */
export type Party = 'us' | 'plangrep' | 'person';
/** Milliseconds by the party that spent them. */
export type SpentMs = Readonly<Record<Party, number>>;

/** What a closed cancellation took, and what the job cost meanwhile. */
export interface Figures {
  /**
   * Milliseconds that the job ran after the request: until it ended, or where Plangrep does not say when that was, until
   * this service knew. Absent if Plangrep has no such job.
   */
  readonly ranMs?: number | undefined;
  /** It adds up to the time from the request to the closing event. */
  readonly spentMs: SpentMs;
  /** Between the first and the last job read on record that told the credits. Absent when fewer than two told. */
  readonly creditsDebitedMeanwhile?: number | undefined;
}

/**
 * By whom the time of a cancellation is spent, event by event. Where two rules are plausible, the stricter one against
 * this service counts:
 *
 * - From a claim to the end of its attempt: Plangrep's, for its calls. Ours if the attempt was abandoned, or ended before
 *   a call because of our own key store or time.
 * - After an attempt: Plangrep's, for as long as it asked to wait (`Retry-After`); the rest is ours. A person's after
 *   `key_refused`: someone has to replace the key. Plangrep's after 404: it does not know the job.
 * - After an accepted cancel: Plangrep's; a person's while the job is `blocked_insufficient_credits`, because someone has
 *   to pay or resume. Ours from the end of the job, where Plangrep tells it, until we knew.
 *
 * Events are put in order by their numbers, and written by clocks that differ. When an event is older than the one
 * before it, what was counted too much is taken back, last from us.
 */
export interface Account {
  readonly requestedMs: number;
  /** It adds up to the time from the request to the newest event that ends or begins a phase. */
  readonly spentMs: SpentMs;
  /** What goes on since then. */
  readonly phase: Phase;
  /** Milliseconds from the request to the newest read that showed the job alive. */
  readonly aliveMs: number;
  readonly credits?: { readonly first: number; readonly newest?: number | undefined } | undefined;
}

type Phase =
  /** How an attempt ends says by whom its time was spent. */
  | { readonly kind: 'attempt' }
  /** What goes beyond `forMs` is ours. */
  | { readonly kind: 'wait'; readonly by: Party; readonly forMs: number };

type Ending = AttemptEndedBody | ObservedBody | ClosedBody;

const attempt: Phase = { kind: 'attempt' };
const ours = waitFor('us');

function waitFor(by: Party, forMs = Number.POSITIVE_INFINITY): Phase {
  return { kind: 'wait', by, forMs };
}

export function beginAccount({ at }: CancellationEvent<RequestedBody>): Account {
  return { requestedMs: Date.parse(at), spentMs: { us: 0, plangrep: 0, person: 0 }, phase: attempt, aliveMs: 0 };
}

/** The account after the next event of the same request. */
export function continueAccount(account: Account, event: Exclude<CancellationEvent, { type: 'requested' }>): Account {
  // An alert changes nothing about who is waited for.
  if (event.type === 'escalated') return account;
  const sinceMs = sumOf(account.spentMs);
  const untilMs = Math.max(0, Date.parse(event.at) - account.requestedMs);
  const spentMs = spend(account.spentMs, untilMs - sinceMs, judgePhase(account, event, sinceMs));
  if (event.type === 'attempt_started') return { ...account, spentMs, phase: attempt };
  const isAlive = event.type !== 'closed' && event.jobStatus !== undefined;
  return {
    ...account,
    spentMs,
    phase: phaseAfter(event),
    aliveMs: isAlive ? untilMs : account.aliveMs,
    credits: creditsAfter(account.credits, event),
  };
}

/** When a read last showed the job alive, as far as that is on record, or else the request. Milliseconds since 1970. */
export function lastAliveMs({ requestedMs, aliveMs }: Account): number {
  return requestedMs + aliveMs;
}

/** By whom the phase that an event ends was spent, and for how long at most. */
function judgePhase(
  { requestedMs, phase }: Account,
  event: Exclude<CancellationEvent, { type: 'requested' | 'escalated' }>,
  sinceMs: number,
): { readonly by: Party; readonly forMs: number } {
  if (phase.kind === 'attempt') {
    const isOurs = event.type === 'attempt_started' || isPrevented(event);
    return { by: isOurs ? 'us' : 'plangrep', forMs: Number.POSITIVE_INFINITY };
  }
  if (event.type !== 'closed' || event.completedAt === undefined) return phase;
  return { by: phase.by, forMs: Date.parse(event.completedAt) - requestedMs - sinceMs };
}

function isPrevented(event: Ending): boolean {
  return event.type === 'attempt_ended' && (event.why === 'no_key' || event.why === 'no_time');
}

/** @param elapsedMs negative when the clock went back */
function spend(
  spentMs: SpentMs,
  elapsedMs: number,
  { by, forMs }: { readonly by: Party; readonly forMs: number },
): SpentMs {
  if (elapsedMs < 0) return takeBack(spentMs, -elapsedMs);
  const theirs = Math.max(0, Math.min(elapsedMs, forMs));
  const given = { ...spentMs, [by]: spentMs[by] + theirs };
  return { ...given, us: given.us + elapsedMs - theirs };
}

function takeBack({ us, plangrep, person }: SpentMs, excessMs: number): SpentMs {
  const fromPlangrep = Math.min(plangrep, excessMs);
  const fromPerson = Math.min(person, excessMs - fromPlangrep);
  return {
    us: us - (excessMs - fromPlangrep - fromPerson),
    plangrep: plangrep - fromPlangrep,
    person: person - fromPerson,
  };
}

function phaseAfter(event: Ending): Phase {
  if (event.type === 'closed') return ours;
  switch (event.result) {
    case 'accepted':
    case 'job':
      return waitFor(event.jobStatus === 'blocked_insufficient_credits' ? 'person' : 'plangrep');
    case 'not_found':
      return waitFor('plangrep');
    case 'key_refused':
      return waitFor('person');
    case 'rate_limited':
    case 'refused':
    case 'not_sent':
    case 'unknown':
      return waitFor('plangrep', event.retryAfterMs ?? 0);
  }
}

function creditsAfter(credits: Account['credits'], { creditsDebited }: Ending): Account['credits'] {
  if (creditsDebited === undefined) return credits;
  return credits === undefined ? { first: creditsDebited } : { first: credits.first, newest: creditsDebited };
}

/** The figures of a cancellation whose account ends with this event. */
export function figuresOf({ requestedMs, spentMs, aliveMs, credits }: Account, closed: ClosedBody): Figures {
  const openMs = sumOf(spentMs);
  const endedMs = closed.completedAt === undefined ? openMs : Date.parse(closed.completedAt) - requestedMs;
  const ranMs = Math.min(openMs, Math.max(aliveMs, endedMs));
  return {
    ranMs: closed.outcome === 'job_not_found' ? undefined : ranMs,
    spentMs,
    creditsDebitedMeanwhile: credits?.newest === undefined ? undefined : differenceOf(credits.first, credits.newest),
  };
}

/** Credits have six decimals. Plangrep never takes a debit back: figures that fall are not believed. */
function differenceOf(first: number, newest: number): number | undefined {
  return newest < first ? undefined : Math.round((newest - first) * 1e6) / 1e6;
}

/** Milliseconds from the request to the newest event. */
export function sumOf({ us, plangrep, person }: SpentMs): number {
  return us + plangrep + person;
}
