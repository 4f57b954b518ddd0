import type { SeededBug } from './seeded-bug.ts';

/** A bug that the test in one file catches: the simulation knows nothing of callbacks. */
export interface TestedBug extends SeededBug {
  /** Relative to `test/`, without its ending. */
  readonly test: string;
}

/** @param file in `functions/`, without its ending */
const bug =
  (test: string) =>
  (file: string, name: string, from: string, to: string): TestedBug => ({
    name,
    file: `functions/${file}.ts`,
    from,
    to,
    test,
  });
const delivering = bug('core/use-cases/deliver-callbacks');
const deciding = bug('core/callbacks/callbacks');
const signing = bug('core/callbacks/sign-callback');
const posting = bug('adapters/callbacks/post-callback');
const addressing = bug('adapters/callbacks/public-address');
const storing = bug('adapters/callback-log');

/** Plausible mistakes in the delivery of callbacks. */
export const seededBugsOfCallbacks: readonly TestedBug[] = [
  delivering(
    'core/use-cases/deliver-callbacks',
    'the order is lost: what waits is overtaken',
    "if (next.kind === 'waits') return;",
    "if (next.kind === 'waits') continue;",
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'the order is lost: what has just failed is overtaken',
    '+ ONE_ATTEMPT_MS > untilMs) return;\n      await clock',
    '+ ONE_ATTEMPT_MS > untilMs) continue;\n      await clock',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'what is paused is delivered',
    "if (endpoint.pausedWhy !== undefined) return { result: 'paused', why: endpoint.pausedWhy };",
    '',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    '410 is an error like others',
    'if (httpStatus === 410) {',
    'if (httpStatus === 0) {',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'after 410 the rest of the job is told all the same',
    'const before = endpoint;\n      endpoint = await ports.endpoints.read(subject.partnerId);',
    'const before = endpoint;',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'what is kept for a replay is not in the index',
    "if (nextAt === undefined) return { kind: 'kept' };",
    'if (nextAt === undefined) return undefined;',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'a delivered attempt stays among what is kept',
    "if (result === 'delivered' || result === 'erased') return undefined;",
    '',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'an older attempt stays in the index',
    'if (last?.isIndexed === true) await log.unindex(last);',
    '',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'what a run that died left in the index stays there',
    'for (const old of attempts.slice(0, -1)) if (old.isIndexed) await log.unindex(old);',
    '',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'a run that lost the race goes on with what it read before',
    'if (!isRecorded) return again();',
    'if (!isRecorded) continue;',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'what is kept while an operator resumes is told by nothing',
    'if (isOpenedSince(before, endpoint)) return again();',
    '',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'a replay ends with its first attempt that fails',
    'asked ?? newestReplay(notices)',
    'asked',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'a run without time begins an attempt',
    'if (clock.now() + ONE_ATTEMPT_MS > untilMs) {',
    'if (clock.now() > untilMs) {',
  ),
  delivering(
    'core/use-cases/deliver-callbacks',
    'the schedule finds what is due an hour late',
    "return { kind: 'due', at: nextAt };",
    "return { kind: 'due', at: toTimestamp(Date.parse(nextAt) + 3_600_000) };",
  ),
  delivering(
    'core/use-cases/send-due-callbacks',
    'two runs of the schedule send for the same attempt',
    'if (!(await log.postpone(due, toTimestamp(clock.now() + AGAIN_MS)))) return;',
    'await log.postpone(due, toTimestamp(clock.now() + AGAIN_MS));',
  ),
  delivering(
    'core/callbacks/notices',
    'what was erased is still told',
    'named: isNamed(state) ? { kind: type, at, state } : undefined,',
    'named: { kind: type, at, state },',
  ),
  delivering(
    'core/callbacks/notices',
    'an escalation is told as the cancellation is now',
    'for (const event of events) {\n    state = applyEvent(state, event);',
    'for (const event of events) {\n    state = events.reduce(applyEvent, undefined);',
  ),
  delivering(
    'core/callbacks/post-signed',
    'an answer of 3xx counts as delivered',
    'answer.httpStatus >= 200 && answer.httpStatus < 300',
    'answer.httpStatus >= 200 && answer.httpStatus < 400',
  ),
  deciding(
    'core/callbacks/next-attempt',
    'a replay whose message comes twice tells twice',
    'attempts.every(({ replayId }) => replayId !== replay.id)',
    'attempts.length > 0',
  ),
  deciding(
    'core/callbacks/next-attempt',
    'a replay also tells what was delivered',
    'return isReplayed && replay.all ? first',
    'return isReplayed ? first',
  ),
  deciding(
    'core/callbacks/retry-schedule',
    'Retry-After is ignored',
    'Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)',
    '0',
  ),
  deciding(
    'core/callbacks/retry-schedule',
    'Retry-After counts however long it is',
    'Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)',
    'retryAfterMs ?? 0',
  ),
  deciding(
    'core/callbacks/slow-endpoints',
    'an endpoint that answers again counts as slow',
    'if (isDelivered || tookMs < SLOW_MS) {',
    'if (tookMs < 0) {',
  ),
  signing(
    'core/callbacks/callback-secret',
    'after a rotation the secret before does not sign',
    '? [version, version - 1] : [version]',
    '? [version] : [version]',
  ),
  signing(
    'core/callbacks/callback-secret',
    'the secret before signs for ever',
    'previousUntil !== undefined && nowMs < Date.parse(previousUntil)',
    'previousUntil !== undefined',
  ),
  signing(
    'core/callbacks/callback-secret',
    'all partners have the same secret',
    '`${partnerId}#${version}`',
    'String(version)',
  ),
  signing('core/callbacks/sign-callback', 'the time is not signed', '`${id}.${atSeconds}.${body}`', '`${id}.${body}`'),
  posting(
    'adapters/callbacks/call-endpoint',
    'a redirect is followed',
    '} else {\n      const retryAfterMs',
    `} else if (answer.headers.location !== undefined) {
      void callEndpoint({ url: new URL(answer.headers.location, url), headers, body, addresses, signal }).then(settle);
    } else {
      const retryAfterMs`,
  ),
  posting(
    'adapters/callbacks/call-endpoint',
    'the connection asks the name server again',
    'lookup: lookupOf(addresses),',
    '',
  ),
  posting('adapters/callbacks/call-endpoint', 'an answer is read to its end', 'left -= chunk.length;', ''),
  posting(
    'adapters/callbacks/post-callback',
    'one public address among private ones is enough',
    'if (!addresses.every(',
    'if (!addresses.some(',
  ),
  posting(
    'adapters/callbacks/post-callback',
    'this machine is called in production too',
    'isLoopback(hostname) ? isLoopbackAddress : isPublicAddress',
    '() => true',
  ),
  addressing('adapters/callbacks/public-address', 'a private network is public', "['10.0.0.0', 8],", ''),
  addressing(
    'adapters/callbacks/public-address',
    'an IPv4 address within IPv6 is public',
    "return unicast.check(address, 'ipv6') && !special",
    'return !special',
  ),
  storing(
    'adapters/dynamodb/table-client',
    'an attempt overwrites another one of its number',
    "{ ConditionExpression: 'attribute_not_exists(pk)' }",
    '{}',
  ),
  storing(
    'adapters/dynamodb/callback-log',
    'what is kept is due',
    '{ wakeShard: keptShard(record.partnerId), wakeAt: record.at }',
    '{ wakeShard: dueShardOf(pk), wakeAt: record.at }',
  ),
  storing(
    'adapters/dynamodb/callback-endpoints',
    'the 410 of an old endpoint pauses the new one',
    "'#url = :url AND attribute_not_exists(pausedAt)'",
    "'(#url = :url OR attribute_exists(#url)) AND attribute_not_exists(pausedAt)'",
  ),
];
