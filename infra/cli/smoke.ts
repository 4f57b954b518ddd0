import { randomUUID } from 'node:crypto';
import { problemContentType } from '../../functions/contract/problems.ts';
import { type ExitCode, readApiUrl, runScript } from './command.ts';
import { paint } from './terminal.ts';

/**
 * `npm run smoke`: looks at a deployment from outside. No check reaches a job, on any deployment. In the pipeline it holds a
 * partner's credential, so it and its imports use no package: test/infra holds that.
 */
const command = {
  name: 'smoke',
  call: 'npm run smoke --',
  summary: `Checks a deployment from outside, without touching any job: the gateway's own answers, and with a credential the way
through authorizer, functions and tables.`,
  options: {
    url: {
      hint: 'URL',
      what: `the API: the service stack's output ApiUrl (https, or http on this machine). Without it CANCELLATION_URL counts`,
    },
    credential: {
      hint: 'CREDENTIAL',
      what: `one with the scope cancellations:read, and better no other; better in CANCELLATION_CREDENTIAL, which no shell history
keeps. Without one, the checks that need it are skipped`,
    },
    json: { what: 'one line of JSON for each check, then one with the summary' },
  },
  exitCodes: { 0: 'every check that was made passed', 1: 'one failed', 2: 'wrong usage' },
  wrongUsage: 2,
} as const;

/** Longer than a cold start of the authorizer and of a function behind it. */
const TIME_LIMIT_MS = 10_000;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Empty when the body is not a JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

interface Check {
  readonly name: string;
  readonly needsCredential: boolean;
  readonly request: (credential: string) => { readonly path: string; readonly init: RequestInit };
  /** @returns what is wrong: empty when the check passed */
  readonly judge: (answer: Answer) => readonly string[];
}

type Verdict =
  | { readonly kind: 'passed'; readonly ms: number }
  | { readonly kind: 'failed'; readonly ms: number; readonly why: readonly string[] }
  | { readonly kind: 'skipped' };

/** No partner has a job of this name. */
const unknownId = `smoke-${randomUUID()}`;
const listPath = `v1/cancellations?externalId=${unknownId}`;
/** In the right form, but never issued. */
const madeUp = bearer(`pcg_smoke_${'0'.repeat(12)}_${'0'.repeat(43)}`);

const checks: readonly Check[] = [
  {
    name: 'without a credential: 401',
    needsCredential: false,
    request: () => ({ path: listPath, init: {} }),
    judge: (answer) => [
      ...expectProblem(answer, 401, 'unauthorized'),
      ...expectHeader(answer.headers, 'www-authenticate', 'Bearer'),
    ],
  },
  {
    name: 'with a made-up credential: 401',
    needsCredential: false,
    request: () => ({ path: listPath, init: { headers: madeUp } }),
    judge: (answer) => expectProblem(answer, 401, 'unauthorized'),
  },
  {
    name: 'an unknown address: 404',
    needsCredential: false,
    request: () => ({ path: 'v1/no-such-address', init: {} }),
    judge: (answer) => expectProblem(answer, 404, 'route_not_found'),
  },
  {
    // Without a route for it, API Gateway would take the credential for an AWS signature.
    name: 'an unknown address with a made-up credential: 404',
    needsCredential: false,
    request: () => ({ path: 'v1/no-such-address/at/all', init: { headers: madeUp } }),
    judge: (answer) => expectProblem(answer, 404, 'route_not_found'),
  },
  {
    name: 'an unknown method with a made-up credential: 405 with Allow',
    needsCredential: false,
    request: () => ({ path: 'v1/cancellations', init: { method: 'DELETE', headers: madeUp } }),
    judge: (answer) => [
      ...expectProblem(answer, 405, 'method_not_allowed'),
      ...expectHeader(answer.headers, 'allow', 'POST, GET'),
    ],
  },
  {
    name: 'a slash at the end of an address makes no difference',
    needsCredential: true,
    request: (credential) => ({ path: listPath.replace('?', '/?'), init: { headers: bearer(credential) } }),
    judge: (answer) => expectProblem(answer, 404, 'job_not_found'),
  },
  {
    name: 'an unknown externalId: 404 from the directory',
    needsCredential: true,
    request: (credential) => ({ path: listPath, init: { headers: bearer(credential) } }),
    judge: (answer) => [...expectProblem(answer, 404, 'job_not_found'), ...expectFunctionHeaders(answer)],
  },
  {
    name: 'a question without an externalId: 400 with errors',
    needsCredential: true,
    request: (credential) => ({ path: 'v1/cancellations', init: { headers: bearer(credential) } }),
    judge: expectErrors,
  },
  {
    // A credential in a pipeline should not be able to cancel: the function that could says so.
    name: 'a cancel that names nothing: 403 for a credential that only reads, else 400',
    needsCredential: true,
    request: (credential) => {
      const headers = { ...bearer(credential), 'Content-Type': 'application/json' };
      return { path: 'v1/cancellations', init: { method: 'POST', headers, body: '{"externalId":false}' } };
    },
    judge: (answer) =>
      answer.status === 403
        ? [...expectProblem(answer, 403, 'forbidden'), ...expectFunctionHeaders(answer)]
        : expectErrors(answer),
  },
];

await runScript(command, ({ url, credential = process.env['CANCELLATION_CREDENTIAL'], json }) => {
  return smoke(readApiUrl(url, command), credential?.trim() ?? '', { json });
});

async function smoke(url: URL, credential: string, { json }: { readonly json: boolean }): Promise<ExitCode> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const check of checks) {
    const verdict: Verdict =
      check.needsCredential && credential === '' ? { kind: 'skipped' } : await make(check, url, credential);
    counts[verdict.kind] += 1;
    console.log(json ? JSON.stringify({ check: check.name, ...verdict }) : describe(check.name, verdict));
  }
  const { passed, failed, skipped } = counts;
  const summary = `${passed} passed, ${failed} failed, ${skipped} skipped: ${url.href}`;
  console.log(json ? JSON.stringify({ ok: failed === 0, ...counts, url: url.href }) : summary);
  return failed === 0 ? 0 : 1;
}

async function make({ request, judge }: Check, url: URL, credential: string): Promise<Verdict> {
  const { path, init } = request(credential);
  const from = performance.now();
  const took = (): number => Math.round(performance.now() - from);
  try {
    const signal = AbortSignal.timeout(TIME_LIMIT_MS);
    // A followed redirect would carry the credential to its target.
    const response = await fetch(new URL(path, url), { ...init, signal, redirect: 'manual' });
    const { status, headers } = response;
    const why = judge({ status, headers, body: readBody(await response.text()) });
    return why.length === 0 ? { kind: 'passed', ms: took() } : { kind: 'failed', ms: took(), why };
  } catch (error) {
    return { kind: 'failed', ms: took(), why: [codeOf(error)] };
  }
}

function readBody(text: string): Answer['body'] {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOfErrors(value: unknown): boolean {
  const isError = (one: unknown) =>
    isObject(one) && typeof one['path'] === 'string' && typeof one['message'] === 'string';
  return Array.isArray(value) && value.length > 0 && value.every(isError);
}

function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${TIME_LIMIT_MS / 1000} s`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no HTTP answer';
}

function describe(name: string, verdict: Verdict): string {
  switch (verdict.kind) {
    case 'passed':
      return `${paint('green', 'passed ')}  ${name}  ${paint('dim', `${verdict.ms} ms`)}`;
    case 'failed':
      return `${paint(['bold', 'red'], 'failed ')}  ${name}  ${paint('dim', `${verdict.ms} ms`)}\n         ${verdict.why.join('; ')}`;
    case 'skipped':
      return `${paint('yellow', 'skipped')}  ${name}  (needs a credential: set CANCELLATION_CREDENTIAL)`;
  }
}

function expectProblem({ status, headers, body }: Answer, wanted: number, code: string): string[] {
  const contentType = headers.get('content-type')?.split(';', 1)[0];
  return [
    ...expect(status === wanted, `status ${status}, not ${wanted}`),
    ...expect(contentType === problemContentType, `not ${problemContentType}`),
    ...expect(body['code'] === code, `the problem's code is not ${code}`),
    ...expect(body['status'] === wanted, `the problem's status is not ${wanted}`),
    ...expect(typeof body['requestId'] === 'string' && body['requestId'] !== '', 'no requestId'),
    ...expectHeader(headers, 'cache-control', 'no-store'),
  ];
}

function expect(isAsWanted: boolean, otherwise: string): string[] {
  return isAsWanted ? [] : [otherwise];
}

function expectHeader(headers: Headers, name: string, wanted: string): string[] {
  return expect(headers.get(name) === wanted, `${name} is not ${wanted}`);
}

function expectErrors(answer: Answer): string[] {
  return [
    ...expectProblem(answer, 400, 'invalid_request'),
    ...expect(isListOfErrors(answer.body['errors']), 'no list of errors'),
    ...expectFunctionHeaders(answer),
  ];
}

/** The functions' own answers carry more headers than API Gateway's. */
function expectFunctionHeaders({ headers, body }: Answer): string[] {
  return [
    ...expectHeader(headers, 'x-content-type-options', 'nosniff'),
    ...expect(headers.get('x-request-id') === body['requestId'], "x-request-id is not the problem's requestId"),
  ];
}

function bearer(credential: string) {
  return { Authorization: `Bearer ${credential}` };
}
