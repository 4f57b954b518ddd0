import type { SQSBatchResponse } from 'aws-lambda';
import { messageAbout, readCallbackMessage } from '../../../functions/core/callbacks/callback-message.ts';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { refusedSchema } from '../../../functions/core/cancellation/events.ts';
import { refusedKey, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { type PartnerId, toTimestamp } from '../../../functions/core/identifiers.ts';
import { handleCallbacks } from '../../../functions/doors/callbacks/handle-callbacks.ts';
import { CallbackWorld } from '../../support/callbacks/memory-callbacks.ts';
import { acme, documentedJob, globex, retention } from '../../support/names.ts';
import { closed, refusedRecord, requested } from '../../support/stored-streams.ts';
import { sqsEvent, sqsRecord } from '../crash/invocations.ts';
import { Random } from '../simulation/random.ts';
import { context } from './fuzz-doors.ts';
import { mutateBytes, mutateJson, mutateText, nastyValue, type Pairs } from './nasties.ts';

const startMs = Date.parse('2026-11-26T12:00:00.000Z');
const at = toTimestamp(startMs);
const urlOf = (partnerId: PartnerId): string => `https://${partnerId}.example/callbacks`;

const refusal = refusedSchema.parse(refusedRecord({ at }).fields);

/** Two partners with a closed cancellation each, under the same jobId, and a request of acme's that was refused. */
function createWorld(): CallbackWorld {
  const world = new CallbackWorld(startMs);
  for (const partnerId of [acme, globex]) {
    const name = { partnerId, jobId: documentedJob };
    const first = sealEvent(name, undefined, requested, { eventId: 'e-1', at, keptDays: retention.events });
    const second = sealEvent(name, first, closed, { eventId: `end-${partnerId}`, at, keptDays: retention.events });
    world.log.streams.set(streamKey(name), [first, second]);
    world.endpoints.set(partnerId, { url: urlOf(partnerId), version: 1 });
  }
  world.log.refusals.set(refusedKey(refusal), refusal);
  return world;
}

/** A valid message, changed at random in its fields, its text or its bytes. */
function messageOf(random: Random): string {
  const about: Pairs = random.pick<Pairs>([
    [['jobId', JSON.stringify(documentedJob)]],
    [['refused', JSON.stringify({ at, requestId: refusal.requestId })]],
    [['refused', `{"at":${nastyValue(random)},"requestId":${nastyValue(random)}}`]],
    [['test', '"test-1"']],
  ]);
  const all = random.pick(['true', 'false', nastyValue(random)]);
  const replay: Pairs = random.chance(0.4) ? [['replay', `{"id":"replay-1","all":${all}}`]] : [];
  const pairs: Pairs = [['partnerId', random.pick(['"acme"', '"acme"', '"initech"'])], ...about, ...replay];
  const text = random.chance(0.5) ? mutateJson(random, pairs) : `{${pairs.map(([k, v]) => `"${k}":${v}`).join(',')}}`;
  if (random.chance(0.1)) return mutateText(random, text);
  return random.chance(0.05) ? mutateBytes(random, Buffer.from(text)).toString() : text;
}

export interface CallbackFigures {
  delivered: number;
  nothing: number;
  unreadable: number;
}

/**
 * Plays message `seed` of the callbacks queue beside a good one through the production handler: the good one is delivered
 * once whatever the other is; what is not a message of this queue is reported and delivers nothing; no partner gets what is
 * another's.
 * @returns what is wrong
 */
export async function fuzzCallbacks(seed: number, figures: CallbackFigures): Promise<string[]> {
  const random = new Random(seed);
  const world = createWorld();
  const odd = messageOf(random);
  const good = JSON.stringify(messageAbout({ kind: 'job', partnerId: globex, jobId: documentedJob }));
  let response: SQSBatchResponse;
  try {
    response = await handleCallbacks(world.ports)(sqsEvent(sqsRecord('odd', odd), sqsRecord('good', good)), context);
  } catch (error) {
    return [`callback message --seed ${seed}: threw ${String(error)}`];
  }
  const wrong: string[] = [];
  const failures = response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  if (failures.length > 0) wrong.push(`given back: ${failures.join(', ')}`);
  const toldTo = (partnerId: PartnerId) => world.posted.filter(({ url }) => url === urlOf(partnerId));
  if (toldTo(globex).length !== 1) wrong.push(`the good one was posted ${toldTo(globex).length} times`);
  const isMessage = readCallbackMessage(odd) !== undefined;
  const posted = toldTo(acme).length;
  figures[!isMessage ? 'unreadable' : posted > 0 ? 'delivered' : 'nothing'] += 1;
  if (!isMessage && posted > 0) wrong.push('not a message of this queue, and something was posted');
  if (isMessage === world.lines.some(([code]) => code === 'RECORD_UNREADABLE'))
    wrong.push('unreadable and not reported, or the other way round');
  if (posted > 1) wrong.push(`posted ${posted} times`);
  if (posted + 1 !== world.posted.length) wrong.push('posted to another endpoint than the two partners’');
  if (toldTo(acme).some(({ body }) => body.includes('end-globex')))
    wrong.push('acme got a callback about globex’s job');
  if (world.lines.some(([code]) => code === 'UNEXPECTED_ERROR')) wrong.push('an unexpected error was reported');
  return wrong.map((what) => `callback message --seed ${seed}: ${what}`);
}
