import type { APIGatewayProxyResult } from 'aws-lambda';
import type * as z from 'zod/mini';
import {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  problemSchema,
  registeredJobSchema,
} from '../../../functions/contract/answers.ts';
import { handleReadCancellations } from '../../../functions/doors/http/handle-read-cancellations.ts';
import { handleRegisterJob } from '../../../functions/doors/http/handle-register-job.ts';
import { handleRequestCancellation } from '../../../functions/doors/http/handle-request-cancellation.ts';
import { problemContentType } from '../../../functions/contract/problems.ts';
import { createAnswerJudge } from '../../support/openapi-answers.ts';
import { proxyEvent } from '../crash/lambda-events.ts';
import { Random } from '../simulation/random.ts';
import { context, createFuzzWorld, judgeTraces } from './fuzz-world.ts';
import { type HttpDoor, inputs, world } from './http-inputs.ts';

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
  const request = inputs[door](random);
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
  if ([400, 404, 413, 415, 422].includes(statusCode) && ports.plangrep.calls.length > 0) {
    wrong.push(`${statusCode}, yet Plangrep was called: ${ports.plangrep.calls.join(', ')}`);
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
  // A problem quotes the names of fields that it does not know; where an answer names jobs, they are the caller's own.
  const names = JSON.stringify(content, (key, value: unknown) => (key === 'errors' || key === 'detail' ? null : value));
  if (names.includes(world.foreign.jobId)) wrong.push(`${status} shows another partner's job: ${body}`);
  if (!body.isWellFormed()) wrong.push(`${status} is not Unicode text`);
  return wrong;
};

const describe = (door: HttpDoor, seed: number): string => `${door}, input --seed ${seed}`;
