import { createServer } from 'node:http';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createSecretsManagerClient } from '../../functions/adapters/aws-clients.ts';
import { createPlangrepKey } from '../../functions/adapters/plangrep/plangrep-key.ts';
import { DependencyUnavailable, type Report } from '../../functions/core/report.ts';
import { createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { listenOnLoopback } from '../../infra/local/aws/loopback.ts';
import { type LocalSecretsManager, startSecretsManager } from '../../infra/local/aws/secrets-manager.ts';

const SECRET = 'plangrep/api-key';
const KEY = 'pgk_live_canary1';
const NEW_KEY = 'pgk_live_rotated';
const credentials = createAccessKey();

let secretsManager: LocalSecretsManager;
let now = 0;
beforeEach(async () => {
  secretsManager = await startSecretsManager({ secrets: { [SECRET]: KEY }, accessKey: credentials });
  now = Date.parse('2026-11-02T09:00:00.000Z');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await secretsManager.close();
});

const reported: unknown[] = [];
const report: Report = (code, fields) => reported.push({ code, ...fields });

const connect = (endpoint = secretsManager.url, secretId = SECRET) => {
  const client = createSecretsManagerClient({ endpoint, region: 'us-east-1', credentials });
  return createPlangrepKey({ client, secretId, clock: { now: () => now }, report });
};
const asked = (): number | undefined => secretsManager.requests['GetSecretValue'];

/** The failure, after a look for the secret in everything that a log could show of it. */
const failureOf = async (key: Promise<string>): Promise<DependencyUnavailable> => {
  const failure: unknown = await key.then(
    () => new Error('there was a key'),
    (error: unknown) => error,
  );

  expect(inspect(failure, { showHidden: true, depth: Infinity })).not.toContain('canary');
  if (!(failure instanceof DependencyUnavailable)) throw failure;
  return failure;
};

describe('The key of Plangrep', () => {
  test.each([
    ['plain text', KEY],
    ['plain text with a line break at its end', `${KEY}\n`],
    ['JSON', `{"apiKey":"${KEY}"}`],
    ['JSON with more in it, and spaces', `\n { "apiKey": " ${KEY} ", "note": "x" } `],
  ])('is read from a secret that is %s', async (_, value) => {
    secretsManager.put(SECRET, value);

    expect(await connect().get()).toBe(KEY);
  });

  test('is fetched once when it was fetched in advance', async () => {
    const key = connect();
    key.prefetch();

    expect(await key.get()).toBe(KEY);
    expect(asked()).toBe(1);
  });

  test('fails for the caller that needs it, not for the prefetch', async () => {
    secretsManager.put(SECRET, '');
    const key = connect();
    key.prefetch();
    await failureOf(key.get());
    secretsManager.put(SECRET, KEY);

    expect(await key.get()).toBe(KEY);
  });

  test('is reported with its age in days, for the alarm on old keys, and with nothing else', async () => {
    now = Date.now() + 91 * 86_400_000;
    reported.length = 0;
    await connect().get();

    expect(reported).toEqual([{ code: 'PLANGREP_KEY_FETCHED', ageDays: 91 }]);
  });

  test('has no age when Secrets Manager returns none', async () => {
    const client = createSecretsManagerClient({ region: 'us-east-1', credentials });
    // A middleware answers where the SDK would ask.
    const answer = async () => ({ response: {}, output: { $metadata: {}, SecretString: KEY } });
    client.middlewareStack.add(() => answer, { step: 'initialize' });
    reported.length = 0;

    expect(await createPlangrepKey({ client, secretId: SECRET, clock: { now: () => now }, report }).get()).toBe(KEY);
    expect(reported).toEqual([{ code: 'PLANGREP_KEY_FETCHED', ageDays: undefined }]);
  });

  test("is found by the SDK's standard environment variables", async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', secretsManager.url);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
    const client = createSecretsManagerClient();

    expect(await createPlangrepKey({ client, secretId: SECRET, clock: { now: () => now }, report }).get()).toBe(KEY);
  });

  test('is kept for less than 60 s', async () => {
    const key = connect();
    await key.get();
    secretsManager.put(SECRET, NEW_KEY);
    now += 59_999;

    expect(await key.get()).toBe(KEY);
    now += 1;

    expect(await key.get()).toBe(NEW_KEY);
    expect(asked()).toBe(2);
  });

  test('is not kept for longer when the clock is set back', async () => {
    const key = connect();
    await key.get();
    now -= 1;
    await key.get();

    expect(asked()).toBe(2);
  });

  test('is fetched again at once when Plangrep rejects it, and then kept', async () => {
    const key = connect();
    await key.get();
    secretsManager.put(SECRET, NEW_KEY);

    expect(await key.renew(KEY, 403)).toBe(NEW_KEY);
    expect(await key.get()).toBe(NEW_KEY);
    expect(asked()).toBe(2);
  });

  test('is not fetched again for a caller whose key was older', async () => {
    const key = connect();
    await key.get();
    secretsManager.put(SECRET, NEW_KEY);
    await key.renew(KEY, 403);

    expect(await key.renew(KEY, 403)).toBe(NEW_KEY);
    expect(asked()).toBe(2);
  });

  test('is fetched again at most every 3 s while it is the same that Plangrep rejects with 403', async () => {
    const key = connect();
    await key.get();
    for (let n = 0; n < 5; n += 1) expect(await key.renew(KEY, 403)).toBe(KEY);
    expect(asked()).toBe(2);

    now += 2_999;
    expect(await key.renew(KEY, 403)).toBe(KEY);
    secretsManager.put(SECRET, NEW_KEY);
    now += 1;
    expect(await key.renew(KEY, 403)).toBe(NEW_KEY);
    expect(asked()).toBe(3);
  });

  test('is fetched again at once when it was fetched just before it was rejected', async () => {
    const key = connect();
    await key.renew(await key.get(), 403);
    now += 60_000;
    await key.get();
    secretsManager.put(SECRET, NEW_KEY);

    expect(await key.renew(KEY, 403)).toBe(NEW_KEY);
  });

  test('is fetched again when Plangrep rejects the next one too', async () => {
    const key = connect();
    await key.renew(await key.get(), 403);
    now += 3_000;
    secretsManager.put(SECRET, NEW_KEY);
    await key.renew(KEY, 403);
    secretsManager.put(SECRET, KEY);

    expect(await key.renew(NEW_KEY, 403)).toBe(KEY);
  });

  test('is fetched again for each 401, which is always about the key', async () => {
    const key = connect();
    await key.get();
    await key.renew(KEY, 401);
    secretsManager.put(SECRET, NEW_KEY);

    expect(await key.renew(KEY, 401)).toBe(NEW_KEY);
  });

  test('is fetched again when the clock was set back', async () => {
    const key = connect();
    await key.renew(await key.get(), 403);
    now -= 1;
    await key.renew(KEY, 403);

    expect(asked()).toBe(3);
  });

  test('is fetched when none is known yet', async () => {
    expect(await connect().renew(KEY, 401)).toBe(KEY);
    expect(asked()).toBe(1);
  });

  test('is fetched once for callers that were rejected at the same time', async () => {
    const key = connect();
    await key.get();
    secretsManager.put(SECRET, NEW_KEY);

    expect(await Promise.all([key.renew(KEY, 403), key.renew(KEY, 403), key.renew(KEY, 403)])).toEqual([
      NEW_KEY,
      NEW_KEY,
      NEW_KEY,
    ]);
    expect(asked()).toBe(2);
  });

  test('is fetched once for concurrent callers', async () => {
    const key = connect();

    expect(await Promise.all([key.get(), key.get(), key.refetch(), key.get()])).toEqual([KEY, KEY, KEY, KEY]);
    expect(asked()).toBe(1);
  });

  test('survives one failure of Secrets Manager', async () => {
    secretsManager.fail(1);

    expect(await connect().get()).toBe(KEY);
    expect(asked()).toBe(2);
  });
});

describe('There is no key', () => {
  test.each([
    ['empty', ''],
    ['blank', ' \n'],
    ['one character too short', KEY.slice(0, -1)],
    ['JSON with a short apiKey', '{"apiKey":"pgk_canary"}'],
    ['of two words', 'pgk_live_1 canary1'],
    ['of two lines', 'pgk_live_12345678\r\nX-Canary: canary'],
    ['not ASCII', 'pgk_live_canäry_canary'],
    ['JSON without apiKey', '{"key":"pgk_live_canary1"}'],
    ['JSON with an apiKey that is not text', '{"apiKey":["pgk_live_canary1"]}'],
    ['JSON with an empty apiKey', '{"apiKey":" ","old":"pgk_live_canary1"}'],
    ['JSON cut short', '{"apiKey":"pgk_live_canary1'],
  ])('when the secret is %s', async (_, value) => {
    secretsManager.put(SECRET, value);
    const failure = await failureOf(connect().get());

    expect(failure.dependency).toBe('secret');
    expect(failure.cause).toMatchObject({ message: expect.stringMatching(/must be an API key of at least 16 /) });
  });

  test('when the secret does not exist', async () => {
    const failure = await failureOf(connect(secretsManager.url, 'nothing').get());

    expect(failure.cause).toMatchObject({ message: 'GetSecretValue failed: ResourceNotFoundException' });
  });

  test('while Secrets Manager fails; the next call asks again', async () => {
    const key = connect();
    secretsManager.fail(2);
    const failure = await failureOf(key.get());

    expect(failure.cause).toMatchObject({ message: 'GetSecretValue failed: InternalServiceError' });
    expect(await key.get()).toBe(KEY);
  });

  const startAnswering = async (body: string): Promise<string> => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.1' }).end(body);
    });
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${await listenOnLoopback(server)}`;
  };

  test('when the answer cannot be read; what was in it is not repeated', async () => {
    const failure = await failureOf(connect(await startAnswering('{"SecretString":"canary')).get());

    expect(failure.cause).toMatchObject({ message: expect.stringMatching(/^GetSecretValue failed: \w+$/) });
  });

  test('when the secret is binary', async () => {
    await failureOf(connect(await startAnswering('{"SecretBinary":"Y2FuYXJ5"}')).get());
  });

  test('when the SDK fails with an error without a proper name', async () => {
    const client = createSecretsManagerClient({ region: 'us-east-1', credentials });
    // A middleware fails where the SDK's own parts would.
    client.middlewareStack.add(() => () => Promise.reject(Object.assign(new Error('canary'), { name: 'a canary' })), {
      step: 'initialize',
    });
    const key = createPlangrepKey({ client, secretId: SECRET, clock: { now: () => now }, report });

    expect((await failureOf(key.get())).cause).toMatchObject({ message: 'GetSecretValue failed: unnamed error' });
  });
});
