import { inspect } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test, vi } from 'vitest';
import { type Callback, InvalidCallbackError, verifyCallback } from '../../client/src/index.ts';
import { callbackBodySchema } from '../../functions/contract/callbacks.ts';
import { signCallback } from '../../functions/core/callbacks/sign-callback.ts';
import { callbackExamples } from '../../infra/openapi/example-callbacks.ts';
import {
  callbackOfNow,
  callbackSecrets,
  forgeCallbacks,
  signBySpecification,
} from '../support/callbacks/callback-mutations.ts';

const { valid: secret, previous: other } = callbackSecrets;
const nowMs = Date.parse('2026-11-26T12:00:00.400Z');
const options = { clock: { now: () => nowMs } };
const bodies = Object.values(callbackExamples).flatMap((examples) =>
  Object.values(examples).map(({ value }) => callbackBodySchema.parse(value)),
);
const [closed = {}] = bodies;
const id = 'cb_order-7890_2';

/** What the published library makes of a body: text and headers. */
function signed(body: object | string, { by = secret, atMs = nowMs } = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const at = new Date(atMs);
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(atMs / 1000)),
    'webhook-signature': new Webhook(by).sign(id, at, text),
  };
  return { text, headers };
}

async function refusalOf(...[headers, body, secrets, more = options]: Parameters<typeof verifyCallback>) {
  return verifyCallback(headers, body, secrets, more).then(
    (callback) => callback,
    (error: unknown) => (error instanceof InvalidCallbackError ? error.code : String(error)),
  );
}

describe('verifyCallback resolves to what the service says', () => {
  test.each(bodies)('in the example %#', async (body) => {
    const { headers, text } = signed(body);

    expect(await verifyCallback(headers, text, secret, options)).toEqual({ ...body, id });
  });

  test('as text or as bytes', async () => {
    const body = { ...closed, note: 'Zoë ☃ 🙂' };
    const { headers, text } = signed(body);
    const bytes = new TextEncoder().encode(text);

    expect(await verifyCallback(headers, text, secret, options)).toMatchObject(body);
    expect(await verifyCallback(headers, bytes, [secret], options)).toMatchObject(body);
    expect(await verifyCallback(headers, Buffer.from(bytes), [secret], options)).toMatchObject(body);
  });

  test('with headers of fetch, of Node, or in any case', async () => {
    const { headers, text } = signed(closed);
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
    const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
    for (const given of [headers, new Headers(headers), new Headers(upper), upper, lists]) {
      expect(await verifyCallback(given, text, secret, options)).toMatchObject({ id });
    }
  });

  test('with any of several secrets and signatures, also of a scheme that it does not know', async () => {
    const [first, second] = [signed(closed), signed(closed, { by: other })];
    const both = [second, first].map(({ headers }) => headers['webhook-signature']);
    const { text } = first;
    for (const signatures of [both.join(' '), ['v1a,AAAA', ...both].join(' '), both.join(', '), both]) {
      const headers = { ...first.headers, 'webhook-signature': signatures };
      expect(await verifyCallback(headers, text, secret, options)).toMatchObject({ id });
    }
    expect(await verifyCallback(second.headers, text, [secret, other], options)).toMatchObject({ id });
  });

  test('up to five minutes from the clock here, on both sides', async () => {
    for (const [offMs, accepted] of [
      [-299_000, true],
      [-301_000, false],
      [299_000, true],
      [301_000, false],
    ] as const) {
      const { headers, text } = signed(closed, { atMs: nowMs + offMs });
      const end = await refusalOf(headers, text, secret);
      expect(typeof end === 'string' ? end : 'accepted').toBe(accepted ? 'accepted' : 'timestamp_out_of_range');
    }
  });

  test('by the system’s clock', async () => {
    const { headers, text } = signed(closed, { atMs: Date.now() });

    expect(await verifyCallback(headers, text, secret)).toMatchObject({ id });
  });

  test('and passes on a type that a newer service may have', async () => {
    for (const type of ['cancellation.reopened', 'toString', '__proto__']) {
      const { headers, text } = signed({ type, timestamp: '2026-11-26T12:00:00.000Z', data: { any: 1 } });
      expect(await verifyCallback(headers, text, secret, options)).toMatchObject({ type, data: { any: 1 } });
    }
  });

  test('whose type tells the compiler what its data is', () => {
    const describeCallback = (callback: Callback): string => {
      switch (callback.type) {
        case 'cancellation.closed':
        case 'cancellation.escalated':
          return callback.data.jobId;
        case 'cancellation.refused':
          return callback.data.why + callback.data.externalId;
        case 'callback.test':
          return callback.data.testId;
      }
    };
    expect(describeCallback({ type: 'callback.test', id, timestamp: '', data: { testId: 't' } })).toBe('t');
  });
});

describe('verifyCallback, like the published library, rejects', () => {
  const toSign = callbackOfNow();
  const { valid } = callbackSecrets;
  const published = (headers: Readonly<Record<string, string>>, body: string) => () =>
    new Webhook(valid).verify(body, { ...headers });

  test('nothing that the service signs', async () => {
    const [body, previous] = [toSign.body, callbackSecrets.previous];
    const stamp = { id: toSign.id, atSeconds: toSign.timestamp, secrets: [valid, previous] };
    const headers = signCallback(body, stamp);

    expect(await verifyCallback(headers, body, valid)).toEqual({ ...JSON.parse(body), id: toSign.id });
    expect(await verifyCallback(headers, body, previous)).toMatchObject({ id: toSign.id });
    expect(published(headers, body)).not.toThrow();
  });

  test.each(forgeCallbacks(toSign))('$mutation', async ({ headers, body }) => {
    expect(await refusalOf(headers, body, valid, {})).toMatch(
      /^(header_missing|timestamp_out_of_range|signature_mismatch)$/,
    );
    expect(published(headers, body)).toThrow();
  });

  test('a signature whose last digit is spelled in another way, for the same bytes', async () => {
    const { headers, body } = signBySpecification(toSign);
    const signature = headers['webhook-signature'];
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const respelled = `${signature.slice(0, -2)}${digits[digits.indexOf(signature.at(-2) ?? '') + 1]}=`;
    const forged = { ...headers, 'webhook-signature': respelled };

    expect(Buffer.from(respelled.slice(3), 'base64')).toEqual(Buffer.from(signature.slice(3), 'base64'));
    expect(await refusalOf(forged, body, valid, {})).toBe('signature_mismatch');
    expect(published(forged, body)).toThrow();
  });
});

describe('verifyCallback throws', () => {
  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('header_missing without %s', async (name) => {
    const { headers, text } = signed(closed);
    for (const given of [{ ...headers, [name]: undefined }, new Headers({ ...headers, [name]: '' })]) {
      expect(await refusalOf(given, text, secret)).toBe('header_missing');
    }
  });

  test.each(['', '1e9', '0x1', ' ', '-1', 'NaN', '9'.repeat(400)])('for the timestamp %j', async (timestamp) => {
    const { headers, text } = signed(closed);

    expect(await refusalOf({ ...headers, 'webhook-timestamp': timestamp }, text, secret)).toMatch(/timestamp|missing/);
  });

  test('signature_mismatch if a header came twice, in two spellings', async () => {
    const { headers, text } = signed(closed);

    expect(await refusalOf({ ...headers, 'Webhook-Id': id }, text, secret)).toBe('signature_mismatch');
  });

  test.each([
    ['is not JSON', 'nothing'],
    ['is empty', ''],
    ['is a list', '[]'],
    ['lacks its data', { type: 'callback.test', timestamp: '' }],
    ['has text for data', { ...closed, data: 'closed' }],
    ['has no type', { ...closed, type: undefined }],
  ])('body_unreadable if the signed body %s', async (_what, body) => {
    const { headers, text } = signed(body);

    expect(await refusalOf(headers, text, secret)).toBe('body_unreadable');
  });

  test('body_unreadable if the bytes are not UTF-8', async () => {
    expect(await refusalOf(signed(closed).headers, Buffer.from([0x7b, 0xff]), secret)).toBe('body_unreadable');
  });

  test('an error that names itself and repeats nothing', async () => {
    const { headers, text } = signed(closed);
    const error: unknown = await verifyCallback(headers, `${text}!`, secret, options).catch(
      (thrown: unknown) => thrown,
    );

    expect(inspect(error)).toContain('InvalidCallbackError: webhook-signature');
    expect(inspect(error)).not.toContain(secret.slice(6, 20));
    expect(inspect(error)).not.toContain('order-7890');
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['an empty text', ''],
    ['an empty list', []],
    ['a list with a variable that is not set', [secret, undefined]],
    ['a secret without its prefix', secret.slice(6)],
    ['the prefix alone', 'whsec_'],
    ['half a secret', secret.slice(0, 30)],
    ['a secret with a line break', `${secret}\n`],
    ['a secret with a character that base64 does not have', secret.replace(/.{4}$/, '--A=')],
  ])('TypeError if the secret is %s', async (_what, secrets) => {
    const { headers, text } = signed(closed);
    // As JavaScript may give it, whatever the types say.
    const end = await refusalOf(headers, text, secrets as string);

    expect(end).toBe('TypeError: secrets: one or more, each whsec_… and complete');
  });

  test('TypeError if the body was parsed already', async () => {
    const { headers } = signed(closed);

    expect(await refusalOf(headers, closed as unknown as string, secret)).toContain('TypeError: rawBody');
  });
});

test('verifyCallback finds Web Crypto where it is not a global, as in Node 18', async () => {
  vi.stubGlobal('crypto', undefined);
  try {
    const { headers, text } = signed(closed);
    expect(await verifyCallback(headers, text, secret, options)).toMatchObject({ id });
  } finally {
    vi.unstubAllGlobals();
  }
});
