import { parseArgs, styleText } from 'node:util';
import * as z from 'zod/mini';
import { type Answer, type Check, checks } from './smoke-checks.ts';

const usage = `npm run smoke -- --url URL [options]

Checks a deployment from outside, without touching any job: the gateway's own answers, and with a credential the way
through authorizer, functions and tables.

Options
  --url URL      the API: the service stack's output ApiUrl (https, or http on this machine)
  --token TOKEN  a credential with the scopes cancellations:read and cancellations:write; better in SMOKE_TOKEN, where
                 no history keeps it. Without one the checks that need it are skipped
  --json         one line of JSON for each check, then one with the summary
  --help         this

Exit code
  0  every check that was made passed
  1  one failed
  2  wrong usage
`;

/** Longer than a cold start of the authorizer and a function behind it. */
const TIME_LIMIT_MS = 10_000;

class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

type Verdict =
  | { readonly kind: 'passed'; readonly ms: number }
  | { readonly kind: 'failed'; readonly ms: number; readonly why: readonly string[] }
  | { readonly kind: 'skipped' };

const readBody = (text: string): Answer['body'] => {
  try {
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
};

const codeOf = (error: unknown): string => {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${TIME_LIMIT_MS / 1000} s`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no HTTP answer';
};

const make = async ({ request, judge, needsToken }: Check, url: URL, token: string | undefined): Promise<Verdict> => {
  if (needsToken && token === undefined) return { kind: 'skipped' };
  const { path, init } = request(token ?? '');
  const from = performance.now();
  const took = (): number => Math.round(performance.now() - from);
  try {
    const signal = AbortSignal.timeout(TIME_LIMIT_MS);
    // A followed redirect would carry the credential to wherever it points.
    const { status, headers, ...response } = await ask(new URL(path, url), { ...init, signal, redirect: 'manual' });
    const why = judge({ status, headers, body: readBody(response.text) });
    return why.length === 0 ? { kind: 'passed', ms: took() } : { kind: 'failed', ms: took(), why };
  } catch (error) {
    return { kind: 'failed', ms: took(), why: [codeOf(error)] };
  }
};

const ask = async (url: URL, init: RequestInit) => {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

const readOptions = (args: readonly string[]) => {
  const [text, flag] = [{ type: 'string' } as const, { type: 'boolean', default: false } as const];
  const { values } = (() => {
    try {
      return parseArgs({ args: [...args], options: { url: text, token: text, json: flag, help: flag } });
    } catch (error) {
      const isUnknown = error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION';
      // Not in its own words: they may repeat a credential.
      const why = isUnknown ? 'Unknown option' : 'Wrong arguments';
      throw new WrongUsage(`${why}. See "npm run smoke -- --help".`, { cause: error });
    }
  })();
  const { url, json, help } = values;
  const token = (values.token ?? process.env['SMOKE_TOKEN'])?.trim();
  return { url, json, help, token: token === '' ? undefined : token };
};

const readUrl = (value: string | undefined): URL => {
  const example = 'like --url https://api.example.com/';
  if (value === undefined || !URL.canParse(value)) throw new WrongUsage(`Say where: ${example}.`);
  const url = new URL(value);
  const isHere = url.protocol === 'http:' && /^(127(\.\d+){3}|localhost|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !isHere) throw new WrongUsage(`The URL must be https, ${example}.`);
  if (`${url.search}${url.hash}${url.username}` !== '') throw new WrongUsage(`An address alone, ${example}.`);
  if (!url.pathname.endsWith('/')) url.pathname += '/'; // API Gateway's stage is part of the path.
  return url;
};

const describe = (name: string, verdict: Verdict): string => {
  switch (verdict.kind) {
    case 'passed':
      return `${styleText('green', 'passed ')}  ${name}  ${styleText('dim', `${verdict.ms} ms`)}`;
    case 'failed':
      return `${styleText(['bold', 'red'], 'failed ')}  ${name}  ${styleText('dim', `${verdict.ms} ms`)}\n         ${verdict.why.join('; ')}`;
    case 'skipped':
      return `${styleText('yellow', 'skipped')}  ${name}  (needs a credential: set SMOKE_TOKEN)`;
  }
};

/** @returns how many checks failed */
const smoke = async (url: URL, token: string | undefined, json: boolean): Promise<number> => {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const check of checks) {
    const verdict = await make(check, url, token);
    counts[verdict.kind] += 1;
    console.log(json ? JSON.stringify({ check: check.name, ...verdict }) : describe(check.name, verdict));
  }
  const { passed, failed, skipped } = counts;
  const summary = `${passed} passed, ${failed} failed, ${skipped} skipped: ${url.href}`;
  console.log(json ? JSON.stringify({ ok: failed === 0, ...counts, url: url.href }) : summary);
  return failed;
};

try {
  const { url, token, json, help } = readOptions(process.argv.slice(2));
  if (help) process.stdout.write(usage);
  else process.exitCode = (await smoke(readUrl(url), token, json)) === 0 ? 0 : 1;
} catch (error) {
  process.exitCode = 2;
  if (error instanceof WrongUsage) process.stderr.write(`${error.message}\n`);
  else console.error(error); // A bug.
}
