import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerCalls, type Call } from './read-calls.ts';

/** `snippet.ts python|java`: runs the program of docs/calling.md, as it is documented, once for each call. */
const root = new URL('../../../', import.meta.url).pathname;
const programs = {
  python: { file: 'cancel.py', verifier: 'verify-callback.py', command: ['python3'] },
  java: { file: 'Cancel.java', verifier: 'verify-callback.java', command: ['java', '-XX:TieredStopAtLevel=1'] },
};
const language = process.argv[2] === 'java' ? 'java' : 'python';
const { file, verifier, command } = programs[language];
const page = readFileSync(join(root, 'docs/calling.md'), 'utf8').split('## From your language')[1] ?? '';
const [, code = ''] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
writeFileSync(join(folder, file), code);

await answerCalls(async (call) => {
  // The programs take an externalId and no jobId, and leave an accepted cancel to the service.
  if (call.call === 'wait' || (call.call === 'cancel' && call.jobId !== undefined)) return { result: 'unsupported' };
  return call.call === 'verify' ? verify(call) : cancel(call);
});
rmSync(folder, { recursive: true });

function start(args: readonly string[], input: string, variables: Readonly<Record<string, string>>) {
  const [program = '', ...options] = command;
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', ...variables };
  return spawnSync(program, [...options, ...args], { input, env, encoding: 'utf8' });
}

/** What the program prints, by the suite's word. */
function cancel({ baseUrl, credential, externalId }: Call): { result: string; detail: string } {
  const variables = { CANCELLATION_URL: baseUrl, CANCELLATION_CREDENTIAL: credential };
  const { stdout, stderr } = start([join(folder, file), externalId], '', variables);
  const detail = `${stdout}${stderr}`.trim();
  const words: readonly (readonly [RegExp, string])[] = [
    [/^cancelled$/, 'cancelled'],
    [/^accepted: /, 'accepted'],
    [/^not cancelled: .*ambiguous_external_id/, 'ambiguous'],
    [/^not cancelled: .*job_already_terminal/, 'too_late'],
    [/^HTTP 404: /, 'not_found'],
    [/^(HTTP (429|5\d\d): |No answer from )/, 'unavailable'],
  ];
  return { result: words.find(([printed]) => printed.test(detail))?.[1] ?? 'unknown', detail };
}

/** By the specification, with the language's own library: the published ones of docs/callbacks.md are tested there. */
function verify({ headers, body, secrets }: Call): { result: string } {
  const field = (text: string | undefined): string => (text === undefined ? '-' : Buffer.from(text).toString('base64'));
  const signed = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => field(headers[name]));
  const lines = secrets.map((secret) => [field(secret), ...signed, field(body)].join(' '));
  const { stdout } = start(
    [join(root, 'test/support/callbacks/callback-verifiers', verifier)],
    `${lines.join('\n')}\n`,
    {},
  );
  return { result: stdout.includes('accepted') ? 'accepted' : 'refused' };
}
