import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createPostCallback, type PostCallbackOptions } from '../../../functions/adapters/callbacks/post-callback.ts';
import { signCallback } from '../../../functions/core/callbacks/sign-callback.ts';
import {
  createRebindingResolver,
  flapping,
  type HostileReceiverOptions,
  type ReceiverBehaviour,
  startHostileReceiver,
} from '../../support/callbacks/hostile-receiver.ts';
import { createSelfSignedCertificate } from '../../support/self-signed-certificate.ts';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5'] as const;
const BODY = '{"type":"callback.test","data":{"text":"é😀"}}';
const PUBLIC = '93.184.215.14';
/** Long enough for a busy machine, where an answer is expected. */
const PATIENT_MS = 10_000;

const started = async (options?: HostileReceiverOptions) => {
  const receiver = await startHostileReceiver(options);
  onTestFinished(() => receiver.close());
  return receiver;
};
const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const sent = (url: string, id = 'evt_1') => ({
  url,
  headers: signCallback(BODY, { id, atSeconds: nowSeconds(), secrets: SECRETS }),
  body: BODY,
});
const postLocally = (options: Partial<PostCallbackOptions> = {}) =>
  createPostCallback({ allowsLoopback: true, deadlineMs: PATIENT_MS, ...options });
const postInAws = (options: Partial<PostCallbackOptions> = {}) =>
  createPostCallback({ allowsLoopback: false, deadlineMs: PATIENT_MS, ...options });
const answered = (httpStatus: number, retryAfterMs?: number) => ({ kind: 'answered', httpStatus, retryAfterMs });
const failed = (why: string) => ({ kind: 'failed', why });

describe('A callback', () => {
  test('arrives whole, with its signature and the headers of HTTP alone, signed for the published verifier', async () => {
    const receiver = await started({ secrets: SECRETS });
    const callback = sent(`${receiver.url}/hooks?of=acme`);

    expect(await postLocally()(callback)).toEqual(answered(200));

    const [arrival] = receiver.arrivals;
    const { rawHeaders = [], atMs: _atMs, ...rest } = arrival ?? {};
    expect(rest).toEqual({ id: 'evt_1', path: '/hooks?of=acme', behaviour: 'ok', body: BODY, objection: undefined });
    expect(rawHeaders).toEqual([
      'content-type',
      'application/json',
      'user-agent',
      'plangrep-cancellation/1',
      ...Object.entries(callback.headers).flat(),
      'Host',
      `127.0.0.1:${receiver.port}`,
      'Connection',
      'close',
      'Content-Length',
      String(Buffer.byteLength(BODY)),
    ]);
  });

  test('opens a connection for itself, and closes it', async () => {
    const receiver = await started();
    await postLocally()(sent(receiver.url));
    await postLocally()(sent(receiver.url));

    expect(receiver.connections()).toBe(2);
    await vi.waitFor(() => expect(receiver.open()).toBe(0));
  });

  test('that the receiver would not verify is noticed by the imitation', async () => {
    const receiver = await started({ secrets: ['whsec_b3RoZXI='] });
    await postLocally()(sent(receiver.url));

    expect(receiver.arrivals.map(({ objection }) => objection)).toEqual([
      'WebhookVerificationError: No matching signature found',
    ]);
  });
});

describe('A receiver that', () => {
  test.each<[ReceiverBehaviour, ReturnType<typeof answered> | ReturnType<typeof failed>]>([
    ['created', answered(201)],
    ['no_content', answered(204)],
    ['largest', answered(200)],
    ['moved', answered(301)],
    ['moved_on', answered(307)],
    ['gone', answered(410)],
    ['limited', answered(429, 7_000)],
    ['limited_until', answered(429, 90_000)],
    ['limited_soon', answered(429)],
    ['broken', answered(500)],
    ['unavailable', answered(503, 120_000)],
    ['upgrades', answered(101)],
    ['huge', failed('too_large')],
    ['huge_headers', failed('too_large')],
    ['endless_chunks', failed('too_large')],
    ['endless_hints', failed('too_large')],
    ['reset', failed('closed_early')],
    ['closes', failed('closed_early')],
    ['closes_early', failed('closed_early')],
    ['not_http', failed('closed_early')],
  ])('does %s is called once, and the connection is closed', async (behaviour, result) => {
    const receiver = await started();

    expect(await postLocally()(sent(`${receiver.url}/${behaviour}`))).toEqual(result);

    expect(receiver.arrivals.map(({ path }) => path)).toEqual([`/${behaviour}`]);
    expect(receiver.connections()).toBe(1);
    await vi.waitFor(() => expect(receiver.open()).toBe(0));
  });

  test.each<ReceiverBehaviour>(['silent', 'slow_headers', 'drip'])(
    'does %s is left at the deadline, and the connection is closed',
    async (behaviour) => {
      const receiver = await started();
      const before = performance.now();

      expect(await postLocally({ deadlineMs: 300 })(sent(`${receiver.url}/${behaviour}`))).toEqual(failed('timeout'));

      expect(performance.now() - before).toBeGreaterThanOrEqual(290);
      expect(receiver.arrivals.length).toBe(1);
      await vi.waitFor(() => expect(receiver.open()).toBe(0));
    },
  );

  test('flaps delivers what it says it has received', async () => {
    const receiver = await started();
    receiver.behave(flapping(7, 0.5));
    const ids = Array.from({ length: 40 }, (_, n) => `evt_${n}`);
    const delivered: string[] = [];
    for (const id of ids) {
      const answer = await postLocally()(sent(receiver.url, id));
      if (answer.kind === 'answered' && answer.httpStatus === 200) delivered.push(id);
    }

    const good = receiver.arrivals.filter(({ behaviour }) => behaviour === 'ok').map(({ id }) => id);
    expect(delivered).toEqual(good);
    expect(receiver.arrivals.map(({ id }) => id)).toEqual(ids);
    expect(good.length).toBeGreaterThan(0);
    expect(good.length).toBeLessThan(ids.length);
  });
});

describe('The deadline', () => {
  test.each(['http', 'https'])(
    'counts where the server opens a connection and reads nothing, over %s',
    async (scheme) => {
      const receiver = await started({ neverReads: true });

      const url = `${scheme}://127.0.0.1:${receiver.port}/`;
      expect(await postLocally({ deadlineMs: 300 })(sent(url))).toEqual(failed('timeout'));

      expect(receiver.arrivals).toEqual([]);
    },
  );

  test('covers the name server, and what it says too late opens no connection', async () => {
    const receiver = await started();
    const late = Promise.withResolvers<readonly string[]>();
    const post = postLocally({ deadlineMs: 100, resolve: () => late.promise });

    expect(await post(sent(`http://localhost:${receiver.port}/`))).toEqual(failed('timeout'));
    late.resolve(['127.0.0.1']);
    await postLocally()(sent(receiver.url));

    expect(receiver.connections()).toBe(1);
  });

  test('leaves no timer behind when the answer comes sooner', async () => {
    const receiver = await started();
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await postLocally()(sent(receiver.url));

    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThanOrEqual(before);
  });
});

describe('TLS', () => {
  const trusted = async () => {
    const tls = createSelfSignedCertificate();
    const known = getCACertificates('default');
    setDefaultCACertificates([...known, tls.cert]);
    onTestFinished(() => setDefaultCACertificates(known));
    return started({ tls, secrets: SECRETS });
  };

  test('is used with a certificate for the name', async () => {
    const receiver = await trusted();

    expect(await postLocally()(sent(`https://localhost:${receiver.port}/`))).toEqual(answered(200));
    expect(receiver.arrivals.map(({ objection }) => objection)).toEqual([undefined]);
  });

  test.each([
    ['for another name', trusted, '127.0.0.1'],
    ['that is not trusted', () => started({ tls: createSelfSignedCertificate() }), 'localhost'],
    ['that is not there: the server speaks HTTP', () => started(), 'localhost'],
  ])('refuses a certificate %s, before a byte of the callback', async (_which, start, host) => {
    const receiver = await start();

    expect(await postLocally()(sent(`https://${host}:${receiver.port}/`))).toEqual(failed('tls'));
    expect(receiver.arrivals).toEqual([]);
  });

  test('is checked even where the environment says that it need not be', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const receiver = await started({ tls: createSelfSignedCertificate() });

    expect(await postLocally()(sent(`https://localhost:${receiver.port}/`))).toEqual(failed('tls'));
    expect(receiver.arrivals).toEqual([]);
  });
});

describe('A URL', () => {
  test.each([
    'http://api.partner.example/',
    'http://127.0.0.1:PORT/',
    'https://127.0.0.1:PORT/',
    'https://2130706433:PORT/',
    'https://0x7f.1:PORT/',
    'https://0177.0.0.1:PORT/',
    'https://[::1]:PORT/',
    'https://[::ffff:127.0.0.1]:PORT/',
    'https://localhost:PORT/',
    'https://169.254.169.254/latest/meta-data/',
    'https://user:pass@api.partner.example/',
  ])('%s is not called in AWS, nor its name looked up', async (url) => {
    const receiver = await started();
    const names = createRebindingResolver(['127.0.0.1']);
    const post = postInAws({ resolve: names.resolve });

    expect(await post(sent(url.replace('PORT', String(receiver.port))))).toEqual(failed('address_refused'));
    expect([receiver.connections(), names.asked]).toEqual([0, []]);
  });
});

describe('A name', () => {
  const url = (port: number): string => `https://api.partner.example:${port}/`;

  test.each([
    ['this machine', ['127.0.0.1']],
    ['this machine, in IPv6', ['::1']],
    ['this machine, as a mapped address', ['::ffff:127.0.0.1']],
    ['the metadata', ['169.254.169.254']],
    ['a private network', ['10.0.0.1']],
    ['a public address and a private one', [PUBLIC, '10.0.0.1']],
    ['a private address and a public one', ['127.0.0.1', PUBLIC]],
    ['a public address and this machine in IPv6', [PUBLIC, '::1']],
    ['a private network behind NAT64', ['64:ff9b::a00:1']],
    ['what is not an address', ['localhost']],
  ])('that stands for %s is not called', async (_what, addresses) => {
    const receiver = await started();
    const names = createRebindingResolver(addresses);

    for (const post of [postInAws(names), postLocally(names)]) {
      expect(await post(sent(url(receiver.port)))).toEqual(failed('address_refused'));
    }
    expect(receiver.connections()).toBe(0);
  });

  test('is resolved once: what a rebinding name server says next is not asked for', async () => {
    const receiver = await started();
    const names = createRebindingResolver(['127.0.0.1'], ['10.0.0.1']);

    expect(await postLocally(names)(sent(`http://localhost:${receiver.port}/`))).toEqual(answered(200));
    expect(names.asked).toEqual(['localhost']);
    expect(receiver.arrivals.length).toBe(1);
  });

  test('is called at the address that was checked, wherever it leads by now', async () => {
    const receiver = await started();
    // The machine's own `localhost` leads to the receiver.
    const post = postLocally({ resolve: async () => ['127.0.0.2'] });

    expect(await post(sent(`http://localhost:${receiver.port}/`))).toEqual(failed('not_connected'));
    expect(receiver.connections()).toBe(0);
  });

  test('that is public first and private then is refused the second time', async () => {
    const names = createRebindingResolver(['127.0.0.1'], [PUBLIC]);
    const receiver = await started();
    const post = postLocally(names);
    const callback = sent(`http://localhost:${receiver.port}/`);

    expect([await post(callback), await post(callback)]).toEqual([answered(200), failed('address_refused')]);
  });

  test('has more addresses than one: the next is tried where the first does not listen', async () => {
    const receiver = await started();
    const post = postLocally({ resolve: async () => ['127.0.0.2', '127.0.0.1'] });

    expect(await post(sent(`http://localhost:${receiver.port}/`))).toEqual(answered(200));
  });

  test.each([
    ['stands for nothing', async () => []],
    ['cannot be looked up', () => Promise.reject(new Error('SERVFAIL'))],
  ])('that %s is not resolved', async (_what, resolve) => {
    expect(await postInAws({ resolve })(sent(url(443)))).toEqual(failed('not_resolved'));
  });
});

test('A port that is closed is not connected to', async () => {
  const receiver = await startHostileReceiver();
  await receiver.close();

  expect(await postLocally()(sent(receiver.url))).toEqual(failed('not_connected'));
});

test('A proxy that the environment names is not used', async () => {
  const receiver = await started();
  const proxy = await started();
  const program = `
    import { get } from 'node:http';
    import { createPostCallback } from ${JSON.stringify(join(root, 'functions/adapters/callbacks/post-callback.ts'))};
    const post = createPostCallback({ allowsLoopback: true });
    console.log(JSON.stringify(await post(${JSON.stringify(sent(`${receiver.url}/called`))})));
    get('${receiver.url}/control', (answer) => answer.resume());`;
  const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, ALL_PROXY: proxy.url };

  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', program], { env });

  expect(JSON.parse(stdout)).toEqual(answered(200));
  expect(receiver.arrivals.map(({ path }) => path)).toEqual(['/called']);
  // Node's own agent does use it.
  expect(proxy.arrivals.map(({ path }) => path)).toEqual([`${receiver.url}/control`]);
});
