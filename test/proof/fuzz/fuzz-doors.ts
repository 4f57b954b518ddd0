import type { APIGatewayProxyResult, Context, SQSBatchResponse } from 'aws-lambda';
import type * as z from 'zod/mini';
import {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  registeredJobSchema,
} from '../../../functions/contract/answers.ts';
import { problemSchema } from '../../../functions/contract/problem-answers.ts';
import { problemContentType } from '../../../functions/contract/problems.ts';
import { projectIdSchema, toTimestamp } from '../../../functions/core/identifiers.ts';
import { handleEvents } from '../../../functions/doors/eventbridge/handle-events.ts';
import { readEvent } from '../../../functions/doors/eventbridge/read-event.ts';
import { handleReadCancellations } from '../../../functions/doors/http/handle-read-cancellations.ts';
import { handleRegisterJob } from '../../../functions/doors/http/handle-register-job.ts';
import { handleRequestCancellation } from '../../../functions/doors/http/handle-request-cancellation.ts';
import { createMemoryPorts, type MemoryPorts } from '../../support/memory-ports.ts';
import { acme, externalId, globex, jobId } from '../../support/names.ts';
import { createAnswerJudge } from '../../support/openapi/openapi-answers.ts';
import { envelope, proxyEvent, sqsEvent, sqsRecord } from '../crash/invocations.ts';
import { MAX_RECEIVES } from '../simulation/doors.ts';
import { Random } from '../simulation/random.ts';
import { cancelPairs, type HttpDoor, httpInputs, registerPairs, world } from './http-inputs.ts';
import { mutateBytes, mutateJson, mutateText, nastyValue } from './nasties.ts';

const projects = { acme: projectIdSchema.parse('proj_acme'), globex: projectIdSchema.parse('proj_globex') };

export const context = { getRemainingTimeInMillis: () => 15_000 } as Context;

/**
 * Fresh ports for one input: acme's jobs, and globex's job, which acme has registered too while Plangrep could not be
 * asked, under globex's name for it and under another name.
 */
export const createFuzzWorld = async (): Promise<MemoryPorts> => {
  const ports = createMemoryPorts();
  const registered = { registeredAt: toTimestamp(0), verifiedAt: toTimestamp(0) };
  const { own, ended, twins, foreign } = world;
  const jobs = [own, ended, ...twins.jobIds.map((id) => ({ jobId: id, externalId: twins.externalId }))];
  for (const job of jobs) {
    await ports.directory.claim(acme, externalId(job.externalId), {
      jobId: jobId(job.jobId),
      projectId: projects.acme,
      ...registered,
    });
  }
  await ports.directory.claim(globex, externalId(foreign.externalId), {
    jobId: jobId(foreign.jobId),
    projectId: projects.globex,
    ...registered,
  });
  for (const name of [foreign.externalId, own.externalId]) {
    const squat = { jobId: jobId(foreign.jobId), registeredAt: toTimestamp(1) };
    await ports.directory.keepUnverified(acme, externalId(name), squat);
  }
  ports.access.set(acme, { kind: 'projects', projects: [projects.acme] });
  ports.access.set(globex, { kind: 'projects', projects: [projects.globex] });
  const plangrepShows = (id: string) =>
    id === foreign.jobId
      ? { projectId: projects.globex, externalId: foreign.externalId }
      : { projectId: projects.acme, externalId: jobs.find((job) => job.jobId === id)?.externalId };
  ports.plangrep.onCancel = (id) =>
    id === ended.jobId ? { kind: 'refused', httpStatus: 409 } : { kind: 'job', job: { id, status: 'cancelled' } };
  ports.plangrep.onRead = (id) => ({
    kind: 'job',
    job: { id, status: id === ended.jobId ? 'completed' : 'processing', ...plangrepShows(id) },
  });
  return ports;
};

/** @returns what is wrong with what an input of acme's left behind */
export const judgeTraces = ({ log, directory, plangrep }: MemoryPorts): string[] => {
  // A read that verifies a registration shows the caller nothing; a cancel would.
  const foreign = plangrep.calls.filter((call) => call === `cancel ${world.foreign.jobId}`);
  const owner = directory.owners.get(jobId(world.foreign.jobId));
  const strange = [...log.streams.keys()].filter((name) => !name.startsWith('acme#job_') || name.endsWith('foreign'));
  const records = [...log.refused, ...log.joined, ...[...log.streams.values()].flat(), ...directory.jobs.keys()];
  const repaired = records.map((record) => JSON.stringify(record)).filter((record) => record.includes('\ufffd'));
  return [
    ...(owner?.partnerId === globex ? [] : [`globex's job is ${owner?.partnerId}'s`]),
    ...foreign.map((call) => `Plangrep: ${call}`),
    ...strange.map((name) => `a stream ${name}`),
    ...repaired.map((record) => `text that was repaired: ${record}`),
  ];
};

export const doors = {
  'POST cancellations': { handle: handleRequestCancellation, success: cancellationSchema },
  'PUT job': { handle: handleRegisterJob, success: registeredJobSchema },
  'GET by job': { handle: handleReadCancellations, success: cancellationWithTimelineSchema },
  'GET by externalId': { handle: handleReadCancellations, success: cancellationListSchema },
} as const satisfies Record<HttpDoor, { handle: unknown; success: z.ZodMiniType }>;

const judgeByDescription = createAnswerJudge();

/** One answer by status: what the fuzz met. */
export type Statuses = Map<number, number>;

/** Plays input `seed` at a door, through the production handler on memory ports. @returns what is wrong */
export const fuzzHttp = async (door: HttpDoor, seed: number, statuses: Statuses): Promise<string[]> => {
  const random = new Random(seed);
  const request = httpInputs[door](random);
  const ports = await createFuzzWorld();
  const event = proxyEvent('acme', 'request-1', request);
  if (door.startsWith('GET') && random.chance(0.5)) {
    // Something to read.
    const body = JSON.stringify({ externalId: world.own.externalId });
    const path = '/v1/cancellations';
    const before = proxyEvent('acme', 'request-0', { method: 'POST', resource: path, path, body });
    await handleRequestCancellation(ports)(before, context);
    ports.plangrep.calls.length = 0;
  }
  let answered: APIGatewayProxyResult;
  try {
    answered = await doors[door].handle(ports)(event, context);
  } catch (error) {
    return [`${describe(door, seed)}: threw ${String(error)}`];
  }
  const { statusCode, headers = {}, body } = answered;
  const undescribed = judgeByDescription(request.method, request.resource, { status: statusCode, headers, body });
  statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
  const judged = judgeAnswer(door, statusCode, String(headers['Content-Type']), body);
  const wrong = [...judged, ...undescribed, ...judgeTraces(ports)];
  // To find that a job is not the partner's, jobs are read and listed.
  const called = ports.plangrep.calls.filter((call) => statusCode !== 404 || call.startsWith('cancel '));
  if ([400, 404, 413, 415, 422].includes(statusCode) && called.length > 0) {
    wrong.push(`${statusCode}, yet Plangrep was called: ${called.join(', ')}`);
  }
  if (ports.reported.some(({ code }) => code === 'UNEXPECTED_ERROR')) wrong.push('an unexpected error was reported');
  for (const [name, value] of Object.entries(headers)) {
    if (/[\r\n\0]/.test(String(value))) wrong.push(`the header ${name} has a line break`);
  }
  return wrong.map((what) => `${describe(door, seed)}: ${what}`);
};

/** @returns what is wrong with an answer, by the contract alone */
export const judgeAnswer = (door: HttpDoor, status: number, contentType: string, body: string): string[] => {
  const wrong: string[] = [];
  const content: unknown = JSON.parse(body);
  if (status >= 500) wrong.push(`${status} ${body}`);
  const isProblem = status >= 400;
  if (contentType !== (isProblem ? problemContentType : 'application/json')) wrong.push(`${status} as ${contentType}`);
  const parsed = (isProblem ? problemSchema : doors[door].success).safeParse(content);
  if (!parsed.success) wrong.push(`${status} is not an answer of the contract: ${body.slice(0, 300)}`);
  if (isProblem && problemSchema.safeParse(content).data?.status !== status)
    wrong.push(`${status} names another status`);
  if (!isProblem && status !== 200 && status !== 202) wrong.push(`a ${status}`);
  // A problem quotes the names of fields that it does not know, and a refusal what the caller asked for; where an answer
  // names jobs otherwise, they are the caller's own.
  const quotes = new Set(['errors', 'detail', 'refusals']);
  const names = JSON.stringify(content, (key, value: unknown) => (quotes.has(key) ? null : value));
  if (names.includes(world.foreign.jobId)) wrong.push(`${status} shows another partner's job: ${body}`);
  if (!body.isWellFormed()) wrong.push(`${status} is not Unicode text`);
  return wrong;
};

const describe = (door: HttpDoor, seed: number): string => `${door}, input --seed ${seed}`;

const time = Date.parse('2026-11-23T12:00:00Z');

/** A valid message, changed at random in its detail, its frame or its bytes. */
const messageOf = (random: Random): string => {
  const isCancel = random.chance(0.6);
  const jobIdPair = ['jobId', random.pick(['"job_own"', '"job_foreign"', '"job_nobody"'])] as const;
  const detail = mutateJson(random, isCancel ? cancelPairs(random) : [jobIdPair, ...registerPairs(random)]);
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
  const deadLetters: string[] = [];
  let response: SQSBatchResponse;
  try {
    const setAside = async (body: string) => void deadLetters.push(body);
    response = await handleEvents(ports, { maxReceives: MAX_RECEIVES, setAside })(sqsEvent(...Records), context);
  } catch (error) {
    return [`message --seed ${seed}: threw ${String(error)}`];
  }
  const failures = response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  const isAgain = failures.includes('odd');
  figures[isAgain ? 'again' : 'done'] += 1;
  const wrong = judgeTraces(ports);
  if (failures.some((name) => name !== 'odd')) wrong.push(`its batch-mates failed with it: ${failures.join(', ')}`);
  const cancels = ports.plangrep.calls.filter((call) => call.startsWith('cancel '));
  if (isAgain && cancels.length > 0) wrong.push(`given back after ${cancels.join(', ')}`);
  const { body = '' } = Records[1] ?? {};
  const isMalformed = readEvent(body).kind === 'malformed';
  if (isMalformed && (isAgain || deadLetters.join() !== body)) wrong.push('malformed, but not set aside at once');
  if (!isMalformed && deadLetters.length > 0) wrong.push('set aside, but it is an event of the contract');
  if (ports.reported.some(({ code }) => code === 'UNEXPECTED_ERROR')) wrong.push('an unexpected error was reported');
  return wrong.map((what) => `message --seed ${seed}: ${what}`);
};
