import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientRun, startClientRun } from '../support/client-run.ts';
import { answer, problem, startFrontServer } from '../support/front-server.ts';

let service: ClientRun;
beforeAll(async () => {
  service = await startClientRun();
});
afterAll(() => service.close());

describe('what a repeat would not change is unexpected, after one try', () => {
  const html = { 'Content-Type': 'text/html' };
  const json = { 'Content-Type': 'application/json' };
  const cancelled = JSON.stringify({
    jobId: 'j',
    externalId: 'e',
    state: 'closed',
    outcome: 'cancelled',
    jobStatus: 'cancelled',
    pageCount: null,
    successfulPageCount: 1,
    creditsDebited: 0.5,
    attempts: 1,
    requestedAt: '2026-11-24T12:00:00.000Z',
    escalatedAt: null,
    closedAt: '2026-11-24T12:00:01.000Z',
  });
  const postponed = cancelled.replace('"outcome":"cancelled"', '"outcome":"postponed"');
  const withoutAttempts = cancelled.replace('"attempts":1,', '');
  it.each([
    ['a page', 200, answer(200, html, '<h1>Sign in to the Wi-Fi</h1>')],
    ['an empty answer', 200, answer(200)],
    ['JSON of another kind', 200, answer(200, json, '[null, 1, "a"]')],
    ['an outcome of the future', 200, answer(200, json, postponed)],
    ['a cancellation that lacks a field', 200, answer(200, json, withoutAttempts)],
    ['a 204', 204, answer(204)],
    ['more than can be ours', 200, answer(200, json, cancelled.padEnd(10_000_001))],
    ['a page with a 404', 404, answer(404, html, '<h1>Not found</h1>')],
    ['a 409 without its cancellation', 409, problem('job_already_terminal', false, 409)],
    ['a 409 without its candidates', 409, problem('ambiguous_external_id', false, 409)],
    ['a 409 of another operation', 409, problem('job_registered_otherwise', false, 409)],
    ['a problem of the future', 451, problem('not_on_sundays', false, 451)],
    ['a problem by the name of a method of every object', 400, problem('toString', false, 400)],
    ['a problem by the name of every object’s prototype', 400, problem('__proto__', false, 400)],
  ])('%s', async (_what, status, misbehaviour) => {
    const { client, requests } = service.watchClient();
    service.front.misbehave(misbehaviour);
    const result = await client.cancel({ externalId: 'order-7890' });
    expect(result).toMatchObject({ kind: 'unexpected', status, detail: expect.any(String) });
    expect(requests()).toHaveLength(1);
  });

  it('but what is new beside what is known is let pass', async () => {
    const { client } = service.watchClient();
    service.front.misbehave(answer(200, json, cancelled.replace('{', '{"newer":{"than":"this"},')));
    expect((await client.cancel({ externalId: 'order-7890' })).kind).toBe('cancelled');
  });

  it.each([301, 302, 303, 307, 308])('a redirect (%i), which is not followed', async (status) => {
    const elsewhere = await startFrontServer(service.run.baseUrl);
    const { client } = service.watchClient();
    service.front.misbehave(answer(status, { Location: `${elsewhere.url}/v1/cancellations` }));
    const result = await client.cancel({ externalId: 'order-7890' });
    await elsewhere.close();
    expect(result).toMatchObject({ kind: 'unexpected', status });
    expect(elsewhere.requests).toEqual([]);
  });

  it('says the code and the detail of a problem of the future', async () => {
    const { client } = service.watchClient();
    service.front.misbehave(problem('not_on_sundays', false, 451));
    expect(await client.cancel({ externalId: 'order-7890' })).toMatchObject({
      code: 'not_on_sundays',
      detail: 'It is not_on_sundays.',
      requestId: 'r',
    });
  });
});
