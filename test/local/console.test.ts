import { chmodSync, lstatSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { deriveSecret } from '../../functions/core/callbacks/callback-secret.ts';
import { signCallback } from '../../functions/core/callbacks/sign-callback.ts';
import { partnerIdSchema } from '../../functions/core/identifiers.ts';
import { createConsole, files } from '../../infra/local/console/create-console.ts';
import { hasConsoleKey, keepConsoleKey, proveKey } from '../../infra/local/credentials/console-key.ts';
import { countStopped } from '../../infra/local/console/list-cancellations.ts';
import { type Mood, moods } from '../../infra/scenes/faults-and-problems.ts';
import { givenService } from '../support/given-service.ts';
import { temporaryFolder } from './arrange.ts';

describe('The console', () => {
  const service = givenService({ beside: createConsole });

  /** By node:http, which lets every header be set. */
  const call = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<{ status: number | undefined; body: string }> =>
    new Promise((resolve, reject) => {
      const sent = httpRequest(`${service.run.baseUrl}${path}`, { method, headers: { ...headers } }, (response) => {
        text(response).then((read) => resolve({ status: response.statusCode, body: read }), reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const withKey = () => ({ Authorization: `Bearer ${service.run.consoleKey}` });
  const post = (
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = { Origin: service.run.baseUrl, ...withKey() },
  ) => call('POST', `/console/api/${path}`, headers, typeof body === 'string' ? body : JSON.stringify(body));

  test.each(['/console', '/console/api/facts', '/console/api/watch', '/console/console.js'])(
    'shows %s only under its own host names, so that DNS rebinding cannot read a credential',
    async (path) => {
      const { status, body } = await call('GET', path, { Host: 'evil.example:8787', ...withKey() });

      expect(status).toBe(403);
      expect(body).not.toContain('pcg_');
    },
  );

  test('shows nothing to a page of another site', async () => {
    const { status } = await call('GET', '/console/api/facts', { 'Sec-Fetch-Site': 'cross-site', ...withKey() });

    expect(status).toBe(403);
  });

  test('takes only signed callbacks at its own endpoint, each only as the partner of its address', async () => {
    await post('endpoint', { endpoint: 'confirms' });
    const deliver = (partner: string, signedBy: string, age = 0) => {
      const body = JSON.stringify({
        type: 'callback.test',
        timestamp: '2026-11-27T00:00:00.000Z',
        data: { testId: 't' },
      });
      const secret = deriveSecret(service.run.callbackSecret, partnerIdSchema.parse(signedBy), 1);
      const atSeconds = Math.floor(Date.now() / 1000) - age;
      const headers = signCallback(body, { id: 'webhook-1', atSeconds, secrets: [secret] });
      return call('POST', `/console/callbacks/${partner}`, headers, body);
    };

    expect((await deliver('acme', 'acme')).status).toBe(204);
    for (const [partner, signedBy, age] of [
      ['acme', 'globex', 0],
      ['nemo', 'acme', 0],
      ['', 'acme', 0],
      ['acme', 'acme', 400],
    ] as const) {
      expect((await deliver(partner, signedBy, age)).status).toBe(400);
    }
    expect((await call('POST', '/console/callbacks/acme', {}, 'x'.repeat(300_000))).status).toBe(400);
    expect((await post('endpoint', { endpoint: 'http://evil.example/' })).status).toBe(400);
    await post('endpoint', { endpoint: 'none' });
    expect((await deliver('acme', 'acme')).status).toBe(400);
  });

  test.each<[string, () => Record<string, string>]>([
    ['no key', () => ({})],
    ['a wrong key', () => ({ Authorization: 'Bearer null' })],
    ['a key that goes on', () => ({ Authorization: `Bearer ${service.run.consoleKey}x` })],
    ["a partner's credential", () => ({ Authorization: `Bearer ${service.run.partners[0]?.token}` })],
  ])('shows and takes nothing with %s: every user of this machine can connect to it', async (_what, headers) => {
    const answers = [
      await call('GET', '/console/api/facts', headers()),
      await call('GET', '/console/api/watch', headers()),
      await post('mood', { mood: 'functions_crash' }, headers()),
      await post('scenes', { code: 'forbidden' }, headers()),
      await post('endpoint', { endpoint: 'gone' }, headers()),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    expect(JSON.stringify(answers)).not.toContain('pcg_');
    expect(service.run.faults.current).toBeUndefined();
  });

  test('shows the partners and their credentials with the key of the printed address', async () => {
    const key = new URL(service.run.consoleUrl).hash.slice(1);

    const { status, body } = await call('GET', '/console/api/facts', { Authorization: `Bearer ${key}` });

    expect(status).toBe(200);
    expect(body).toContain(service.run.partners[0]?.token);
  });

  test('proves that it has the key to who asks before sending it, and shows no key', async () => {
    const { run } = service;
    const nonce = 'a-nonce-of-the-page';
    const { host } = new URL(run.baseUrl);

    const { status, body } = await call('GET', `/console/api/proof?nonce=${nonce}`, {});
    const other = await call('GET', `/console/api/proof?nonce=${nonce}`, { Host: 'localhost:8787' });

    expect([status, body]).toEqual([200, proveKey(run.consoleKey, host, nonce)]);
    expect(other.body).not.toBe(body);
    expect([await hasConsoleKey(run.baseUrl, run.consoleKey), await hasConsoleKey(run.baseUrl, 'another')]).toEqual([
      true,
      false,
    ]);
  });

  test.each(['', '?nonce=', '?nonce=short', `?nonce=${'x'.repeat(65)}`, '?nonce=a-nonce-of-the-page&x'])(
    'proves nothing to /proof%s',
    async (query) => {
      expect((await call('GET', `/console/api/proof${query}`, {})).status).toBe(400);
    },
  );

  test('weighs less than 250 KB, with all that it loads', async () => {
    const paths = [...Object.keys(files), '/console/api/facts'];

    const answers = await Promise.all(paths.map((path) => call('GET', path, withKey())));

    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
    expect(answers.reduce((bytes, { body }) => bytes + Buffer.byteLength(body), 0)).toBeLessThan(100_000);
    const [page, ...loaded] = answers.map(({ body }) => body);
    for (const path of Object.keys(files).slice(1)) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      expect(
        [page, ...loaded].some((body) => body?.includes(`/${name}`)),
        `${path} is used`,
      ).toBe(true);
    }
  });

  test('has no credential and no key in its page', async () => {
    for (const path of Object.keys(files)) {
      const { status, body } = await call('GET', path, {});

      expect(status).toBe(200);
      expect(body).not.toContain('pcg_');
      expect(body).not.toContain(service.run.consoleKey);
    }
  });

  test.each([
    ['of another origin', { Origin: 'http://evil.example' }],
    ['of another port here', { Origin: 'http://127.0.0.1:1' }],
    ['of a sandboxed page', { Origin: 'null' }],
  ])('takes no change %s', async (_what, headers) => {
    const { status } = await post('mood', { mood: 'functions_crash' }, { ...headers, ...withKey() });

    expect(status).toBe(403);
    expect(service.run.faults.current).toBeUndefined();
  });

  test.each([
    ['mood', { mood: 'no_such_mood' }, 400],
    ['mood', '{', 400],
    ['jobs', { partnerId: 'nobody', kind: 'running' }, 400],
    ['scenes', { code: '__proto__' }, 400],
    ['else', {}, 404],
  ])('says what is wrong with %s %j', async (path, body, status) => {
    const answer = await post(path, body);

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({ message: expect.any(String) });
  });

  test('changes the mood, one at a time', async () => {
    await post('mood', { mood: 'slow' });
    expect(service.run.simulator.faults.waiting()).toMatchObject([{ kind: 'late' }]);
    await post('mood', { mood: 'throttled' });
    expect(service.run.simulator.faults.waiting()).toEqual([]);
    expect(service.run.faults.current).toMatchObject({ kind: 'throttled' });
    await post('mood', { mood: null });
    expect(service.run.faults.current).toBeUndefined();
  });

  test('throttles only partners: the documentation stays open', async () => {
    await post('mood', { mood: 'throttled' });

    const three = [];
    const pages = [];
    for (let n = 0; n < 3; n += 1) {
      three.push(await service.list('order-7890'));
      pages.push(await fetch(`${service.run.baseUrl}/problems/too_many_requests`));
    }
    await post('mood', { mood: null });

    expect(three.map(({ status }) => status)).toEqual([200, 429, 429]);
    // The fault lets a request through every ten seconds.
    expect(three[1]?.headers.get('retry-after')).toMatch(/^([1-9]|10)$/);
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('lets a late function do its work although its caller gets a 504', async () => {
    await service.run.addJob('order-late', 'job_late');
    await post('mood', { mood: 'functions_late' });

    const answer = await service.cancel({ externalId: 'order-late' });
    await post('mood', { mood: null });

    expect(answer.status).toBe(504);
    await expect
      .poll(async () => (await service.show('job_late')).body, { timeout: 10_000 })
      .toMatchObject({ outcome: 'cancelled' });
  });

  test.each(Object.entries<Mood>(moods))(
    'answers a cancel as the mood says: %s',
    async (mood, { answer: expected }) => {
      await service.run.addJob(`order-${mood}`, `job_${mood}`);
      await post('mood', { mood });
      if (mood === 'throttled') await service.list('order-7890');

      const answer = await service.run.call('acme', 'POST /v1/cancellations', { externalId: `order-${mood}` });
      await post('mood', { mood: null });

      const { status, ...body } = expected;
      expect(answer).toMatchObject({ status, body });
    },
  );
});

describe("The console's key", () => {
  const keyFileIn = (folder: string): string => join(folder, '.local', 'console-key');
  const keep = (folder: string): Promise<string> => keepConsoleKey(join(folder, '.local', 'credentials.json'));

  test('stays the same from run to run, in a file for its owner alone', async () => {
    const folder = temporaryFolder();

    const key = await keep(folder);

    expect(key).toMatch(/^[\w-]{22}$/);
    expect(await keep(folder)).toBe(key);
    expect(statSync(keyFileIn(folder)).mode & 0o777).toBe(0o600);
  });

  test.each<[string, (path: string) => void]>([
    ['others could read', (path) => chmodSync(path, 0o644)],
    ['is damaged', (path) => writeFileSync(path, 'a key')],
    ['is a link', (path) => renameSync(path, `${path}.moved`) ?? symlinkSync(`${path}.moved`, path)],
  ])('is a new one, in a new file, where the file %s', async (_what, change) => {
    const folder = temporaryFolder();
    const key = await keep(folder);
    change(keyFileIn(folder));

    const next = await keep(folder);

    expect(next).not.toBe(key);
    expect(await keep(folder)).toBe(next);
    expect(lstatSync(keyFileIn(folder))).toMatchObject({ mode: 0o100600 });
  });

  test('is a new one for each run where none can be kept', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.local'), 'a file');

    expect(await keep(folder)).not.toBe(await keep(folder));
  });
});

const cancelled = { outcome: 'cancelled', pageCount: 204, successfulPageCount: 63, creditsDebited: 63 } as const;

describe('What cancels have saved, as the console counts it,', () => {
  test('is the pages that were not processed, at the price of those that were', () => {
    const twiceThePrice = { ...cancelled, pageCount: 20, successfulPageCount: 10, creditsDebited: 20 };

    expect(countStopped([cancelled, twiceThePrice])).toEqual({ pages: 151, credits: 161 });
  });

  test.each([
    ['ended another way', { outcome: 'too_late' as const }],
    ['is still open', { outcome: null }],
    ['has no known pages', { pageCount: null }],
    ['has no known processed pages', { successfulPageCount: null }],
  ])('leaves out a job that %s', (_what, fields) => {
    expect(countStopped([{ ...cancelled, ...fields }])).toEqual({ pages: 0, credits: 0 });
  });

  test('knows no price where no page was processed', () => {
    expect(countStopped([{ ...cancelled, successfulPageCount: 0, creditsDebited: 0 }])).toEqual({
      pages: 204,
      credits: 0,
    });
  });

  test('is never negative', () => {
    expect(countStopped([{ ...cancelled, successfulPageCount: 300 }])).toEqual({ pages: 0, credits: 0 });
  });
});
