import { beforeEach, describe, expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { permissionsOf } from '../../../infra/blueprint/access/roles.ts';
import { changeEndpoint, readStoredEndpoint } from '../../../infra/cli/partners/stored-endpoint.ts';
import { givenCallbacks } from '../../support/callbacks/given-callbacks.ts';
import { givenOps } from '../../support/given-ops.ts';
import { placeWith } from '../../support/place-with.ts';
import { onlyLine } from '../../support/run-command.ts';

const ops = givenOps({ callbacks: 'delivered', queueVisibilityMs: 300 });
const callbacks = givenCallbacks(ops.service);
const soon = { timeout: 20_000, interval: 20 };
const secretOf = (stdout: string): string => z.object({ secret: z.string() }).parse(JSON.parse(stdout)).secret;
const urlOf = (path: string): string => `${callbacks.receiver.url}/${path}`;
const shown = async (partner = 'acme') =>
  JSON.parse((await ops.run(`callback show --partner ${partner} --json`)).stdout);

const newestSignature = (): string | undefined => {
  const headers = callbacks.receiver.arrivals.at(-1)?.rawHeaders ?? [];
  return headers[headers.indexOf('webhook-signature') + 1];
};

beforeEach(async () => {
  callbacks.receiver.behave(() => 'ok');
  await callbacks.removeEndpoint('acme');
});

describe('callback set', () => {
  test('shows the secret once, in the form of Standard Webhooks, and what to do next', async () => {
    const set = await ops.run(`callback set --partner acme --url ${urlOf('a')}`);
    const again = await ops.run(`callback set --partner acme --url ${urlOf('b')}`);

    expect(set).toMatchObject({ code: 0, stderr: '' });
    expect(set.stdout).toMatch(
      /\n\n {2}export CANCELLATION_CALLBACK_SECRET=whsec_[A-Za-z0-9+/]{43}=\n\nNext: npm run ops -- callback test --partner acme\n$/,
    );
    expect(again.stdout).not.toContain('whsec_');
    expect(again.stdout).toContain(`go to ${urlOf('b')} from now on; before: ${urlOf('a')}.`);
    expect(await shown()).toMatchObject({ url: urlOf('b'), version: 1, pausedWhy: null, test: null, kept: 0 });
  });

  test.each([
    ['http://partner.example/', '--url must begin with https://.'],
    [
      'https://user:pass@partner.example/',
      '--url must not contain a user name or a password: the signature says who calls.',
    ],
    ['https://10.0.0.1/', '--url must name a host, not an IP address.'],
    ['nonsense', '--url must be an absolute URL, without spaces, backslashes and control characters.'],
  ])('refuses %s, with one line', async (url, why) => {
    const ended = await ops.run(['callback', 'set', '--partner', 'acme', '--url', url]);

    expect([ended.code, onlyLine(ended)]).toEqual([2, why]);
  });

  test('refuses a partner that does not exist, such as a mistyped one', async () => {
    for (const command of [`set --url ${urlOf('a')}`, 'show', 'test', 'remove --yes']) {
      const ended = await ops.run(`callback ${command} --partner acm`);

      expect([ended.code, onlyLine(ended)]).toEqual([
        1,
        'No partner has the id acm (local): "npm run ops -- partner list" shows the ids.',
      ]);
    }
  });

  test('after a removal makes another secret', async () => {
    const first = secretOf((await ops.run(`callback set --partner acme --url ${urlOf('a')} --json`)).stdout);
    expect(await ops.run('callback remove --partner acme')).toMatchObject({ code: 2 });
    expect(await ops.run('callback remove --partner acme --yes')).toMatchObject({ code: 0 });
    expect(onlyLine(await ops.run('callback show --partner acme'))).toBe(
      'acme (local) has no callbacks: "npm run ops -- callback set --partner acme --url URL" gives it some.',
    );
    const second = secretOf((await ops.run(`callback set --partner acme --url ${urlOf('a')} --json`)).stdout);

    expect(second).not.toBe(first);
  });
});

describe('callback test', () => {
  test('has the service post to the endpoint, and says how it answered', async () => {
    await ops.run(`callback set --partner acme --url ${urlOf('a')}`);
    const taken = await ops.run('callback test --partner acme');
    callbacks.receiver.behave(() => 'broken');
    const refused = await ops.run('callback test --partner acme');

    expect([taken.code, taken.stdout]).toEqual([0, `${urlOf('a')} (acme, local): delivered, HTTP 200.\n`]);
    expect([refused.code, refused.stdout]).toEqual([
      1,
      `${urlOf('a')} (acme, local): not delivered: http_status, HTTP 500 (only an answer of 2xx counts).\n`,
    ]);
    expect(JSON.parse(callbacks.receiver.arrivals.at(-1)?.body ?? '')).toMatchObject({ type: 'callback.test' });
    expect((await shown()).test).toMatchObject({ isDelivered: false, httpStatus: 500 });
  });
});

describe('what is paused', () => {
  test('is kept, counted, and delivered once it is resumed', async () => {
    await ops.run(`callback set --partner acme --url ${urlOf('a')}`);
    expect(await ops.run('callback pause --partner acme')).toMatchObject({ code: 0 });
    const { externalId, jobId } = await ops.service.newJob();
    await ops.service.cancel({ externalId });
    await vi.waitFor(async () => expect(await shown()).toMatchObject({ pausedWhy: 'operator', kept: 1 }), soon);
    expect(callbacks.about(jobId)).toEqual([]);

    const replay = await ops.run('callback replay --partner acme');
    expect([replay.code, onlyLine(replay)]).toEqual([
      1,
      'The callbacks of acme (local) are paused: "callback resume" delivers what is kept.',
    ]);
    const resumed = await ops.run('callback resume --partner acme');
    expect(resumed.stdout).toBe('1 to deliver for acme (local). "callback show" tells what is not delivered yet.\n');

    await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(1), soon);
    await vi.waitFor(async () => expect(await shown()).toMatchObject({ pausedWhy: null, kept: 0 }), soon);
    const timeline = await ops.run(`cancellations show ${jobId} --partner acme`);
    expect(timeline.stdout).toMatch(/ callback +about=event#000002 .*result=paused why=operator/);
    expect(timeline.stdout).toMatch(/ callback +about=event#000002 .*result=delivered httpStatus=200/);
  });

  test('by a 410 is delivered to the endpoint that is set next', async () => {
    await ops.run(`callback set --partner acme --url ${urlOf('a')}`);
    callbacks.receiver.behave(() => 'gone');
    const { externalId, jobId } = await ops.service.newJob();
    await ops.service.cancel({ externalId });
    await vi.waitFor(async () => expect(await shown()).toMatchObject({ pausedWhy: 'gone', kept: 1 }), soon);

    callbacks.receiver.behave(() => 'ok');
    const set = await ops.run(`callback set --partner acme --url ${urlOf('b')}`);
    expect(set.stdout).toContain('What is kept: npm run ops -- callback replay --partner acme\n');
    await ops.run('callback replay --partner acme');

    await vi.waitFor(
      () => expect(callbacks.about(jobId).map(({ behaviour }) => behaviour)).toEqual(['gone', 'ok']),
      soon,
    );
  });
});

describe('callback replay', () => {
  test.each(['--job', '--since'])('%s delivers again what was delivered, under the same id', async (option) => {
    await ops.run(`callback set --partner acme --url ${urlOf('a')}`);
    const since = new Date(Date.now() - 1_000).toISOString();
    const { externalId, jobId } = await ops.service.newJob();
    await ops.service.cancel({ externalId });
    await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(1), soon);

    ops.service.run.dynamodb.resetCounts();
    const replay = await ops.run(`callback replay --partner acme ${option} ${option === '--job' ? jobId : since}`);
    expect(replay).toMatchObject({ code: 0 });
    const allowed = new Set(permissionsOf('manage-callbacks').flatMap(({ actions }) => actions));
    const called = Object.keys(ops.service.run.dynamodb.counts()).map((operation) => `dynamodb:${operation}`);
    // The attempt that the service itself puts on record meanwhile.
    const byService = 'dynamodb:PutItem';
    expect(called.filter((action) => !allowed.has(action) && action !== byService)).toEqual([]);

    await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(2), soon);
    expect(new Set(callbacks.about(jobId).map(({ id }) => id)).size).toBe(1);
  });

  test('delivers now what waits for its next attempt', async () => {
    await ops.run(`callback set --partner acme --url ${urlOf('a')}`);
    callbacks.receiver.behave(() => 'broken');
    const { externalId, jobId } = await ops.service.newJob();
    await ops.service.cancel({ externalId });
    // The next one is 5 minutes later.
    await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(2), soon);
    await vi.waitFor(async () => expect(await shown()).toMatchObject({ retried: 1, kept: 0 }), soon);

    callbacks.receiver.behave(() => 'ok');
    const replay = await ops.run('callback replay --partner acme');

    expect(replay.stdout).toMatch(/^1 to deliver for acme \(local\)\./);
    await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(3), soon);
    await vi.waitFor(async () => expect(await shown()).toMatchObject({ retried: 0, kept: 0 }), soon);
  });

  test('says when nothing is left', async () => {
    await ops.run(`callback set --partner acme --url ${urlOf('a')}`);

    expect((await ops.run('callback replay --partner acme')).stdout).toBe(
      'Nothing is left to deliver for acme (local).\n',
    );
  });

  test.each([
    ['--job', 'job_nix', 1, /^There is nothing to tell of job_nix: .* for acme \(local\)\.$/],
    ['--since', 'yesterday', 2, /^--since must be a day or a time in UTC like /],
  ])('%s %s delivers nothing, and says why', async (option, value, code, why) => {
    await ops.run(`callback set --partner acme --url ${urlOf('a')}`);
    const ended = await ops.run(['callback', 'replay', '--partner', 'acme', option, value]);

    expect(ended.code).toBe(code);
    expect(onlyLine(ended)).toMatch(why);
  });

  test('takes one choice at a time', async () => {
    await ops.run(`callback set --partner acme --url ${urlOf('a')}`);
    const ended = await ops.run('callback replay --partner acme --job job_1 --since 2026-11-26T00:00Z');

    expect([ended.code, onlyLine(ended)]).toEqual([2, 'Use --job or --since, not both.']);
  });
});

test.each([
  ['was paused by a 410', { pausedAt: '2026-11-26T12:00:00.000Z', pausedWhy: 'gone' }],
  ['was set to another URL', { url: 'https://partner.example/other' }],
  ['got another secret', { version: 2 }],
])('an endpoint that %s since it was read is not changed unseen', async (_, meanwhile) => {
  const { client, tableNames } = ops.service.run.dynamodb;
  const place = placeWith({ dynamodb: client, table: (name) => Promise.resolve(tableNames[name]) });
  const acme = partnerIdSchema.parse('acme');
  await callbacks.setEndpoint('acme');
  const read = await readStoredEndpoint(place, acme);
  await callbacks.setEndpoint('acme', meanwhile);
  const change = changeEndpoint(place, acme, read, { set: { url: urlOf('new') } });

  await expect(change).rejects.toThrow('The callbacks of acme (local) were changed meanwhile: see "callback show".');
  expect(await shown()).toMatchObject(meanwhile);
});

describe('callback rotate', () => {
  test('makes a secret that signs beside the one before, until the end of the overlap', async () => {
    const first = secretOf((await ops.run(`callback set --partner acme --url ${urlOf('a')} --json`)).stdout);
    const rotated = await ops.run('callback rotate --partner acme --json');
    const second = secretOf(rotated.stdout);
    expect(second).not.toBe(first);
    await ops.run('callback test --partner acme');
    const both = newestSignature();
    expect(String(both).split(' ')).toHaveLength(2);

    expect(await ops.run('callback rotate --partner acme --overlap-hours 0')).toMatchObject({ code: 2 });
    await ops.run('callback rotate --partner acme --overlap-hours 0 --yes');
    await ops.run('callback test --partner acme');
    const one = newestSignature();
    expect(String(one).split(' ')).toHaveLength(1);
    expect(await shown()).toMatchObject({ version: 3, previousUntil: null });
  });

  test.each(['-1', '721', '1.5', 'a'])('refuses an overlap of %s hours', async (hours) => {
    const ended = await ops.run(['callback', 'rotate', '--partner', 'acme', `--overlap-hours=${hours}`]);

    expect([ended.code, onlyLine(ended)]).toEqual([2, '--overlap-hours must be a whole number from 0 to 720.']);
  });
});

test.each(['show', 'test', 'pause', 'resume', 'replay', 'rotate', 'remove'])(
  'callback %s of a partner without callbacks says how to set some',
  async (command) => {
    const ended = await ops.run(`callback ${command} --partner acme --yes`);

    expect([ended.code, onlyLine(ended)]).toEqual([
      1,
      'acme (local) has no callbacks: "npm run ops -- callback set --partner acme --url URL" gives it some.',
    ]);
  },
);
