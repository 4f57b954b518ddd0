import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { deriveSecret, validVersions } from '../../../functions/core/callbacks/callback-secret.ts';
import { signCallback } from '../../../functions/core/callbacks/sign-callback.ts';
import { acme, globex } from '../../support/names.ts';

describe('The headers of a callback', () => {
  test('are those of the example in the specification’s libraries', () => {
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/javascript/src/webhook.test.ts
    const headers = signCallback('{"test": 2432232314}', {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      atSeconds: 1_614_265_330,
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    });

    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('carry one signature for each secret, over the bytes of the body in UTF-8', () => {
    const secrets = [deriveSecret('master', acme, 2), deriveSecret('master', acme, 1)];
    const { 'webhook-signature': signatures } = signCallback('{"a":"é😀"}', { id: 'evt_1', atSeconds: 1, secrets });

    const expected = secrets.map((secret) => {
      const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
      return `v1,${createHmac('sha256', key).update(Buffer.from('evt_1.1.{"a":"é😀"}', 'utf8')).digest('base64')}`;
    });
    expect(signatures).toBe(expected.join(' '));
  });
});

describe('A signing secret', () => {
  test('is derived from the master, the partner and the version, and stays the same', () => {
    // printf 'acme#1' | openssl dgst -sha256 -hmac master -binary | base64
    expect(deriveSecret('master', acme, 1)).toBe('whsec_cki8endYsqslq2+y3vjLars2+/iTsd0sHcVXljvb2qg=');
  });

  test('is another for another partner, version or master', () => {
    const master = randomBytes(32).toString('base64');
    const secrets = [
      deriveSecret(master, acme, 1),
      deriveSecret(master, acme, 2),
      deriveSecret(master, globex, 1),
      deriveSecret('master', acme, 1),
    ];

    expect(new Set(secrets).size).toBe(4);
  });
});

describe('The versions that sign', () => {
  const until = '2026-11-02T09:00:00.000Z';
  const untilMs = Date.parse(until);

  test.each([
    ['the only one', { version: 1 }, untilMs, [1]],
    ['the newest, without an overlap', { version: 3 }, untilMs, [3]],
    ['the newest and the one before, during the overlap', { version: 3, previousUntil: until }, untilMs - 1, [3, 2]],
    ['the newest alone, when the overlap has ended', { version: 3, previousUntil: until }, untilMs, [3]],
    ['the first, which has none before it', { version: 1, previousUntil: until }, untilMs - 1, [1]],
  ])('are %s', (_which, row, now, versions) => {
    expect(validVersions(row, now)).toEqual(versions);
  });
});
