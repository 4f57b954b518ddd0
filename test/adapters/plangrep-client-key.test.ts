import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PlangrepKey } from '../../functions/adapters/plangrep/plangrep-key.ts';
import { DependencyUnavailable } from '../../functions/core/report.ts';
import type { FaultInput } from '../../infra/local/plangrep/plangrep-faults.ts';
import { exampleJob } from '../../functions/simulator/plangrep-jobs.ts';
import { type PlangrepSimulator, startPlangrepSimulator } from '../../infra/local/plangrep/plangrep-simulator.ts';
import { documentedJob } from '../support/names.ts';
import { API_KEY, callNames, calls, clientOf, keyOf } from '../support/plangrep-calls.ts';

const NOW = Date.parse('2026-11-02T09:00:00.000Z');
const LATER = NOW + 60_000;

let simulator: PlangrepSimulator;
beforeEach(async () => {
  simulator = await startPlangrepSimulator({ apiKey: API_KEY, jobs: [exampleJob] });
});
afterEach(() => simulator.close());

const connect = (key: PlangrepKey = keyOf(API_KEY)) => clientOf(simulator.url, key, () => NOW);

describe('A key that Plangrep rejects', () => {
  test.each(callNames)('makes a %s repeat once with the newest key', async (name) => {
    const answer = await calls[name](connect(keyOf('pgk_old', API_KEY)), LATER);

    expect(answer).toMatchObject({ kind: name === 'list' ? 'jobs' : 'job' });
    expect(simulator.requests.all().map(({ authorized }) => authorized)).toEqual([false, true]);
  });

  test('ends the call when Secrets Manager has no other key', async () => {
    simulator.revokeApiKey();

    expect(await connect().cancel(documentedJob, LATER)).toEqual({ kind: 'key_refused' });
    expect(simulator.requests.count('cancel')).toBe(1);
  });

  test('ends the call when Plangrep rejects the newest key too', async () => {
    expect(await connect(keyOf('pgk_old', 'pgk_new')).cancel(documentedJob, LATER)).toEqual({ kind: 'key_refused' });
    expect(simulator.requests.count('cancel')).toBe(2);
  });

  const unavailable = () => Promise.reject(new DependencyUnavailable('secret', undefined));
  test('ends the call when the newest key is unavailable', async () => {
    const key = { ...keyOf('pgk_old'), renew: unavailable };

    expect(await connect(key).cancel(documentedJob, LATER)).toEqual({ kind: 'not_sent', why: 'no_key' });
  });

  test('is never sent when no key is available', async () => {
    const key = { ...keyOf(API_KEY), get: unavailable };

    expect(await connect(key).cancel(documentedJob, LATER)).toEqual({ kind: 'not_sent', why: 'no_key' });
    expect(simulator.requests.all()).toEqual([]);
  });

  test('is not confused with a bug in our code, which is thrown', async () => {
    const key = { ...keyOf(API_KEY), get: () => Promise.reject(new TypeError('a mistake')) };

    await expect(connect(key).cancel(documentedJob, LATER)).rejects.toThrow('a mistake');
  });
});

describe('A 403', () => {
  const forbid = (times: number): void =>
    simulator.faults.add({ on: 'any', kind: 'status', status: 403, body: '{"code":"forbidden"}', times });
  const unavailable = new DependencyUnavailable('secret', undefined);
  const forbidden = { kind: 'refused', httpStatus: 403, code: 'forbidden' };

  test.each(callNames)('makes a %s repeat once when there is another key', async (name) => {
    forbid(1);
    const answer = await calls[name](connect(keyOf('pgk_old', API_KEY)), LATER);

    expect(answer).toMatchObject({ kind: name === 'list' ? 'jobs' : 'job' });
    expect(simulator.requests.count(name)).toBe(2);
  });

  test.each([
    ['there is no other key', keyOf(API_KEY), 1],
    ['the newest key gets it too', keyOf('pgk_old', API_KEY), 2],
    ['the newest key is unavailable', { ...keyOf(API_KEY), renew: () => Promise.reject(unavailable) }, 1],
  ])('is a rejection like any other when %s', async (_, key, sent) => {
    forbid(2);

    expect(await connect(key).cancel(documentedJob, LATER)).toEqual(forbidden);
    expect(simulator.requests.count('cancel')).toBe(sent);
  });

  test('for a key that was rotated between a cancel and its read costs one fetch', async () => {
    let [inMemory, renewed] = [API_KEY, 0];
    const key: PlangrepKey = {
      get: async () => inMemory,
      renew: async () => {
        renewed += 1;
        inMemory = 'pgk_live_the0next0key';
        simulator.setApiKey(inMemory);
        return inMemory;
      },
    };
    const plangrep = connect(key);
    expect(await plangrep.cancel(documentedJob, LATER)).toMatchObject({ kind: 'job' });
    forbid(1);

    expect(await plangrep.read(documentedJob, LATER)).toMatchObject({ kind: 'job' });
    expect(await plangrep.cancel(documentedJob, LATER)).toMatchObject({ httpStatus: 409 });
    expect([renewed, simulator.requests.count('read')]).toEqual([1, 2]);
  });
});

describe('What the client must not pass on', () => {
  const canaries = [API_KEY, 'canary_file.pdf', 'canary_token', 'canary_message'];
  const expectNoCanary = (value: unknown): void => {
    const shown = inspect(value, { showHidden: true, depth: Infinity });
    for (const canary of canaries) expect(shown).not.toContain(canary);
  };
  const fields = {
    files: [{ id: 'file_1', fileName: 'canary_file.pdf', status: 'processing' }],
    resultUrl: 'https://plangrep.com/results/1?token=canary_token',
    error: { code: 'canary_token', message: 'canary_message' },
  };
  const faults: FaultInput[] = [
    { on: 'any', kind: 'late' },
    { on: 'any', kind: 'job', fields: { id: 'job_another' } },
    { on: 'any', kind: 'job', fields: { status: API_KEY } },
    { on: 'any', kind: 'status', status: 500, body: JSON.stringify({ ...fields, message: API_KEY }) },
    { on: 'any', kind: 'status', status: 403, body: JSON.stringify({ code: 'no', ...fields, message: API_KEY }) },
    { on: 'any', kind: 'status', status: 302, headers: { Location: `https://example.com/?${API_KEY}` } },
    { on: 'any', kind: 'status', status: 401, body: API_KEY },
    { on: 'any', kind: 'oversized' },
    { on: 'any', kind: 'reset', when: 'mid_answer' },
  ];
  test.each(faults)('is in no answer: $kind $status', async (fault) => {
    simulator.addJob({ id: documentedJob, ...fields });
    simulator.faults.add(fault);
    const plangrep = connect();
    for (const name of callNames) expectNoCanary(await calls[name](plangrep, LATER));
    expectNoCanary(plangrep);
  });
});
