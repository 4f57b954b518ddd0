import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bus, openLocalBus } from '../../infra/cli/accept/bus.ts';
import { allChecks } from '../../infra/cli/accept/checks/all-checks.ts';
import { createOwnPartners, type OwnPartners } from '../../infra/cli/accept/own-partners.ts';
import { runChecks, type Verdict } from '../../infra/cli/accept/run-checks.ts';
import { openLocalPlace } from '../../infra/cli/places/local-place.ts';
import type { Place } from '../../infra/cli/places/place.ts';
import { givenService } from '../support/given-service.ts';
import { type Mutation, type Passed, type Relayed, startMutatingFront } from '../support/mutating-front.ts';

const credentialsPath = join(mkdtempSync(join(tmpdir(), 'accept-')), 'credentials.json');
const service = givenService({
  authorizerTtlMs: 1_000,
  queueVisibilityMs: 1_000,
  wakeUps: 'delivered',
  credentialsPath,
});

let place: Place;
let partners: OwnPartners;
/** Each of a test's runs has its own, since a job of the sandbox is used up by its first cancel. */
let runs = 0;
beforeAll(() => {
  place = openLocalPlace(credentialsPath);
});
afterAll(() => place.close());

/** Makes one check on a service that does one thing otherwise. */
async function judge(
  id: string,
  mutation: Mutation,
  { limitMs, bus = openLocalBus(credentialsPath) }: { readonly limitMs?: number; readonly bus?: Bus } = {},
): Promise<Verdict> {
  const check = allChecks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`there is no check ${id}`);
  const front = await startMutatingFront(service.run.baseUrl, mutation);
  partners = createOwnPartners(place, Date.now() + 1_000 * ++runs);
  try {
    const around = {
      url: new URL(`${front.url}/`),
      operator: { place, partners, bus },
      signal: new AbortController().signal,
    };
    const watcher = { began: () => undefined, ended: () => undefined };
    const limited = limitMs === undefined ? check : { ...check, limitMs };
    const [verdict] = await runChecks([limited], around, watcher);
    if (verdict === undefined) throw new Error('no verdict');
    return verdict;
  } finally {
    await front.close();
  }
}

const isUnknown = ({ path }: Passed): boolean => /no-such|favicon|^\/(v1)?$|\/a\/b\/c|\/\//.test(path);
const withHeaders = (relayed: Relayed, headers: Relayed['headers']): Relayed => ({
  ...relayed,
  headers: { ...relayed.headers, ...headers },
});
/** Changes answers with this status. */
const on =
  (status: number, change: (relayed: Relayed, request: Passed) => Relayed): Mutation['answer'] =>
  (relayed, request) =>
    relayed.status === status ? change(relayed, request) : relayed;
const without =
  (name: string) =>
  (relayed: Relayed): Relayed =>
    withHeaders(relayed, { [name]: undefined });
const withStatus =
  (status: number) =>
  (relayed: Relayed): Relayed => ({ ...relayed, status });
const withBody =
  (change: (text: string) => string) =>
  (relayed: Relayed): Relayed => ({
    ...relayed,
    body: Buffer.from(change(relayed.body.toString())),
  });
const sending =
  (change: (request: Passed) => Partial<Passed>): Mutation['request'] =>
  (request) => ({
    ...request,
    ...change(request),
  });
const sendingWithout = (name: string): Mutation['request'] =>
  sending(({ headers }) => ({ headers: Object.fromEntries(Object.entries(headers).filter(([one]) => one !== name)) }));
const replaced = (from: string | RegExp, to: string): Mutation['request'] =>
  sending(({ body }) => ({ body: Buffer.from(body.toString().replace(from, to)) }));
const onPath =
  (path: RegExp, change: (relayed: Relayed) => Relayed): Mutation['answer'] =>
  (relayed, request) =>
    path.test(request.path) ? change(relayed) : relayed;
const letIn = (): Mutation['request'] => {
  const [acme] = service.run.partners;
  return sending(({ headers }) => ({ headers: { ...headers, authorization: `Bearer ${acme?.token}` } }));
};

/** What goes wrong, and the check that is meant for it. */
const mutations: readonly (readonly [id: string, what: string, mutation: () => Mutation])[] = [
  [
    'transport.request-ids',
    'one request id for all',
    () => ({ answer: (a) => withHeaders(a, { 'x-amzn-requestid': '1' }) }),
  ],
  [
    'transport.caching',
    'a 401 that may be stored',
    () => ({ answer: on(401, (a) => withHeaders(a, { 'cache-control': 'public' })) }),
  ],
  [
    'transport.long-headers',
    'a 502 for long headers',
    () => ({ answer: (a, { headers }) => ('x-long' in headers ? withStatus(502)(a) : a) }),
  ],
  [
    'routes.unknown',
    '403 for an unknown address',
    () => ({ answer: (a, r) => (isUnknown(r) ? withStatus(403)(a) : a) }),
  ],
  [
    'routes.unknown-with-credential',
    '401 for an unknown address with a credential',
    () => ({ answer: (a, r) => (isUnknown(r) && r.headers.authorization !== undefined ? withStatus(401)(a) : a) }),
  ],
  [
    'routes.unknown-with-signature',
    'the words of API Gateway about a signature',
    () => ({ answer: (a, r) => (isUnknown(r) ? withBody(() => '{"message":"signature"}')(a) : a) }),
  ],
  ['routes.other-method', 'a 405 without Allow', () => ({ answer: on(405, without('allow')) })],
  [
    'routes.other-method',
    '403 with a credential',
    () => ({ answer: on(405, (a, r) => (r.headers.authorization === undefined ? a : withStatus(403)(a))) }),
  ],
  [
    'routes.head-and-options',
    'a CORS answer',
    () => ({ answer: on(405, (a) => withHeaders(a, { 'access-control-allow-origin': '*' })) }),
  ],
  [
    'routes.trailing-slash',
    '404 for a trailing slash',
    () => ({ request: sending(({ path }) => ({ path: path.replace(/\/$/, '/x/y') })) }),
  ],
  ['routes.method-override', 'an override that leads in', () => ({ answer: withStatus(200) })],
  [
    'pages.description',
    'no 304',
    () => ({ request: sending(({ headers }) => ({ headers: { ...headers, 'if-none-match': '' } })) }),
  ],
  [
    'pages.description',
    'an operation that is missing',
    () => ({ answer: withBody((text) => text.replace('"put":', '"x-put":')) }),
  ],
  ['pages.reference', 'a page without a policy', () => ({ answer: without('content-security-policy') })],
  ['pages.reference', 'a script that is missing', () => ({ answer: onPath(/explorer/, withStatus(404)) })],
  ['pages.problems', 'a type that leads nowhere', () => ({ answer: onPath(/problems\/forbidden/, withStatus(404)) })],
  [
    'pages.compression',
    'no compression',
    () => ({ request: sending(({ headers }) => ({ headers: { ...headers, 'accept-encoding': 'identity' } })) }),
  ],
  ['credentials.none', 'no challenge', () => ({ answer: on(401, without('www-authenticate')) })],
  [
    'credentials.malformed',
    'an API key that opens',
    () => ({ answer: (a, { headers }) => ('x-api-key' in headers ? withStatus(404)(a) : a) }),
  ],
  ['credentials.made-up', '403 for a made-up credential', () => ({ answer: on(401, withStatus(403)) })],
  ['credentials.wrong', 'any secret will do', () => ({ request: letIn() })],
  ['credentials.expired', 'an expired credential is let in', () => ({ request: letIn() })],
  ['credentials.scope', 'no scopes', () => ({ request: letIn() })],
  ['credentials.plan', 'no plan is needed', () => ({ request: letIn() })],
  ['bodies.size', '400 for a large body', () => ({ answer: on(413, withStatus(400)) })],
  [
    'bodies.size',
    'a limit one byte lower',
    () => ({ answer: (a, { body }) => (body.length === 8192 ? withStatus(413)(a) : a) }),
  ],
  [
    'bodies.type',
    'any type is read',
    () => ({ request: sending(({ headers }) => ({ headers: { ...headers, 'content-type': 'application/json' } })) }),
  ],
  [
    'bodies.not-utf8',
    'text is repaired',
    () => ({ request: sending(({ body }) => ({ body: Buffer.from(body.toString('latin1')) })) }),
  ],
  ['bodies.unicode', 'a character is lost', () => ({ request: replaced('😀', '?') })],
  ['bodies.unknown-field', 'unknown fields are dropped', () => ({ request: replaced(/,"partnerId":"acme"/, '') })],
  [
    'bodies.compressed',
    'any coding is taken',
    () => ({
      request: sending(({ headers }) =>
        headers['content-encoding'] === 'br' ? { headers: { ...headers, 'content-encoding': 'identity' } } : {},
      ),
    }),
  ],
  ['cancels.at-once', 'no Location', () => ({ answer: without('location') })],
  [
    'cancels.at-once',
    'another request in the timeline',
    () => ({ answer: withBody((text) => text.replaceAll(/"requestId":"[^"]*"/g, '"requestId":"x"')) }),
  ],
  ['cancels.too-late', '200 for a job that has ended', () => ({ answer: on(409, withStatus(200)) })],
  [
    'cancels.unknown',
    'a registration that says why',
    () => ({
      answer: (a, { method }) =>
        method === 'PUT' ? withBody((text) => text.replace('No job', 'Plangrep has no job'))(a) : a,
    }),
  ],
  [
    'cancels.ambiguous',
    'a candidate that is missing',
    () => ({
      answer: on(
        409,
        withBody((text) => text.replace(/\{"jobId":[^}]*\},/, '')),
      ),
    }),
  ],
  ['cancels.idempotency-key', 'the key is ignored', () => ({ request: sendingWithout('idempotency-key') })],
  [
    'cancels.once',
    'two attempts',
    () => ({ answer: withBody((text) => text.replace('"attempts":1', '"attempts":2')) }),
  ],
  [
    'cancels.of-another-partner',
    '403 tells that there is one',
    () => ({ answer: on(404, (a, { method }) => (method === 'GET' ? withStatus(403)(a) : a)) }),
  ],
  ['limits.plan', 'no Retry-After', () => ({ answer: on(429, without('retry-after')) })],
  ['limits.plan', 'no limit', () => ({ request: letIn() })],
];

describe('A service that does one thing otherwise', () => {
  test.each(mutations)('is found by %s: %s', async (id, _what, mutation) => {
    const { result, faults = [] } = await judge(id, mutation());

    expect(result).toBe('failed');
    // Seen, and not merely in the way of the check.
    expect(faults.map(({ expected }) => expected)).not.toContain('a result');
  });

  test('is found by what waits for the end of a cancellation', { timeout: 60_000 }, async () => {
    const hour = 3_600_000;
    const earlier = (text: string): string =>
      text.replace(
        /"nextLookAt":"([^"]+)"/,
        (_, at: string) => `"nextLookAt":"${new Date(Date.parse(at) - hour).toISOString()}"`,
      );
    const noPreference = sendingWithout('prefer');
    const verdicts = await Promise.all([
      judge('wake-ups.retry', { answer: on(202, withBody(earlier)) }),
      judge('wake-ups.prefer-wait', { request: noPreference }),
      judge('wake-ups.lost-answer', { answer: on(202, without('retry-after')) }),
      judge('wake-ups.late-answer', { answer: withBody((text) => text.replace('"cancelled"', '"too_late"')) }),
      judge('wake-ups.completes-first', { answer: on(409, withStatus(200)) }),
    ]);

    expect(verdicts.map(({ id, result }) => [id, result])).toEqual(verdicts.map(({ id }) => [id, 'failed']));
  });

  test('is found by credentials.revoked: a revoked key goes on working', async () => {
    const verdict = await judge('credentials.revoked', { answer: on(401, withStatus(404)) }, { limitMs: 4_000 });

    expect(verdict).toMatchObject({ result: 'failed', faults: [{ seen: 'no result', expected: 'one within 4 s' }] });
  });

  const mutatedBus = (change: Partial<Bus>): Bus => ({ ...openLocalBus(credentialsPath), ...change });
  const busThat = (changes: (detail: string) => string): Bus =>
    mutatedBus({ put: (entry) => openLocalBus(credentialsPath).put({ ...entry, Detail: changes(entry.Detail) }) });
  const takesAll = (): Bus => mutatedBus({ put: () => Promise.resolve({ kind: 'taken', eventId: '1' }) });

  test.each<[string, string, () => Bus]>([
    ['events.hostile-detail', 'a character is lost', () => busThat((detail) => detail.replaceAll('ж', '?'))],
    [
      'events.claimed-partner',
      'the partner is dropped',
      () => busThat((detail) => detail.replace(/,"partnerId":"globex"/, '')),
    ],
    ['events.malformed', 'the event is lost', takesAll],
    ['events.forged', 'the bus takes any source', takesAll],
  ])('is found by %s: %s', async (id, _what, bus) => {
    expect(await judge(id, {}, { bus: bus(), limitMs: 6_000 })).toMatchObject({ result: 'failed' });
  });

  test('is found by events.of-another-partner: the event registers the job', async () => {
    const verdict = await judge('events.of-another-partner', { answer: on(404, withStatus(200)) }, { bus: takesAll() });

    expect(verdict).toMatchObject({ result: 'failed', faults: [{ seen: expect.stringContaining('200') }] });
  });

  test('every check has a mutation that it finds, and passes on the service as it is', async () => {
    const found = new Set([...mutations.map(([id]) => id), 'credentials.revoked']);
    const unproved = allChecks.filter(
      ({ id, needs }) => needs !== 'AWS' && !/^(events|wake-ups)\./.test(id) && !found.has(id),
    );
    const passed = await Promise.all([...new Set(mutations.map(([id]) => id))].map((id) => judge(id, {})));

    expect(unproved.map(({ id }) => id)).toEqual(['transport.tls', 'transport.plain-http']);
    expect(passed.filter(({ result }) => result !== 'ok')).toEqual([]);
  });
});
