import { fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { createPlangrep } from '../../../functions/adapters/plangrep/plangrep-client.ts';
import { systemClock } from '../../../functions/compose.ts';
import { attemptCancel } from '../../../functions/core/use-cases/attempt.ts';
import { hashEvent, sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { parseEvent } from '../../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { acme, jobId } from '../../support/names.ts';
import { keyOf } from '../../support/plangrep-calls.ts';
import { startRawServer } from '../../support/raw-server.ts';
import { Random } from '../simulation/random.ts';
import { upstreamAnswer } from './upstream-answers.ts';

const IN_FLIGHT = 8;
const CALL_MS = 3_000;

export interface UpstreamFigures {
  answers: number;
  readonly results: Map<string, number>;
}

/**
 * Answers calls of the real Plangrep client with random bytes, and takes what it makes of them to the event that would
 * go on record: nothing throws, nothing is called cancelled unless a 2xx of that job says so, and every event can be
 * stored and read back as it was.
 */
export const fuzzUpstream = async (count: number, seed: number, figures: UpstreamFigures): Promise<string[]> => {
  const wrong: string[] = [];
  /** What was said to whom: by job, in order. */
  const said = new Map<string, (string | undefined)[]>();
  const server = await startRawServer((socket) => {
    socket.once('data', (chunk: Buffer) => {
      const id = /\/jobs\/([A-Za-z0-9_-]+)/.exec(chunk.toString('latin1'))?.[1] ?? '';
      const before = said.get(id) ?? [];
      const own = Number(id.split('_').at(-1));
      const { bytes, says } = upstreamAnswer(new Random(own * 31 + before.length), id);
      said.set(id, [...before, says]);
      figures.answers += 1;
      socket.end(bytes);
    });
  });
  const plangrep = createPlangrep({
    baseUrl: `http://127.0.0.1:${server.port}`,
    key: keyOf('pgk_live_fuzz0key'),
    clock: systemClock,
  });

  let next = 0;
  const work = async (): Promise<void> => {
    while (figures.answers < count) {
      const own = seed + next++;
      const id = jobId(`job_fuzz_${own}`);
      const where = `upstream --seed ${own}`;
      try {
        const untilMs = Date.now() + CALL_MS;
        const { body, retryAfterMs } = await attemptCancel(plangrep, {
          jobId: id,
          attempt: 1,
          firstCall: own % 2 === 0 ? 'read' : 'cancel',
          untilMs,
        });
        const result = body.type === 'closed' ? body.outcome : body.result;
        figures.results.set(result, (figures.results.get(result) ?? 0) + 1);
        const words = said.get(id) ?? [];
        if (result === 'cancelled' && words.at(-1) !== 'cancelled')
          wrong.push(`${where}: cancelled, though told ${words.join(', ')}`);
        if (retryAfterMs !== undefined && !(retryAfterMs >= 1_000 && retryAfterMs <= 900_000)) {
          wrong.push(`${where}: wait ${retryAfterMs} ms`);
        }
        wrong.push(...judgeEvent(id, body).map((what) => `${where}: ${what}`));
      } catch (error) {
        wrong.push(`${where}: threw ${error instanceof Error ? error.stack : String(error)}`);
      }
      said.delete(id);
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  } finally {
    await server.close();
  }
  return wrong;
};

type Body = Awaited<ReturnType<typeof attemptCancel>>['body'];

/** The event as DynamoDB would keep it: it must come back the same, or its chain would not hold. */
const judgeEvent = (id: ReturnType<typeof jobId>, body: Body): string[] => {
  const at = toTimestamp(Date.now());
  const event = sealEvent({ partnerId: acme, jobId: id }, undefined, body, { eventId: 'e-1', at });
  const read = parseEvent(fromItem(toItem({ ...event })));
  if (read === undefined) return [`an event that cannot be read back: ${JSON.stringify(event)}`];
  return hashEvent(read) === event.hash ? [] : [`an event that comes back as another one: ${JSON.stringify(event)}`];
};
