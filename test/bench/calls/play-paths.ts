import { createHash } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import {
  externalIdSchema,
  jobIdSchema,
  partnerIdSchema,
  projectIdSchema,
  toTimestamp,
} from '../../../functions/core/identifiers.ts';
import { writeWakeUpMessage } from '../../../functions/core/wake-up-message.ts';
import type { FunctionName } from '../../../infra/blueprint/functions.ts';
import { accepted, message, oneJob, post, requested } from '../../proof/crash/doors.ts';
import { proxyEvent, registerRequest, sqsEvent, sqsRecord } from '../../proof/crash/invocations.ts';
import {
  addJob,
  nameProject,
  newScene,
  type Past,
  register,
  type Scene,
  writeStream,
} from '../../proof/crash/scene.ts';
import type { Stage } from '../../proof/crash/stage.ts';
import type { Path } from './calls-per-path.ts';

/** One way through a function: what is there before, the event, and how it ends. */
export interface PlayedPath {
  readonly functionName: FunctionName;
  readonly prepare?: (stage: Stage, scene: Scene) => Promise<void> | void;
  /** @param nth 1 the first time, 2 when it is repeated */
  readonly event: (scene: Scene, nth: number) => unknown;
  /** The same request was sent before; the first one is not counted. */
  readonly isRepeat?: true;
  /** The container has served others: it has neither the partner's record nor the list of its project. */
  readonly isPartnersFirst?: true;
  /** Whether the container has served a request before. @default 'warm' */
  readonly container?: 'cold' | 'warm';
  /** The HTTP status that shows that this path was taken. */
  readonly status?: number;
}

const MINUTE = 60_000;
let scenes = 0;

/** An order with names as long as those of Plangrep's documented example, and ids as long as API Gateway's. */
export function documentedScene(): Scene {
  const n = String(++scenes).padStart(4, '0');
  return {
    ...newScene(),
    partnerId: partnerIdSchema.parse(`acme-${n}`),
    id: `a3f1c0de-7b52-4c1e-9d0${n}`,
    externalId: externalIdSchema.parse(`order-${n}`),
    jobId: jobIdSchema.parse(`job_01hy3m8qtn2e5r7k9p0w4x${n}`),
    otherJobId: jobIdSchema.parse(`job_01hy3m8qtn2e5r7k9p0wzz${n}`),
    projectId: projectIdSchema.parse(`proj_01hx9z4kqr8e7m3p5n6w2v${n}`),
  };
}

/** The order with this number, of a hundred partners, with names as long as the documented ones. */
export function oneOfMany(n: number, scene = documentedScene()): Scene {
  const number = String(n).padStart(8, '0');
  return {
    ...scene,
    partnerId: partnerIdSchema.parse(`partner-${n % 100}`),
    externalId: externalIdSchema.parse(`order-${number}`),
    jobId: jobIdSchema.parse(`job_01hy3m8qtn2e5r7k9p${number}`),
  };
}

const https = { functionName: 'request-cancellation', event: post() } as const;
const keyed = post(undefined, ({ id }) => ({ 'Idempotency-Key': [`key of ${id}`] }));
const reconciler = { functionName: 'reconcile-cancellations', event: () => ({}) } as const;
const reader = { functionName: 'read-cancellations', status: 200 } as const;
async function unregistered(stage: Stage, scene: Scene): Promise<void> {
  addJob(stage, scene, scene.jobId);
  await nameProject(stage, scene);
}

const registrar = {
  functionName: 'register-job',
  prepare: unregistered,
  status: 200,
  event: ({ partnerId, id, jobId, externalId }: Scene, nth: number) =>
    registerRequest(partnerId, `${id}-request-${nth}`, jobId, JSON.stringify({ externalId })),
} as const;

/** A stream and its job, which has this status at Plangrep. */
function due(status: string, past: (scene: Scene) => readonly Past[]) {
  return async (stage: Stage, scene: Scene): Promise<void> => {
    await oneJob({ status })(stage, scene);
    await writeStream(stage, scene, past(scene));
  };
}

function closedStream(scene: Scene): Past[] {
  return [
    requested(scene, MINUTE, -15_000),
    { agoMs: 59_000, body: { type: 'closed', outcome: 'cancelled', jobStatus: 'cancelled', creditsDebited: 63 } },
  ];
}

async function twoJobs(stage: Stage, scene: Scene, otherFields: Parameters<typeof addJob>[3] = {}): Promise<void> {
  addJob(stage, scene, scene.otherJobId, otherFields);
  await register(stage, scene, scene.otherJobId, 2 * MINUTE);
  await oneJob()(stage, scene);
}

const secret = 'k'.repeat(43);
async function writePartnerKey({ dynamodb }: Stage, { partnerId }: Scene): Promise<void> {
  const secretHash = createHash('sha256').update(secret, 'ascii').digest('hex');
  const scopes = new Set(['cancellations:write', 'cancellations:read', 'jobs:write']);
  const createdAt = new Date().toISOString();
  const Item = marshall({ pk: 'key#callskey0001', partnerId, secretHash, scopes, createdAt });
  await dynamodb.client.send(new PutItemCommand({ TableName: dynamodb.tableNames.Partners, Item }));
}

/** How each path of `calls-per-path.ts` is taken. */
export const paths: Readonly<Record<Path, PlayedPath>> = {
  cancelled: { ...https, prepare: oneJob(), status: 200 },
  "a container's first": { ...https, prepare: oneJob(), status: 200, container: 'cold' },
  pending: { ...https, prepare: oneJob({ cancelTakes: MINUTE }), status: 202 },
  'too late': { ...https, prepare: oneJob({ status: 'completed' }), status: 409 },
  'unknown to Plangrep': { ...https, prepare: (stage, scene) => register(stage, scene, scene.jobId), status: 202 },
  'joined, closed': { ...https, prepare: oneJob(), status: 200, isRepeat: true },
  'joined, open': { ...https, prepare: oneJob({ cancelTakes: MINUTE }), status: 202, isRepeat: true },
  'Idempotency-Key, first': { ...https, prepare: oneJob(), event: keyed, status: 200 },
  'Idempotency-Key, repeat': { ...https, prepare: oneJob(), event: keyed, status: 200, isRepeat: true },
  'one of two jobs lives': {
    ...https,
    prepare: (stage, scene) => twoJobs(stage, scene, { status: 'completed' }),
    status: 200,
  },
  "a partner's first": { ...https, prepare: oneJob(), status: 200, isPartnersFirst: true },
  'found by listing': { ...https, prepare: unregistered, status: 200, isPartnersFirst: true },
  'not found': { ...https, status: 404 },
  ambiguous: { ...https, prepare: twoJobs, status: 409 },
  invalid: { ...https, event: post(() => ({ force: true })), status: 400 },
  'event, cancelled': {
    functionName: 'consume-events',
    prepare: oneJob(),
    event: message('Job Cancellation Requested', ({ externalId }) => ({ externalId, reason: 'wrong plan' })),
  },
  'event, registered': {
    functionName: 'consume-events',
    prepare: unregistered,
    event: message('Job Registered', ({ externalId, jobId }) => ({ externalId, jobId })),
  },
  'register, first': registrar,
  'register, repeat': { ...registrar, isRepeat: true },
  'read by jobId': {
    ...reader,
    prepare: (stage, scene) => writeStream(stage, scene, closedStream(scene)),
    event: ({ partnerId, id, jobId }) =>
      proxyEvent(partnerId, id, {
        method: 'GET',
        resource: '/v1/cancellations/{jobId}',
        path: `/v1/cancellations/${jobId}`,
        pathParameters: { jobId },
      }),
  },
  'read by externalId': {
    ...reader,
    async prepare(stage, scene) {
      await register(stage, scene, scene.jobId);
      await writeStream(stage, scene, closedStream(scene));
    },
    event: ({ partnerId, id, externalId }) => {
      const path = '/v1/cancellations';
      return proxyEvent(partnerId, id, { method: 'GET', resource: path, path, query: { externalId: [externalId] } });
    },
  },
  'credential checked': {
    functionName: 'authorize-partner',
    prepare: writePartnerKey,
    event: () => ({
      type: 'TOKEN',
      authorizationToken: `Bearer pcg_local_callskey0001_${secret}`,
      methodArn: 'arn:aws:execute-api:eu-west-1:000000000000:api/local/POST/v1/cancellations',
    }),
  },
  'wake-up, one to take over': {
    functionName: 'consume-wake-ups',
    prepare: due('processing', (scene) => [requested(scene, MINUTE, -15_000)]),
    event: ({ partnerId, jobId }) =>
      sqsEvent(sqsRecord('wake-up', writeWakeUpMessage({ partnerId, jobId, seq: 1, wakeAt: toTimestamp(Date.now()) }))),
  },
  'reconciler, nothing due': reconciler,
  'reconciler, one is closed': { ...reconciler, prepare: due('cancelled', closedStream) },
  'reconciler, one to poll': {
    ...reconciler,
    prepare: due('cancelled', (scene) => [requested(scene, 17_000), accepted]),
  },
  'reconciler, one to take over': {
    ...reconciler,
    prepare: due('processing', (scene) => [requested(scene, MINUTE, -15_000)]),
  },
};
