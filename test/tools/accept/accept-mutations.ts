import type { Bus } from '../../../infra/cli/accept/bus.ts';
import type { Mutation, Passed, Relayed } from './mutating-front.ts';

/** What a mutation can use of the service that it changes. */
export interface Given {
  /** Lets everything in. */
  readonly token: string;
  readonly bus: Bus;
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
const letIn = ({ token }: Given): Mutation['request'] =>
  sending(({ headers }) => ({ headers: { ...headers, authorization: `Bearer ${token}` } }));

/** What goes wrong, and the check that is meant for it. */
export const mutations: readonly (readonly [id: string, what: string, mutation: (given: Given) => Mutation])[] = [
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
  ['pages.reference', 'a script that is missing', () => ({ answer: onPath(/try-operation/, withStatus(404)) })],
  ['pages.front', 'a style that is missing', () => ({ answer: onPath(/design/, withStatus(404)) })],
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
  ['credentials.wrong', 'any secret will do', (given) => ({ request: letIn(given) })],
  ['credentials.expired', 'an expired credential is let in', (given) => ({ request: letIn(given) })],
  ['credentials.scope', 'no scopes', (given) => ({ request: letIn(given) })],
  ['credentials.plan', 'no plan is needed', (given) => ({ request: letIn(given) })],
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
  [
    'cancels.preview',
    'another state',
    () => ({ answer: withBody((text) => text.replace('"will_cancel"', '"under_way"')) }),
  ],
  ['callbacks.test', 'an endpoint that is there', () => ({ answer: on(404, withStatus(204)) })],
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
  ['limits.plan', 'no limit', (given) => ({ request: letIn(given) })],
];

const earlier = (text: string): string =>
  text.replace(
    /"nextLookAt":"([^"]+)"/,
    (_, at: string) => `"nextLookAt":"${new Date(Date.parse(at) - 3_600_000).toISOString()}"`,
  );
const busThat = ({ bus }: Given, changes: (detail: string) => string): Bus => ({
  ...bus,
  put: (entry) => bus.put({ ...entry, Detail: changes(entry.Detail) }),
});
const takesAll = ({ bus }: Given): Bus => ({ ...bus, put: () => Promise.resolve({ kind: 'taken', eventId: '1' }) });

interface Slow extends Mutation {
  readonly limitMs?: number;
  readonly bus?: Bus;
}

/** The same, of checks that wait: what they see, too. */
export const slowMutations: readonly (readonly [
  id: string,
  what: string,
  seen: RegExp,
  mutation: (given: Given) => Slow,
])[] = [
  [
    'wake-ups.retry',
    'a retry an hour late',
    /second attempt 3\d{6} ms after/,
    () => ({ answer: on(202, withBody(earlier)) }),
  ],
  ['wake-ups.prefer-wait', 'the preference is ignored', /^status 202/, () => ({ request: sendingWithout('prefer') })],
  ['wake-ups.lost-answer', 'no Retry-After', /^no Retry-After/, () => ({ answer: on(202, without('retry-after')) })],
  [
    'wake-ups.late-answer',
    'another outcome',
    /"outcome":"too_late"/,
    () => ({ answer: withBody((text) => text.replace('"cancelled"', '"too_late"')) }),
  ],
  [
    'wake-ups.completes-first',
    '200 for a job that has ended',
    /^status 200/,
    () => ({ answer: on(409, withStatus(200)) }),
  ],
  [
    'credentials.revoked',
    'a revoked key goes on working',
    /^no result$/,
    () => ({ answer: on(401, withStatus(404)), limitMs: 4_000 }),
  ],
  [
    'events.hostile-detail',
    'a character is lost',
    /^externalId on record .* \? /,
    (given) => ({ bus: busThat(given, (detail) => detail.replaceAll('ж', '?')) }),
  ],
  [
    'events.claimed-partner',
    'the partner is dropped',
    /^no result$/,
    (given) => ({ bus: busThat(given, (detail) => detail.replace(/,"partnerId":"globex"/, '')), limitMs: 4_000 }),
  ],
  ['events.malformed', 'the event is lost', /^no result$/, (given) => ({ bus: takesAll(given), limitMs: 4_000 })],
  ['events.forged', 'the bus takes any source', /^the event was taken$/, (given) => ({ bus: takesAll(given) })],
  [
    'events.of-another-partner',
    'the event registers the job',
    /^status of a cancel for its job 200$/,
    (given) => ({ answer: on(404, withStatus(200)), bus: takesAll(given) }),
  ],
];
