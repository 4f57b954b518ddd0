import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { createCallbackLog } from '../../../functions/adapters/dynamodb/callback-log.ts';
import { endpointKey } from '../../../functions/adapters/dynamodb/callback-endpoints.ts';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { messageAbout, type Replay } from '../../../functions/core/callbacks/callback-message.ts';
import type { CallbackRecord } from '../../../functions/core/callbacks/callback-record.ts';
import { deriveSecret } from '../../../functions/core/callbacks/callback-secret.ts';
import { callbackQueue } from '../../../infra/blueprint/callbacks.ts';
import {
  type HostileReceiver,
  isBehaviour,
  type ReceiverBehaviour,
  startHostileReceiver,
} from '../../support/callbacks/hostile-receiver.ts';
import { createSelfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { closed, escalated } from '../../support/stored-streams.ts';
import { requested } from '../crash/doors.ts';
import { readBatchFailures, sqsEvent, sqsRecord } from '../crash/invocations.ts';
import { newScene, type Scene, writeStream } from '../crash/scene.ts';
import { callbackMaster, type Stage } from '../crash/stage.ts';
import type { CellResult } from './play-cell.ts';
import type { QueueCell } from './queue-cells.ts';

type Ended = Pick<CallbackRecord, 'result' | 'why' | 'httpStatus'>;
const answered = (httpStatus: number): Ended => ({ result: 'failed', why: 'http_status', httpStatus });
const failed = (why: CallbackRecord['why']): Ended => ({ result: 'failed', why });
const delivered = (httpStatus: number): Ended => ({ result: 'delivered', httpStatus });

/** What each behaviour of an endpoint must leave on record. */
const behaviours: Readonly<Record<ReceiverBehaviour, Ended>> = {
  ok: delivered(200),
  created: delivered(201),
  no_content: delivered(204),
  largest: delivered(200),
  silent: failed('timeout'),
  slow_headers: failed('timeout'),
  drip: failed('timeout'),
  moved: answered(301),
  moved_on: answered(307),
  huge: failed('too_large'),
  huge_headers: failed('too_large'),
  endless_chunks: failed('too_large'),
  endless_hints: failed('too_large'),
  gone: { result: 'paused', why: 'gone', httpStatus: 410 },
  limited: answered(429),
  limited_until: answered(429),
  limited_soon: answered(429),
  broken: answered(500),
  unavailable: answered(503),
  reset: failed('closed_early'),
  closes: failed('closed_early'),
  closes_early: failed('closed_early'),
  not_http: failed('closed_early'),
  upgrades: answered(101),
};

/** Endpoints that no request reaches, by their URL. */
const unreached: Readonly<Record<string, { readonly url: (ports: Ports) => string; readonly ended: Ended }>> = {
  'closed port': { url: ({ closed: port }) => `http://127.0.0.1:${port}/`, ended: failed('not_connected') },
  'wrong certificate': { url: ({ tls }) => `https://localhost:${tls}/`, ended: failed('tls') },
  'speaks no TLS': { url: ({ plain }) => `https://localhost:${plain}/`, ended: failed('tls') },
  'private address': { url: () => 'https://10.0.0.1/', ended: failed('address_refused') },
  metadata: { url: () => 'http://169.254.169.254/latest/meta-data/', ended: failed('address_refused') },
  credentials: { url: ({ plain }) => `http://user:pass@127.0.0.1:${plain}/`, ended: failed('address_refused') },
};
interface Ports {
  readonly plain: number;
  readonly tls: number;
  readonly closed: number;
}

interface Cell {
  readonly name: string;
  readonly scene: Scene;
  readonly url: string;
  readonly ended: Ended;
}

/**
 * A partner's endpoint as a hop: every behaviour of the hostile receiver, each at another partner, whose cancellation
 * was escalated and closed. What comes of it must be on record as the table says, with nothing told out of order. Then the
 * endpoints heal, an operator replays, and each partner must have been told both, signed, in order.
 * @param names of the behaviours. @default all
 */
export async function playCallbackCells(stage: Stage, names?: readonly string[]): Promise<readonly QueueCell[]> {
  const secrets: string[] = [];
  const receiver = await startHostileReceiver({ secrets });
  const tls = await startHostileReceiver({ tls: createSelfSignedCertificate() });
  const gone = await startHostileReceiver();
  await gone.close();
  try {
    const ports = { plain: receiver.port, tls: tls.port, closed: gone.port };
    const all = [
      ...Object.entries(behaviours).map(([name, ended]) => newCell(name, ended, `${receiver.url}/for/${name}`)),
      ...Object.entries(unreached).map(([name, { url, ended }]) => newCell(name, ended, url(ports))),
    ];
    const cells = all.filter(({ name }) => names === undefined || names.includes(name));
    secrets.push(...cells.map(({ scene }) => deriveSecret(callbackMaster, scene.partnerId, 1)));
    for (const { scene, url } of cells) {
      await writeStream(stage, scene, [
        requested(scene, 2_000_000),
        { agoMs: 60_000, body: escalated },
        { agoMs: 5_000, body: closed },
      ]);
      await setEndpoint(stage, scene, url);
    }
    receiver.behave((_arrived, path) => {
      const name = path.split('/').at(-1) ?? '';
      return isBehaviour(name) ? name : 'ok';
    });
    const handedBack = await deliver(stage, cells, undefined);
    const first = await Promise.all(cells.map((cell) => attemptsOf(stage, cell)));

    receiver.behave('ok');
    for (const { scene } of cells) await setEndpoint(stage, scene, `${receiver.url}/healed`);
    const handedBackAgain = await deliver(stage, cells, { id: 'replay-1', all: false });
    const last = await Promise.all(cells.map((cell) => attemptsOf(stage, cell)));

    return cells.map((cell, n) => {
      const wrong = [
        ...judgeFirst(cell, first[n] ?? []),
        ...judgeLast(cell, last[n] ?? [], receiver),
        ...[...handedBack, ...handedBackAgain].filter((id) => id === cell.name).map(() => 'its message came back'),
      ];
      return { name: cell.name, result: { shown: shown(cell), wrong } satisfies CellResult };
    });
  } finally {
    await Promise.all([receiver.close(), tls.close()]);
  }
}

function newCell(name: string, ended: Ended, url: string): Cell {
  return { name, scene: newScene(), url, ended };
}

async function setEndpoint({ dynamodb }: Stage, { partnerId }: Scene, url: string): Promise<void> {
  const Item = toItem({ ...endpointKey(partnerId), url, version: 1 });
  await dynamodb.client.send(new PutItemCommand({ TableName: dynamodb.tableNames.Partners, Item }));
}

/** Ten in each of several containers, at the same time, as the queue hands them out one by one. @returns the messages that came back */
async function deliver(stage: Stage, cells: readonly Cell[], replay: Replay | undefined): Promise<string[]> {
  const batches = Array.from({ length: Math.ceil(cells.length / 10) }, (_, n) => cells.slice(n * 10, (n + 1) * 10));
  const failures = batches.map(async (batch) => {
    const container = await stage.start(callbackQueue.function);
    const records = batch.map(({ name, scene: { partnerId, jobId } }) =>
      sqsRecord(name, JSON.stringify(messageAbout({ kind: 'job', partnerId, jobId }, replay))),
    );
    const back = readBatchFailures(await container.invoke(sqsEvent(...records)));
    return back ?? batch.map(({ name }) => name);
  });
  return (await Promise.all(failures)).flat();
}

async function attemptsOf({ dynamodb }: Stage, { scene }: Cell): Promise<readonly CallbackRecord[]> {
  const log = createCallbackLog(dynamodb.client, dynamodb.tableNames.CancellationLog);
  return (await log.readJob(scene)).callbacks;
}

/** Told at once: both. Paused: both are kept. Failed: the first is tried twice where there is time, and the second waits for it. */
function judgeFirst({ ended }: Cell, attempts: readonly CallbackRecord[]): string[] {
  const of = ({ result, why, httpStatus }: CallbackRecord): string => JSON.stringify({ result, why, httpStatus });
  const wanted = of(ended as CallbackRecord);
  const follows = { delivered: wanted, paused: of({ result: 'paused', why: 'gone' } as CallbackRecord) };
  const second = ended.result === 'delivered' || ended.result === 'paused' ? [follows[ended.result]] : [];
  const found = attempts.map(of).join();
  const isAgain = ended.result === 'failed' && found === [wanted, wanted].join();
  return isAgain || found === [wanted, ...second].join() ? [] : [`on record is ${found}`];
}

function judgeLast(cell: Cell, attempts: readonly CallbackRecord[], { arrivals }: HostileReceiver): string[] {
  const wrong: string[] = [];
  const ids = [...new Set(attempts.map(({ webhookId }) => webhookId))];
  const mine = arrivals.filter(({ id }) => ids.includes(id));
  const told = [
    ...new Set(mine.filter(({ path, behaviour }) => path === '/healed' || isGood(behaviour)).map(({ id }) => id)),
  ];
  const open = ids.filter((id) => attempts.findLast(({ webhookId }) => webhookId === id)?.result !== 'delivered');
  if (ids.length !== 2 || open.length > 0)
    wrong.push(`${2 - ids.length + open.length} of 2 are not delivered in the end`);
  if (told.join() !== ids.join()) wrong.push(`told were ${told.length} of ${ids.length}, or in another order`);
  for (const { objection } of mine) if (objection !== undefined) wrong.push(objection);
  if (cell.ended.result === 'delivered' && mine.length !== 2) wrong.push(`it was called ${mine.length} times`);
  return wrong;
}

function isGood(behaviour: ReceiverBehaviour): boolean {
  return behaviours[behaviour].result === 'delivered';
}

function shown({ ended: { result, why, httpStatus } }: Cell): string {
  const first = [result, why, httpStatus].filter((part) => part !== undefined).join(' ');
  return result === 'delivered' ? first : `${first}; replayed: both delivered, in order`;
}
