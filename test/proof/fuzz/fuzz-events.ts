import type { SQSBatchResponse } from 'aws-lambda';
import { envelopeSchema, handleEvents } from '../../../functions/doors/eventbridge/handle-events.ts';
import { envelope, sqsEvent, sqsRecord } from '../crash/lambda-events.ts';
import { Random } from '../simulation/random.ts';
import { context, createFuzzWorld, judgeTraces } from './fuzz-world.ts';
import { cancelPairs, registerPairs } from './http-inputs.ts';
import { mutateBytes, mutateJson, mutateText, nastyValue } from './nasties.ts';

const MAX_RECEIVES = 5;
const time = Date.parse('2026-11-23T12:00:00Z');

/** A valid message, changed at random in its detail, its frame or its bytes. */
const messageOf = (random: Random): string => {
  const isCancel = random.chance(0.6);
  const jobId = ['jobId', random.pick(['"job_own"', '"job_foreign"', '"job_nobody"'])] as const;
  const detail = mutateJson(random, isCancel ? cancelPairs(random) : [jobId, ...registerPairs(random)]);
  const detailType = isCancel ? '"Job Cancellation Requested"' : '"Job Registered"';
  const frame = [
    ['partnerId', '"acme"'],
    ['id', '"event-1"'],
    ['time', '"2026-11-23T12:00:00Z"'],
    ['detailType', detailType],
    ['detail', detail],
  ] as const;
  const kept = random.chance(0.05) ? frame.slice(0, random.between(0, 4)) : frame;
  const pairs = kept.map(([key, json]) => [key, random.chance(0.05) ? nastyValue(random) : json] as const);
  const text = `{${pairs.map(([key, json]) => `"${key}":${json}`).join(',')}}`;
  if (random.chance(0.1)) return mutateText(random, text);
  return random.chance(0.05) ? mutateBytes(random, Buffer.from(text)).toString() : text;
};

export interface EventFigures {
  done: number;
  again: number;
}

/**
 * Plays message `seed` beside two good ones through the production handler: the good ones succeed whatever the third is,
 * and a message that is given back has made no call.
 * @returns what is wrong
 */
export const fuzzEvents = async (seed: number, figures: EventFigures): Promise<string[]> => {
  const random = new Random(seed);
  const ports = await createFuzzWorld();
  const good = (n: number) =>
    envelope('acme', `good-${n}`, 'Job Registered', { jobId: `job_good_${n}`, externalId: `good ${n}` }, time);
  const receives = random.between(1, MAX_RECEIVES);
  const Records = [
    sqsRecord('good-1', good(1)),
    sqsRecord('odd', messageOf(random), receives),
    sqsRecord('good-2', good(2)),
  ];
  let response: SQSBatchResponse;
  try {
    response = await handleEvents(ports, MAX_RECEIVES)(sqsEvent(...Records), context);
  } catch (error) {
    return [`message --seed ${seed}: threw ${String(error)}`];
  }
  const failures = response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  const isAgain = failures.includes('odd');
  figures[isAgain ? 'again' : 'done'] += 1;
  const wrong = judgeTraces(ports);
  if (failures.some((name) => name !== 'odd')) wrong.push(`its batch-mates failed with it: ${failures.join(', ')}`);
  const isReading = (call: string): boolean => call.startsWith('read ');
  if (isAgain && !ports.plangrep.calls.every(isReading))
    wrong.push(`given back after ${ports.plangrep.calls.join(', ')}`);
  if (!isAgain && !isUnderstood(Records[1]?.body ?? '')) wrong.push('done, but it is not an event of the contract');
  if (ports.reported.some(({ code }) => code === 'UNEXPECTED_ERROR')) wrong.push('an unexpected error was reported');
  return wrong.map((what) => `message --seed ${seed}: ${what}`);
};

const isUnderstood = (body: string): boolean => {
  try {
    return envelopeSchema.safeParse(JSON.parse(body)).success;
  } catch {
    return false;
  }
};
