import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import type { FunctionName } from '../../../infra/blueprint/functions.ts';
import { exampleJob } from '../../../functions/simulator/plangrep-jobs.ts';
import { seedTables } from '../../../infra/local/seed-tables.ts';
import { seededPartners } from '../../../infra/local/seeds.ts';
import {
  cancelRequest,
  envelope,
  proxyEvent,
  registerRequest,
  sqsEvent,
  sqsRecord,
} from '../../proof/crash/lambda-events.ts';
import { addJob, newScene, register, type Scene, writeStream } from '../../proof/crash/scene.ts';
import type { Stage } from '../../proof/crash/stage.ts';

/** Sets the stage for one invocation of a function on its usual path. @returns its event */
export type HappyPath = (stage: Stage) => Promise<unknown>;

const answerSchema = z.partial(
  z.object({
    statusCode: z.number(),
    policyDocument: z.unknown(),
    batchItemFailures: z.array(z.unknown()),
    looked: z.number(),
    failed: z.number(),
  }),
);

/** Whether an answer says that the whole path was walked. */
export const isHappy = (payload: unknown): boolean => {
  const { statusCode, policyDocument, batchItemFailures, looked, failed } = answerSchema.parse(payload);
  if (statusCode !== undefined) return statusCode < 300 && statusCode !== 202;
  if (batchItemFailures !== undefined) return batchItemFailures.length === 0;
  return looked === undefined ? policyDocument !== undefined : looked === 1 && failed === 0;
};

const { id: _id, externalId: _externalId, projectId: _projectId, ...exampleFields } = exampleJob;

/** A job as in Plangrep's own example, registered a minute ago. */
const newJob = async (stage: Stage): Promise<Scene> => {
  const scene = newScene();
  addJob(stage, scene, scene.jobId, exampleFields);
  await register(stage, scene, scene.jobId);
  return scene;
};

/** A cancellation whose door died ten minutes ago, between its intent and its call. @param wakeInMs from now */
const openTenMinutesAgo = async (stage: Stage, scene: Scene, wakeInMs: number): Promise<void> => {
  const agoMs = 600_000;
  const leaseUntil = new Date(Date.now() - agoMs + 45_000).toISOString();
  const { externalId } = scene;
  const requested = { type: 'requested', door: 'https', requestId: 'bench', externalId, attempt: 1 } as const;
  const body = { ...requested, claimedBy: 'bench', leaseUntil };
  await writeStream(stage, scene, [{ agoMs, wakeInMs, body }]);
};

export const cancelOne: HappyPath = async (stage) => {
  const { partnerId, externalId } = await newJob(stage);
  return cancelRequest(partnerId, randomUUID(), JSON.stringify({ externalId }));
};

export const happyPaths: Readonly<Record<FunctionName, HappyPath>> = {
  'request-cancellation': cancelOne,

  'authorize-partner': async ({ dynamodb }) => {
    const [partner] = await seedTables(dynamodb, seededPartners, () => false, Date.now());
    const methodArn = 'arn:aws:execute-api:eu-west-1:000000000000:local/local/POST/v1/cancellations';
    return { type: 'TOKEN', authorizationToken: `Bearer ${partner?.token}`, methodArn };
  },

  'read-cancellations': async (stage) => {
    const scene = await newJob(stage);
    await openTenMinutesAgo(stage, scene, 3_600_000);
    const [resource, query] = ['/v1/cancellations', { externalId: [scene.externalId] }];
    return proxyEvent(scene.partnerId, randomUUID(), { method: 'GET', resource, path: resource, query });
  },

  'register-job': async () => {
    const { partnerId, jobId, externalId, projectId } = newScene();
    return registerRequest(partnerId, randomUUID(), jobId, JSON.stringify({ externalId, projectId }));
  },

  'consume-events': async (stage) => {
    const { partnerId, externalId } = await newJob(stage);
    const message = envelope(partnerId, randomUUID(), 'Job Cancellation Requested', { externalId }, Date.now());
    return sqsEvent(sqsRecord(randomUUID(), message));
  },

  'reconcile-cancellations': async (stage) => {
    await openTenMinutesAgo(stage, await newJob(stage), -555_000);
    return {};
  },

  'read-documentation': async () => {
    const [resource, query] = ['/openapi.json', {}];
    return proxyEvent('nobody', randomUUID(), { method: 'GET', resource, path: resource, query });
  },
};
