import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { givenService } from '../support/given-service.ts';
import type { Answered } from '../support/local-run.ts';

const service = givenService();

const lineSchema = z.object({
  level: z.string(),
  message: z.looseObject({ code: z.string(), requestId: z.optional(z.string()) }),
});
type Line = z.infer<typeof lineSchema>;

/** What a function logs about itself, and not about a request. */
const ofTheContainer = new Set(['PLANGREP_KEY_FETCHED', 'RECONCILED']);

function linesSince(first: number): Line[] {
  const written = service.run.logs.slice(first).filter((line) => line.startsWith('{'));
  return written.map((line) => lineSchema.parse(JSON.parse(line)));
}
const codesOf = (lines: readonly Line[], requestId: string): string[] =>
  lines.filter(({ message }) => message.requestId === requestId).map(({ message }) => message.code);
const idOf = ({ headers }: Answered): string => headers.get('x-request-id') ?? '';

describe('the id of a request', () => {
  test('is on every line that the request causes, also those of the reconciler', async () => {
    const first = service.run.logs.length;
    const { externalId, jobId } = await service.newJob();
    const answers = {
      cancelled: await service.cancel({ externalId }),
      joined: await service.cancel({ externalId }),
      refused: await service.cancel({ externalId: `${externalId} nowhere` }),
      invalid: await service.cancel({}),
      pending: await service.cancel({ externalId: 'order-7891' }),
      read: await service.show(jobId),
      listed: await service.list(externalId),
      registered: await service.register(jobId, { externalId }),
      foreign: await service.register(jobId, { externalId }, 'globex'),
    };
    await service.makeDue();
    await service.reconcile();

    const lines = linesSince(first);
    const seen = Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [name, codesOf(lines, idOf(answer))]),
    );

    expect(seen).toEqual({
      cancelled: ['CANCELLATION_CLOSED', 'REQUEST_ANSWERED'],
      joined: ['REQUEST_JOINED', 'REQUEST_ANSWERED'],
      refused: ['PROJECT_LISTED', 'PROJECT_LISTED', 'REQUEST_REFUSED', 'REQUEST_ANSWERED'],
      invalid: ['REQUEST_ANSWERED'],
      pending: ['CANCELLATION_PENDING', 'REQUEST_ANSWERED', 'CANCELLATION_POLLED'],
      read: ['REQUEST_ANSWERED'],
      listed: ['REQUEST_ANSWERED'],
      registered: ['JOB_REGISTERED', 'REQUEST_ANSWERED'],
      foreign: ['OWNERSHIP_REFUSED', 'JOB_REGISTERED', 'REQUEST_ANSWERED'],
    });
    const ids = new Set(Object.values(answers).map(idOf));
    const others = lines.filter(({ message }) => !ids.has(message.requestId ?? ''));
    expect(others.map(({ message }) => message.code).filter((code) => !ofTheContainer.has(code))).toEqual([]);
  });

  test('is an event’s own id at the events door', async () => {
    const first = service.run.logs.length;
    const { externalId, jobId } = await service.newJob();

    await service.publish('Job Cancellation Requested', { externalId });
    await service.publish('Job Cancellation Requested', { externalId, nonsense: 1 });
    await service.eventsSettled();

    const [record] = await service.recordsOf(jobId);
    const lines = linesSince(first).filter(({ message }) => !ofTheContainer.has(message.code));
    expect(codesOf(lines, String(record?.['requestId']))).toEqual(['CANCELLATION_CLOSED']);
    expect(lines.map(({ message }) => message.code).toSorted()).toEqual(['CANCELLATION_CLOSED', 'EVENT_MALFORMED']);
    expect(lines.every(({ message }) => message.requestId !== undefined)).toBe(true);
  });

  test('is on what a cancellation announces', async () => {
    const { externalId, jobId } = await service.newJob();
    const answer = await service.cancel({ externalId });

    const closed = (await service.recordsOf(jobId)).find(({ type }) => type === 'closed');

    expect(closed?.['begunBy']).toBe(idOf(answer));
  });
});

describe('a caller’s mistake', () => {
  test('leaves no line above INFO and no stack, whether the key, the scope or the request is wrong', async () => {
    const first = service.run.logs.length;
    const unknownKey = `Bearer pcg_local_acmelocal999_${'A'.repeat(43)}`;
    const wrongKey = await fetch(`${service.run.baseUrl}/v1/cancellations?externalId=x`, {
      headers: { authorization: unknownKey },
    });
    await service.cancel({ externalId: '\u0000' });
    await service.publish('Job Cancellation Requested', { nonsense: true });
    await service.eventsSettled();

    expect(wrongKey.status).toBe(401);
    expect(wrongKey.headers.get('www-authenticate')).toBe('Bearer');
    const lines = linesSince(first);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.filter(({ level }) => level !== 'INFO')).toEqual([]);
    expect(service.run.logs.slice(first).filter((line) => line.includes('stack'))).toEqual([]);
  });
});

describe('polls that change nothing', () => {
  test('are counted, and the last one has a time', async () => {
    const { externalId, jobId } = await service.newJob({ cancelTakes: 600_000 });
    const before = await service.cancel({ externalId });
    const shown = await service.show(jobId);

    await service.makeDue();
    await service.reconcile();
    const polled = await service.show(jobId);

    expect(before.status).toBe(202);
    expect(shown.body).toMatchObject({ looks: 1, lastLookedAt: shown.body['requestedAt'] });
    expect(polled.body).toMatchObject({ looks: 2, timeline: shown.body['timeline'] });
    expect(String(polled.body['lastLookedAt']) > String(shown.body['lastLookedAt'])).toBe(true);
  });
});
