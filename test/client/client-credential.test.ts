import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CancellationClient, type ClientOptions } from '../../client/src/index.ts';
import { scrub } from '../../client/src/scrub-credential.ts';
import { answer, problem } from '../support/front-server.ts';
import { givenClients } from '../support/given-clients.ts';
import { givenService } from '../support/given-service.ts';

const service = givenService();
const clients = givenClients(service);

/** As JavaScript may give it, whatever the types say. */
const given = (options: Readonly<Record<string, unknown>>): Partial<ClientOptions> => options;

describe('the client', () => {
  test.each<[string, Partial<ClientOptions>, string]>([
    ['an unsafe address', { baseUrl: 'http://cancellations.example' }, 'baseUrl: https'],
    ['an address that only looks like loopback', { baseUrl: 'http://127.0.0.1.example' }, 'baseUrl: https'],
    ['an address with a secret', { baseUrl: 'https://user:hunter2@cancellations.example' }, 'baseUrl: https'],
    ['an address with a query', { baseUrl: 'https://cancellations.example/?key=hunter2' }, 'baseUrl: https'],
    ['what is not an address', { baseUrl: 'hunter2' }, 'baseUrl: https'],
    ['an address of another type', given({ baseUrl: new URL('https://hunter2.example') }), 'baseUrl: https'],
    ['no address', given({ baseUrl: undefined }), 'baseUrl is not set'],
    ['an empty address', { baseUrl: '' }, 'baseUrl is not set'],
    ['no credential', given({ credential: undefined }), 'credential is not set'],
    ['null in place of a credential', given({ credential: null }), 'credential is not set'],
    ['an empty credential', { credential: '' }, 'credential is not set'],
    ['a number in place of a credential', given({ credential: 1e16 }), 'credential: pcg_'],
    ['a list in place of a credential', given({ credential: ['pcg_local_hunter2_and_more'] }), 'credential: pcg_'],
    ['a credential with a line break', { credential: 'pcg_local_hunter2_and_more\n' }, 'credential: pcg_'],
    ['a credential with its scheme', { credential: 'Bearer pcg_local_hunter2_and_more' }, 'credential: pcg_'],
    ['a credential that is cut off', { credential: 'pcg_hunter2' }, 'credential: pcg_'],
    ['no time', { timeoutMs: 0 }, 'timeoutMs'],
    ['a time that is a text', given({ timeoutMs: '5000' }), 'timeoutMs'],
    ['no tries', { maxTries: Number.NaN }, 'maxTries'],
  ])('rejects %s, without repeating it in the error', (_what, options, named) => {
    const create = () => clients.create(options);

    expect(create).toThrow(TypeError);
    expect(create).toThrow(named);
    expect(create).not.toThrow('hunter2');
  });

  test.each([
    'https://api.example/prod',
    'https://api.example',
    'http://localhost:1',
    'http://[::1]:1',
    'http://127.9.9.9',
  ])('accepts %s', (baseUrl) => {
    expect(clients.create({ baseUrl })).toBeInstanceOf(CancellationClient);
  });

  test('says what it is when it is printed, and where it sends requests', () => {
    const client = clients.create({ baseUrl: 'https://api.example/prod' });

    expect(inspect(client)).toBe("CancellationClient { baseUrl: 'https://api.example/prod' }");
    expect(JSON.stringify(client)).toBe('{"baseUrl":"https://api.example/prod"}');
  });

  test('never shows its credential in what is printed, thrown or resolved', async () => {
    const fetch = (_url: string, init: RequestInit) =>
      Promise.reject(new TypeError(`failed with ${JSON.stringify(init)}`, { cause: { code: clients.credential } }));
    const client = clients.create({ fetch, maxTries: 1 });

    const result = await client.cancel({ externalId: 'order-7890' });
    const shown = [client, result].map((value) => [
      inspect(value, { depth: 9, showHidden: true }),
      JSON.stringify(value),
      String(value as unknown),
      JSON.stringify(Object.getOwnPropertyDescriptors(value)),
    ]);

    expect(result).toMatchObject({ kind: 'unavailable', status: 0, detail: 'No answer: connection failed.' });
    expect(shown.join()).not.toContain(clients.credential.slice(-20));
  });

  test('leaves no listener on a signal after the call', async () => {
    const { signal } = new AbortController();
    const { externalId } = await service.newJob();
    await clients.create().cancel({ externalId }, { signal });

    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('an answer that repeats the credential', () => {
  const secret = () => clients.credential.slice(-43);
  const json = { 'Content-Type': 'application/json' };
  const spell = {
    'as it is': (text: string) => text,
    'with a character escaped': (text: string) =>
      text.replace(/^./, (first) => `\\u00${first.charCodeAt(0).toString(16)}`),
    'with all of them escaped, in capitals': (text: string) =>
      text.replaceAll(/./g, (each) => `\\u00${each.charCodeAt(0).toString(16).toUpperCase()}`),
  };

  test.each(Object.entries(spell))('%s, is resolved to without it', async (_how, spelled) => {
    const { externalId } = await service.newJob();
    const client = clients.create();
    clients.front.misbehave(async (response, pass) => {
      const cancellation = await (await pass()).text();
      const echo = JSON.stringify(`Bearer ${clients.credential}`).replace(secret(), () => spelled(secret()));
      const body = cancellation.replace('{', `{"echo":${echo},"${spelled(secret())}":1,`);
      response.writeHead(200, { ...json, 'X-Request-Id': `for-${clients.credential}` }).end(body);
    });

    const result = await client.cancel({ externalId });

    const shown = inspect(result, { depth: 9 }) + JSON.stringify(result);
    expect(result).toMatchObject({ kind: 'cancelled', cancellation: { externalId } });
    expect(shown).toContain('[credential]');
    expect(shown).not.toContain(secret());
  });

  test('in a problem, in a page or in a field’s error, neither', async () => {
    const echo = { detail: `no: ${clients.credential}`, requestId: clients.credential, code: 'not_on_sundays' };
    const errors = [{ path: secret(), message: clients.credential }];
    for (const misbehaviour of [
      problem(clients.credential, false, 400),
      answer(418, json, JSON.stringify({ ...echo, retryable: false })),
      answer(400, json, JSON.stringify({ ...echo, code: 'invalid_request', retryable: false, errors })),
      answer(404, { 'Content-Type': 'text/html' }, `<pre>Authorization: Bearer ${clients.credential}</pre>`),
    ]) {
      clients.front.misbehave(misbehaviour);
      const result = await clients.create().cancel({ externalId: 'order-7890' });
      expect(['unexpected', 'invalid']).toContain(result.kind);
      expect(JSON.stringify(result)).not.toContain(secret());
    }
  });

  test('keeps its meaning otherwise', () => {
    const value = { 'a\\u0061"\n\t\\\\': ['é\u2028🙂', 'https://x/y', '\u0000', '\\/', '"'] };
    const text = JSON.stringify(value);
    const escaped = text.replaceAll('/', '\\/').replaceAll('x', '\\u0078');

    expect(JSON.parse(scrub(text, clients.credential))).toEqual(value);
    expect(JSON.parse(scrub(escaped, clients.credential))).toEqual(value);
  });
});
