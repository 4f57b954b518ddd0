import type { FunctionName } from '../../../infra/blueprint/functions.ts';
import { accepted, oneJob, post, requested, STAYS_MS, unregistered, unverified } from '../crash/doors.ts';
import { unknown, wakeUpMessage } from '../crash/looking-doors.ts';
import { addJob, register, type Scene, writeStream } from '../crash/scene.ts';
import type { Stage } from '../crash/stage.ts';
import type { Effect, Service } from '../crash/tap.ts';

/** One place where the service depends on another part, with a request that goes over it. */
export interface Hop {
  /** As short as a table's head. */
  readonly name: string;
  readonly what: string;
  readonly service: Service;
  /** Which of Plangrep's calls, for the simulator. */
  readonly on?: 'cancel' | 'read' | 'list';
  readonly functionName: Extract<FunctionName, 'request-cancellation' | 'reconcile-cancellations' | 'consume-wake-ups'>;
  readonly isHit: (effect: Effect) => boolean;
  /** The effect after which the hop comes; nothing: it is the first to use its service. */
  readonly comesAfter?: (effect: Effect) => boolean;
  /** No process that knows the key already. */
  readonly isCold?: boolean;
  readonly prepare: (stage: Stage, scene: Scene) => Promise<void>;
  readonly event: (scene: Scene, nth: number) => unknown;
}

const named =
  (...names: readonly string[]) =>
  ({ name }: Effect): boolean =>
    names.some((one) => name.startsWith(one));

const https = { functionName: 'request-cancellation', event: post(), prepare: oneJob() } as const;
const schedule = { functionName: 'reconcile-cancellations', event: () => ({}) } as const;
const dynamodb = { service: 'dynamodb' } as const;
const plangrep = { service: 'plangrep' } as const;

const begun = async (stage: Stage, scene: Scene, agoMs: number, wakeInMs: number): Promise<void> => {
  await oneJob()(stage, scene);
  await writeStream(stage, scene, [requested(scene, agoMs, wakeInMs)]);
};

/** An attempt of which nothing is known, 9 s ago. */
const failed = async (stage: Stage, scene: Scene): Promise<void> => {
  await oneJob()(stage, scene);
  await writeStream(stage, scene, [requested(scene, 10_000), unknown(9_000)]);
};

export const awsHops: readonly Hop[] = [
  {
    ...https,
    ...dynamodb,
    name: 'find',
    what: 'directory: the jobs behind an externalId',
    isHit: named('Query JobDirectory'),
  },
  {
    ...https,
    ...dynamodb,
    name: 'bind',
    what: 'directory: the binding of an Idempotency-Key',
    isHit: named('PutItem JobDirectory'),
    comesAfter: named('Query JobDirectory'),
    event: post(undefined, ({ id }) => ({ 'Idempotency-Key': [`key of ${id}`] })),
  },
  {
    ...https,
    ...dynamodb,
    name: 'intent',
    what: 'log: requested, before Plangrep is called',
    isHit: named('PutItem CancellationLog requested'),
    comesAfter: named('Query JobDirectory'),
  },
  {
    ...https,
    ...dynamodb,
    name: 'close',
    what: 'log: the closing event, after Plangrep was called',
    isHit: named('PutItem CancellationLog closed'),
    comesAfter: named('POST cancel'),
  },
  {
    ...https,
    ...dynamodb,
    name: 'stream',
    what: 'log: the stream that a duplicate joins',
    isHit: named('Query CancellationLog'),
    comesAfter: named('PutItem CancellationLog requested'),
    prepare: (stage, scene) => begun(stage, scene, 5_000, 40_000),
  },
  {
    ...https,
    ...dynamodb,
    name: 'joined',
    what: 'log: the record of a duplicate',
    isHit: named('PutItem CancellationLog joined'),
    comesAfter: named('Query CancellationLog'),
    prepare: (stage, scene) => begun(stage, scene, 5_000, 40_000),
  },
  {
    ...schedule,
    ...dynamodb,
    name: 'due',
    what: 'log: the due wake-ups, by the reconciler',
    isHit: named('Query CancellationLog due-wake-ups'),
    prepare: (stage, scene) => begun(stage, scene, 60_000, -15_000),
  },
  {
    ...schedule,
    ...dynamodb,
    name: 'claim',
    what: 'log: the claim of another attempt, by the reconciler',
    isHit: named('PutItem CancellationLog attempt_started'),
    comesAfter: ({ name }) => name === 'Query CancellationLog',
    prepare: (stage, scene) => begun(stage, scene, 60_000, -15_000),
  },
  {
    ...schedule,
    ...dynamodb,
    name: 'wake-up',
    what: 'log: a spent wake-up taken away, by the reconciler',
    isHit: named('UpdateItem CancellationLog'),
    comesAfter: named('PutItem CancellationLog attempt_started'),
    prepare: (stage, scene) => begun(stage, scene, 60_000, -15_000),
  },
  {
    ...https,
    ...dynamodb,
    name: 'partner',
    what: 'partners: the projects whose jobs are the partner’s',
    isHit: named('GetItem Partners'),
    prepare: unregistered,
  },
  {
    ...https,
    ...dynamodb,
    name: 'owner',
    what: 'directory: the owner of a job that is verified by its first cancel',
    isHit: named('PutItem JobDirectory'),
    comesAfter: named('GET job'),
    prepare: unverified,
  },
  {
    ...https,
    service: 'secretsmanager',
    name: 'secret',
    what: 'secret: Plangrep’s key',
    isHit: named('GetSecretValue'),
    isCold: true,
  },
];

const wakeUp = { functionName: 'consume-wake-ups', event: wakeUpMessage, prepare: failed } as const;

/** What a wake-up's message goes over. */
export const wakeUpHops: readonly Hop[] = [
  {
    ...https,
    service: 'sqs',
    name: 'message',
    what: 'wake-up queue: the message for an accepted cancel, after its put',
    isHit: named('SendMessage'),
    comesAfter: named('PutItem CancellationLog attempt_ended'),
    prepare: oneJob({ cancelTakes: STAYS_MS }),
  },
  {
    ...wakeUp,
    ...dynamodb,
    name: 'woken',
    what: 'log: the stream that a message names',
    isHit: named('Query CancellationLog'),
  },
  {
    ...wakeUp,
    ...dynamodb,
    name: 'retried',
    what: 'log: the claim of another attempt, by a message',
    isHit: named('PutItem CancellationLog attempt_started'),
    comesAfter: named('Query CancellationLog'),
  },
];

export const plangrepHops: readonly Hop[] = [
  { ...https, ...plangrep, name: 'cancel', what: 'the cancel call', on: 'cancel', isHit: named('POST cancel') },
  {
    ...https,
    ...plangrep,
    name: 'read',
    what: 'the job read after a refused cancel',
    on: 'read',
    isHit: named('GET job'),
    comesAfter: named('POST cancel'),
    prepare: oneJob({ status: 'completed' }),
  },
  {
    ...https,
    ...plangrep,
    name: 'which',
    what: 'the job reads that tell which of several lives',
    on: 'read',
    isHit: named('GET job'),
    async prepare(stage, scene) {
      addJob(stage, scene, scene.otherJobId, { status: 'completed' });
      await register(stage, scene, scene.otherJobId, 120_000);
      await oneJob()(stage, scene);
    },
  },
  {
    ...https,
    ...plangrep,
    name: 'verify',
    what: 'the job read that verifies a registration, before its first cancel',
    on: 'read',
    isHit: named('GET job'),
    prepare: unverified,
  },
  {
    ...schedule,
    ...plangrep,
    name: 'poll',
    what: 'the job read of an accepted cancel, by the reconciler',
    on: 'read',
    isHit: named('GET job'),
    async prepare(stage, scene) {
      await oneJob({ status: 'cancelled' })(stage, scene);
      await writeStream(stage, scene, [requested(scene, 17_000), accepted]);
    },
  },
  {
    ...https,
    ...plangrep,
    name: 'list',
    what: 'the listing of a partner’s project',
    on: 'list',
    isHit: named('GET list'),
    prepare: unregistered,
  },
];
