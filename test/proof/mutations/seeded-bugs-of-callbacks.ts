import { caughtBy, type TestedBug } from './seeded-bug.ts';

const delivering = caughtBy('core/use-cases/deliver-callbacks');
const deciding = caughtBy('core/callbacks/callbacks');
const signing = caughtBy('core/callbacks/sign-callback');
const posting = caughtBy('adapters/callbacks/post-callback');
const addressing = caughtBy('adapters/callbacks/public-address');
const storing = caughtBy('adapters/callback-log');

/** Plausible mistakes in the delivery of callbacks. */
export const seededBugsOfCallbacks: readonly TestedBug[] = [
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'the order is lost: what waits is overtaken',
    "if (next.kind === 'waits') return;",
    "if (next.kind === 'waits') continue;",
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'the order is lost: what has just failed is overtaken',
    '+ ONE_ATTEMPT_MS > untilMs) return;\n      await clock',
    '+ ONE_ATTEMPT_MS > untilMs) continue;\n      await clock',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'what is paused is delivered',
    "if (endpoint.pausedWhy !== undefined) return { result: 'paused', why: endpoint.pausedWhy };",
    '',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    '410 is an error like others',
    'if (httpStatus === 410) {',
    'if (httpStatus === 0) {',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'after 410 the rest of the job is told all the same',
    'const before = endpoint;\n      endpoint = await ports.endpoints.read(subject.partnerId);',
    'const before = endpoint;',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'what is kept for a replay is not in the index',
    "if (nextAt === undefined) return { kind: 'kept' };",
    'if (nextAt === undefined) return undefined;',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'a delivered attempt stays among what is kept',
    "if (result === 'delivered' || result === 'erased') return undefined;",
    '',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'an older attempt stays in the index',
    'if (last?.isIndexed === true) await log.unindex(last);',
    '',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'what a run that died left in the index stays there',
    'for (const old of attempts.slice(0, -1)) if (old.isIndexed) await log.unindex(old);',
    '',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'a run that lost the race goes on with what it read before',
    'if (!isRecorded) return again();',
    'if (!isRecorded) continue;',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'what is kept while an operator resumes is told by nothing',
    'if (isOpenedSince(before, endpoint)) return again();',
    '',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'a replay ends with its first attempt that fails',
    'asked ?? newestReplay(notices)',
    'asked',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'a run without time begins an attempt',
    'if (clock.now() + ONE_ATTEMPT_MS > untilMs) {',
    'if (clock.now() > untilMs) {',
  ),
  delivering(
    'functions/core/use-cases/deliver-callbacks',
    'the schedule finds what is due an hour late',
    "return { kind: 'due', at: nextAt };",
    "return { kind: 'due', at: toTimestamp(Date.parse(nextAt) + 3_600_000) };",
  ),
  delivering(
    'functions/core/use-cases/send-due-callbacks',
    'two runs of the schedule send for the same attempt',
    'if (!(await log.postpone(due, toTimestamp(clock.now() + AGAIN_MS)))) return;',
    'await log.postpone(due, toTimestamp(clock.now() + AGAIN_MS));',
  ),
  delivering(
    'functions/core/callbacks/notices',
    'what was erased is still told',
    'named: isNamed(state) ? { kind: type, at, state } : undefined,',
    'named: { kind: type, at, state },',
  ),
  delivering(
    'functions/core/callbacks/notices',
    'an escalation is told as the cancellation is now',
    'for (const event of events) {\n    state = applyEvent(state, event);',
    'for (const event of events) {\n    state = events.reduce(applyEvent, undefined);',
  ),
  delivering(
    'functions/core/callbacks/post-signed',
    'an answer of 3xx counts as delivered',
    'answer.httpStatus >= 200 && answer.httpStatus < 300',
    'answer.httpStatus >= 200 && answer.httpStatus < 400',
  ),
  deciding(
    'functions/core/callbacks/next-attempt',
    'a replay whose message comes twice tells twice',
    'attempts.every(({ replayId }) => replayId !== replay.id)',
    'attempts.length > 0',
  ),
  deciding(
    'functions/core/callbacks/next-attempt',
    'a replay also tells what was delivered',
    'return isReplayed && replay.all ? first',
    'return isReplayed ? first',
  ),
  deciding(
    'functions/core/callbacks/retry-schedule',
    'Retry-After is ignored',
    'Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)',
    '0',
  ),
  deciding(
    'functions/core/callbacks/retry-schedule',
    'Retry-After counts however long it is',
    'Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)',
    'retryAfterMs ?? 0',
  ),
  deciding(
    'functions/core/callbacks/slow-endpoints',
    'an endpoint that answers again counts as slow',
    'if (isDelivered || tookMs < SLOW_MS) {',
    'if (tookMs < 0) {',
  ),
  signing(
    'functions/core/callbacks/callback-secret',
    'after a rotation the secret before does not sign',
    '? [version, version - 1] : [version]',
    '? [version] : [version]',
  ),
  signing(
    'functions/core/callbacks/callback-secret',
    'the secret before signs for ever',
    'previousUntil !== undefined && nowMs < Date.parse(previousUntil)',
    'previousUntil !== undefined',
  ),
  signing(
    'functions/core/callbacks/callback-secret',
    'all partners have the same secret',
    '`${partnerId}#${version}`',
    'String(version)',
  ),
  signing(
    'functions/core/callbacks/sign-callback',
    'the time is not signed',
    '`${id}.${atSeconds}.${body}`',
    '`${id}.${body}`',
  ),
  posting(
    'functions/adapters/callbacks/call-endpoint',
    'a redirect is followed',
    '} else {\n      const retryAfterMs',
    `} else if (answer.headers.location !== undefined) {
      void callEndpoint({ url: new URL(answer.headers.location, url), headers, body, addresses, signal }).then(settle);
    } else {
      const retryAfterMs`,
  ),
  posting(
    'functions/adapters/callbacks/call-endpoint',
    'the connection asks the name server again',
    'lookup: lookupOf(addresses),',
    '',
  ),
  posting('functions/adapters/callbacks/call-endpoint', 'an answer is read to its end', 'left -= chunk.length;', ''),
  posting(
    'functions/adapters/callbacks/post-callback',
    'one public address among private ones is enough',
    'if (!addresses.every(',
    'if (!addresses.some(',
  ),
  posting(
    'functions/adapters/callbacks/post-callback',
    'this machine is called in production too',
    'isLoopback(hostname) ? isLoopbackAddress : isPublicAddress',
    '() => true',
  ),
  addressing('functions/adapters/callbacks/public-address', 'a private network is public', "['10.0.0.0', 8],", ''),
  addressing(
    'functions/adapters/callbacks/public-address',
    'an IPv4 address within IPv6 is public',
    "return unicast.check(address, 'ipv6') && !special",
    'return !special',
  ),
  storing(
    'functions/adapters/dynamodb/table-client',
    'an attempt overwrites another one of its number',
    "{ ConditionExpression: 'attribute_not_exists(pk)' }",
    '{}',
  ),
  storing(
    'functions/adapters/dynamodb/callback-log',
    'what is kept is due',
    '{ wakeShard: keptShard(record.partnerId), wakeAt: record.at }',
    '{ wakeShard: dueShardOf(pk), wakeAt: record.at }',
  ),
  storing(
    'functions/adapters/dynamodb/callback-endpoints',
    'the 410 of an old endpoint pauses the new one',
    "'#url = :url AND attribute_not_exists(pausedAt)'",
    "'(#url = :url OR attribute_exists(#url)) AND attribute_not_exists(pausedAt)'",
  ),
];
