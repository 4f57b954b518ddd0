import { eventDoor } from '../../../infra/blueprint/bus-events.ts';
import type { Container } from '../../../infra/local/aws/lambda/container.ts';
import { envelope, readBatchFailures, sqsEvent, sqsRecord } from '../crash/invocations.ts';
import { allowedAfterFault, judgeCancellation, lookAround, recover } from '../crash/judge-recovery.ts';
import { addJob, nameProject, newScene, register, type Scene } from '../crash/scene.ts';
import type { Stage } from '../crash/stage.ts';
import type { Play } from '../crash/tap.ts';
import type { CellResult } from './play-cell.ts';

export interface QueueCell {
  readonly name: string;
  readonly result: CellResult;
}

/**
 * `late`: given back, and done once the fault is over. `useless`: given back every time, without a call. `malformed`: set
 * aside at once. `malformed late`: set aside once the fault is over.
 */
type Expectation = 'done' | 'late' | 'useless' | 'malformed' | 'malformed late';
interface Message {
  readonly name: string;
  readonly expected: Expectation;
  readonly body: (scene: Scene, valid: string) => string;
  /** What else is at fault while the message is handled first. */
  readonly disturb?: Parameters<Stage['tap']['begin']>[0];
  /** How often it comes in the same batch. */
  readonly copies?: number;
}

const hour = 3_600_000;
const cancelOf = (scene: Scene, more: object = {}, time = scene.at): string =>
  envelope(scene.partnerId, scene.id, 'Job Cancellation Requested', { externalId: scene.externalId, ...more }, time);
const hits = (name: string, play: Play) => (effect: { name: string }) =>
  effect.name.startsWith(name) ? play : undefined;
const loseOnce =
  (): Play =>
  async ({ forward, response }) => {
    await forward();
    response.socket?.resetAndDestroy();
  };

const messages: readonly Message[] = [
  { name: 'good', expected: 'done', body: (_, valid) => valid },
  { name: 'twice at once', expected: 'done', body: (_, valid) => valid, copies: 2 },
  { name: 'garbage', expected: 'malformed', body: () => '}{' },
  { name: 'HTML', expected: 'malformed', body: () => '<html><body>Bad gateway</body></html>' },
  { name: 'truncated', expected: 'malformed', body: (_, valid) => valid.slice(0, -9) },
  { name: 'oversized', expected: 'malformed', body: (scene) => cancelOf(scene, { reason: 'x'.repeat(255 * 1024) }) },
  {
    name: 'unknown type',
    expected: 'malformed',
    body: (_, valid) => valid.replace('Job Cancellation', 'Job Celebration'),
  },
  { name: 'wrong job', expected: 'useless', body: (scene) => cancelOf(scene, { jobId: 'job_of_nobody' }) },
  { name: 'claims a partner', expected: 'malformed', body: (scene) => cancelOf(scene, { partnerId: 'another' }) },
  {
    name: 'DLQ denied',
    expected: 'malformed late',
    body: () => '}{',
    disturb: hits('SendMessage', ({ answer }) =>
      answer({ status: 403, headers: {}, body: Buffer.from('{"__type":"AccessDeniedException"}') }),
    ),
  },
  { name: 'before the job', expected: 'useless', body: (scene) => cancelOf(scene, {}, scene.at - hour) },
  {
    name: 'table denied',
    expected: 'late',
    body: (_, valid) => valid,
    disturb: hits('PutItem CancellationLog requested', ({ answer }) =>
      answer({ status: 400, headers: {}, body: Buffer.from('{"__type":"AccessDeniedException"}') }),
    ),
  },
  {
    name: 'lost answers',
    expected: 'done',
    body: (_, valid) => valid,
    disturb: hits('PutItem CancellationLog closed', loseOnce()),
  },
];

const impossible: readonly (readonly [name: string, why: string])[] = [
  ['slow, timeout', 'SQS hands messages over; the function calls only the DLQ. Its own time-out is a crash: see there'],
  ['refused, reset', 'the function opens no connection to the queue, only to the DLQ'],
  ['throttled, 5xx', 'Lambda’s poller waits and comes again; the function is not told'],
  ['denied, expired', 'the poller’s role, not the function’s, reads the queue'],
  ['unknown status', 'a message carries no job status'],
];

export const playQueueCells = async (stage: Stage): Promise<QueueCell[]> => {
  const cells: QueueCell[] = [];
  const consumer = await stage.start('consume-events');
  const reconciler = await stage.start('reconcile-cancellations');
  for (const message of messages) {
    cells.push({ name: message.name, result: await play(stage, consumer, reconciler, message) });
  }
  for (const [name, why] of impossible)
    cells.push({ name, result: { shown: '–', why: `cannot happen: ${why}`, wrong: [] } });
  return cells;
};

const play = async (
  stage: Stage,
  consumer: Container,
  reconciler: Container,
  { expected, body, disturb, copies = 1 }: Message,
): Promise<CellResult> => {
  const scene = newScene();
  addJob(stage, scene, scene.jobId);
  await register(stage, scene, scene.jobId);
  const text = body(scene, cancelOf(scene));
  const mate = newScene();
  addJob(stage, mate, mate.jobId);
  await nameProject(stage, mate);
  const registered = { externalId: mate.externalId, jobId: mate.jobId };
  const mateBody = envelope(mate.partnerId, mate.id, 'Job Registered', registered, mate.at);
  const batch = (receives: number) => [
    ...Array.from({ length: copies }, (_, n) => sqsRecord(`odd ${n}`, text, receives)),
    sqsRecord('mate', mateBody),
  ];

  const asideBefore = stage.deadLetters().filter((dead) => dead === text).length;
  stage.tap.begin(disturb);
  const first = readBatchFailures(await consumer.invoke(sqsEvent(...batch(1))));
  stage.tap.begin();
  const last = readBatchFailures(await consumer.invoke(sqsEvent(...batch(eventDoor.maxReceives))));
  const before = await lookAround(stage, scene);
  const recovery = await recover(stage, scene, reconciler);

  const wrong: string[] = [];
  const isOdd = (failures: readonly string[] | undefined): boolean =>
    failures?.some((id) => id.startsWith('odd')) ?? true;
  const is = [isOdd(first), isOdd(last)].map((again) => (again ? 'given back' : 'done'));
  const wanted = {
    done: 'done,done',
    late: 'given back,done',
    useless: 'given back,given back',
    malformed: 'done,done',
    'malformed late': 'given back,done',
  }[expected];
  if (is.join() !== wanted) wrong.push(`${is.join(', ')}, not ${wanted}`);
  if (first?.includes('mate') !== false || last?.includes('mate') !== false)
    wrong.push('its batch-mate failed with it');
  const setAside = stage.deadLetters().filter((dead) => dead === text).length - asideBefore;
  const setAsideWanted = { done: 0, late: 0, useless: 0, malformed: 2, 'malformed late': 1 }[expected];
  if (setAside !== setAsideWanted) wrong.push(`set aside ${setAside} times, not ${setAsideWanted}`);
  if (expected === 'useless' || setAsideWanted > 0) {
    if (before.cancelCalls > 0 || before.record.state !== undefined) wrong.push('it cancelled all the same');
  } else {
    wrong.push(...(await judgeCancellation(stage, scene, before, allowedAfterFault(before), recovery)));
    if (before.cancelCalls !== 1) wrong.push(`${before.cancelCalls} cancel calls`);
  }
  const shown = {
    done: 'done',
    late: 'given back, then done',
    useless: 'given back to the DLQ',
    malformed: 'into the DLQ at once',
    'malformed late': 'given back, then into the DLQ',
  }[expected];
  return { shown: `${shown}; its batch-mate is done`, wrong };
};
