import { messageAbout, type Replay, type Subject } from '../callbacks/callback-message.ts';
import type { CallbackRecord } from '../callbacks/callback-record.ts';
import { newestReplay, nextAttempt } from '../callbacks/next-attempt.ts';
import { type Notice, readNotices } from '../callbacks/notices.ts';
import type { CallbackEndpoint, CallbackPlace, CallbackPorts } from '../callbacks/ports.ts';
import { postSigned } from '../callbacks/post-signed.ts';
import { delayToNextMs } from '../callbacks/retry-schedule.ts';
import { FORMAT } from '../cancellation/commitment.ts';
import { toTimestamp } from '../identifiers.ts';

/** One attempt: a call of 10 s at most, and the writes around it. */
const ONE_ATTEMPT_MS = 12_000;
/** A next attempt that is due so soon is made by the same run. The others the schedule finds in the index, once a minute. */
const LONGEST_WAIT_MS = 7_000;

/** What an attempt adds to the record that it leaves. */
type Ended = Pick<CallbackRecord, 'result' | 'why' | 'httpStatus' | 'nextAt'>;

/**
 * Tells a partner what is not told yet about a cancellation or a refused request: in order, each at least once. Whatever the
 * endpoint does ends on record. An attempt that fails is made again by {@link delayToNextMs}; what is paused, or has failed
 * for the last time, is kept until an operator replays it.
 * @param untilMs milliseconds since 1970: no attempt is begun that may end later
 * @throws BrokenStream, DependencyUnavailable: nothing is lost, the message is to be delivered again
 */
export async function deliverCallbacks(
  ports: CallbackPorts,
  subject: Subject,
  { replay: asked, untilMs }: { readonly replay?: Replay | undefined; readonly untilMs: number },
): Promise<void> {
  const { log, clock, queue } = ports;
  const again = (): Promise<void> => deliverCallbacks(ports, subject, { replay: asked, untilMs });
  const notices = await readNotices(log, subject);
  // The message that asked for a replay is gone once an attempt of it has failed: what is left of it, the log says.
  const replay = asked ?? newestReplay(notices);
  let endpoint = await ports.endpoints.read(subject.partnerId);
  /** What has failed for the last time, and stands before what follows. */
  const givenUp: Notice[] = [];
  for (const notice of notices) {
    const { attempts } = notice;
    // Left in the index by a run that died between two writes.
    for (const old of attempts.slice(0, -1)) if (old.isIndexed) await log.unindex(old);
    // Without an endpoint, only what was being retried when it was removed is still to be settled.
    if (endpoint === undefined && attempts.at(-1)?.nextAt === undefined) continue;
    const isPaused = endpoint === undefined || endpoint.pausedWhy !== undefined;
    const next = nextAttempt(attempts, { isPaused, replay, nowMs: clock.now() });
    if (next.kind === 'waits') return;
    if (next.kind === 'settled') {
      if (attempts.at(-1)?.result === 'failed') givenUp.push(notice);
      continue;
    }
    if (clock.now() + ONE_ATTEMPT_MS > untilMs) {
      await queue.send(messageAbout(subject, replay));
      return;
    }
    const { attempt } = next;
    const isHeldUp = !isPaused && !(await areToldNow(ports, givenUp, endpoint, untilMs));
    const ended = isHeldUp
      ? endAsFailed(ports, attempt, { why: 'earlier_failed' })
      : await endAttempt(ports, notice, endpoint, attempt);
    const made = { attempt, replayId: next.replay?.id, replaysAll: next.replay?.all };
    const isRecorded = await recordAttempt(ports, notice, { ...ended, ...made });
    // Another run has told it meanwhile. It may have read the log before what follows happened.
    if (!isRecorded) return again();
    if (ended.nextAt !== undefined) {
      const waitMs = Date.parse(ended.nextAt) - clock.now();
      if (waitMs > LONGEST_WAIT_MS || clock.now() + waitMs + ONE_ATTEMPT_MS > untilMs) return;
      await clock.sleep(waitMs);
      return again();
    }
    if (ended.result === 'failed') givenUp.push(notice);
    if (ended.result === 'paused') {
      const before = endpoint;
      endpoint = await ports.endpoints.read(subject.partnerId);
      // The replay that came with it may have looked before this was kept.
      if (isOpenedSince(before, endpoint)) return again();
    }
  }
}

/** Whether an operator has resumed a partner's callbacks, or set another URL, since they were read. */
function isOpenedSince(before: CallbackEndpoint | undefined, now: CallbackEndpoint | undefined): boolean {
  if (now === undefined || now.pausedWhy !== undefined) return false;
  return before === undefined || before.pausedWhy !== undefined || before.url !== now.url;
}

async function endAttempt(
  ports: CallbackPorts,
  { partnerId, webhookId, named }: Notice,
  endpoint: CallbackEndpoint | undefined,
  attempt: number,
): Promise<Ended> {
  if (endpoint === undefined) return { result: 'paused', why: 'removed' };
  if (endpoint.pausedWhy !== undefined) return { result: 'paused', why: endpoint.pausedWhy };
  if (named === undefined) return { result: 'erased' };
  const { clock, endpoints, present } = ports;
  const posted = await postSigned(ports, endpoint, { partnerId, webhookId, body: present(named) });
  const { httpStatus } = posted;
  if (posted.kind === 'delivered') return { result: 'delivered', httpStatus };
  if (httpStatus === 410) {
    await endpoints.pause(partnerId, endpoint.url, toTimestamp(clock.now()));
    return { result: 'paused', why: 'gone', httpStatus };
  }
  return endAsFailed(ports, attempt, posted);
}

function endAsFailed(
  { clock }: CallbackPorts,
  attempt: number,
  { why, httpStatus, retryAfterMs }: Pick<Ended, 'why' | 'httpStatus'> & { readonly retryAfterMs?: number | undefined },
): Ended {
  const delayMs = delayToNextMs(attempt, retryAfterMs, clock.random());
  const nextAt = delayMs === undefined ? undefined : toTimestamp(clock.now() + delayMs);
  return { result: 'failed', why, httpStatus, nextAt };
}

/**
 * Tries once more what was given up, before what follows it is told: the partner is told in order, also after days.
 * @returns false where one of them is not told still
 */
async function areToldNow(
  ports: CallbackPorts,
  givenUp: Notice[],
  endpoint: CallbackEndpoint | undefined,
  untilMs: number,
): Promise<boolean> {
  for (let earlier = givenUp[0]; earlier !== undefined; earlier = givenUp[0]) {
    const last = earlier.attempts.at(-1);
    // In this run it has had its attempt already, or another one could end too late.
    if (last?.nextAt !== undefined || last === undefined || ports.clock.now() + 2 * ONE_ATTEMPT_MS > untilMs)
      return false;
    const { attempt, replayId, replaysAll } = last;
    const ended = await endAttempt(ports, earlier, endpoint, attempt);
    await recordAttempt(ports, earlier, { ...ended, nextAt: undefined, attempt, replayId, replaysAll });
    if (ended.result !== 'delivered' && ended.result !== 'erased') return false;
    givenUp.shift();
  }
  return true;
}

/** @returns false when another run recorded an attempt of this number */
async function recordAttempt(
  { log, clock, report }: CallbackPorts,
  { partnerId, jobId, day, about, notice, webhookId, deleteAfter, recordedAt, attempts }: Notice,
  ended: Ended & Pick<CallbackRecord, 'attempt' | 'replayId' | 'replaysAll'>,
): Promise<boolean> {
  const record: CallbackRecord = {
    type: 'callback',
    format: FORMAT,
    partnerId,
    jobId,
    day,
    about,
    notice,
    number: attempts.length + 1,
    webhookId,
    at: toTimestamp(clock.now()),
    deleteAfter,
    ...ended,
  };
  const place = placeOf(record);
  if (!(await log.append(record, place))) return false;
  const last = attempts.at(-1);
  if (last?.isIndexed === true) await log.unindex(last);
  const { result, why, httpStatus, attempt } = ended;
  const sinceMs = clock.now() - Date.parse(recordedAt);
  const code = place?.kind === 'kept' ? 'CALLBACK_KEPT' : 'CALLBACK_ATTEMPTED';
  report(code, { partnerId, jobId, webhookId, result, why, httpStatus, attempt, sinceMs });
  return true;
}

function placeOf({ result, nextAt }: CallbackRecord): CallbackPlace | undefined {
  if (result === 'delivered' || result === 'erased') return undefined;
  if (nextAt === undefined) return { kind: 'kept' };
  return { kind: 'due', at: nextAt };
}
