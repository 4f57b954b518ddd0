import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { signCallback } from '../../../functions/core/callbacks/sign-callback.ts';
import {
  callbackMutations,
  callbackOfNow,
  callbackSecrets,
  forgeCallbacks,
  type ReceivedCallback,
  signBySpecification,
} from '../../support/callbacks/callback-mutations.ts';
import { commandsMissing } from '../../support/commands-missing.ts';
import { freePort, isListening } from '../../support/free-port.ts';

const exec = promisify(execFile);
const root = new URL('../../../', import.meta.url).pathname;
const page = readFileSync(join(root, 'docs/callbacks.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'callback-receivers-'));
const { valid, previous } = callbackSecrets;
const genuine = [
  ['the version that the receiver has', [valid]],
  ['both versions, during a rotation', [previous, valid]],
] as const;

/** Java compiles little and starts one thread to collect garbage: half of the processor time of these short programs. */
const java = ['java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

test('there are twelve mutations', () => {
  expect(Object.keys(callbackMutations)).toHaveLength(12);
});

test('the service signs as the specification says, so what holds for these callbacks holds for its own', () => {
  const { id, timestamp, body } = callbackOfNow();
  const secrets = [valid, previous];

  expect(signCallback(body, { id, atSeconds: timestamp, secrets })).toEqual(
    signBySpecification(callbackOfNow({ timestamp, secrets })).headers,
  );
});

describe('the published library for TypeScript', () => {
  const verify = ({ headers, body }: ReceivedCallback) => new Webhook(valid).verify(body, { ...headers });

  test.each(genuine)('accepts a signature of %s', (_name, secrets) => {
    const toSign = callbackOfNow({ secrets });

    expect(verify(signBySpecification(toSign))).toEqual(JSON.parse(toSign.body));
  });

  test.each(forgeCallbacks(callbackOfNow()))('refuses $mutation', (forged) => {
    expect(() => verify(forged)).toThrow(
      /^(No matching signature found|Missing required headers|Message timestamp .*)$/,
    );
  });
});

describe.each([
  { file: 'verify-callback.py', command: ['python3'], needs: ['python3'] },
  { file: 'verify-callback.java', command: java, needs: ['java', 'javac'] },
])('$file, which knows the specification and no library', ({ file, command: [command = '', ...args], needs }) => {
  test.skipIf(commandsMissing(needs).length > 0)(
    'accepts what is genuine, and refuses each of the twelve mutations',
    async () => {
      const forged = forgeCallbacks(callbackOfNow());
      const callbacks = [...genuine.map(([, secrets]) => signBySpecification(callbackOfNow({ secrets }))), ...forged];
      const running = exec(command, [...args, join(root, 'test/support/callbacks/callback-verifiers', file)]);
      running.child.stdin?.end(callbacks.map(toLine).join(''));
      const { stdout } = await running;

      expect(stdout.trimEnd().split('\n')).toEqual(['accepted', 'accepted', ...forged.map(() => 'refused')]);
    },
  );
});

/** One callback in the form that the verifiers read. */
function toLine({ headers, body }: ReceivedCallback): string {
  const fields = [valid, headers['webhook-id'], headers['webhook-timestamp'], headers['webhook-signature'], body];
  return `${fields.map((field) => (field === undefined ? '-' : Buffer.from(field).toString('base64'))).join(' ')}\n`;
}

/**
 * PyPI and Maven are not asked here: a copy of github.com/standard-webhooks/standard-webhooks, in the folder that
 * `STANDARD_WEBHOOKS` names, has both libraries. The library for npm is one of our packages.
 */
const libraries = process.env['STANDARD_WEBHOOKS'] ?? '';
const receivers = [
  { fence: 'ts', file: 'receive.ts', command: [process.execPath], needs: [], prints: 'commande-é-1: cancelled' },
  {
    fence: 'python',
    file: 'receive.py',
    command: ['python3'],
    needs: ['python3'],
    library: 'libraries/python',
    prints: 'commande-é-1: cancelled',
  },
  {
    fence: 'java',
    file: 'Receive.java',
    command: [...java, '-cp', 'classes'],
    needs: ['java', 'javac'],
    library: 'libraries/java/src/main/java',
    prints: callbackOfNow().body,
  },
] as const satisfies readonly { readonly library?: string; readonly [other: string]: unknown }[];

test('docs/callbacks.md has three receivers', () => {
  const fences = [...page.matchAll(/^```(\w+)$/gm)].map(([, fence]) => fence);

  expect(fences).toEqual(['http', 'sh', ...receivers.map(({ fence }) => fence)]);
});

describe.each(receivers)('the receiver of docs/callbacks.md in $fence', (receiver) => {
  const { fence, file, prints, needs } = receiver;
  const library = 'library' in receiver ? join(libraries, receiver.library) : '';
  const lacks: readonly string[] = [
    ...commandsMissing(needs),
    ...('library' in receiver && (libraries === '' || !existsSync(library))
      ? [`STANDARD_WEBHOOKS, ${receiver.library}`]
      : []),
  ];
  if (lacks.length > 0)
    console.log(`${file} of docs/callbacks.md is not run: this machine has no ${lacks.join(', ')}.`);
  const testIfInstalled = test.skipIf(lacks.length > 0);
  let url = '';
  let child: ChildProcessWithoutNullStreams | undefined;
  let printed = '';

  function run(environment: Readonly<Record<string, string>>) {
    const [command, ...args] = receiver.command;
    const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', PYTHONPATH: library, ...environment };
    return spawn(command, [...args, file], { cwd: folder, env });
  }
  async function deliver({ headers, body }: ReceivedCallback) {
    const { status } = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
    });
    return status;
  }

  beforeAll(async () => {
    if (lacks.length > 0) return;
    const [, code = ''] = new RegExp(`^\`\`\`${fence}\\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
    writeFileSync(join(folder, file), code);
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    if (fence === 'ts')
      symlinkSync(join(root, 'node_modules/standardwebhooks'), join(folder, 'node_modules/standardwebhooks'));
    if (fence === 'java') await exec('javac', ['-d', join(folder, 'classes'), ...globSync(join(library, '**/*.java'))]);
    const port = await freePort();
    url = `http://127.0.0.1:${port}/callbacks`;
    child = run({ PORT: String(port), CANCELLATION_CALLBACK_SECRET: valid });
    child.stdout.on('data', (text) => (printed += String(text)));
    await vi.waitFor(() => isListening(port), { timeout: 25_000, interval: 50 });
  });
  afterAll(() => child?.kill('SIGKILL'));

  testIfInstalled.each(genuine)('takes a callback signed by %s, once for its id', async (name, secrets) => {
    const callback = signBySpecification(callbackOfNow({ id: `msg_${name.length}`, secrets }));
    const before = printed;

    const answers = [await deliver(callback), await deliver(callback)];

    expect(answers).toEqual([204, 204]);
    await vi.waitFor(() => expect(printed.slice(before.length)).toBe(`${prints}\n`));
  });

  testIfInstalled.each(forgeCallbacks(callbackOfNow()))('answers 400 to $mutation', async (forged) => {
    const before = printed;

    expect(await deliver(forged)).toBe(400);
    expect(printed).toBe(before);
  });

  testIfInstalled('answers 400 to a signature that is not one', async () => {
    const { headers, body } = signBySpecification(callbackOfNow());

    for (const signature of ['v1', 'v1,', 'v1,%', ',', 'nothing like it']) {
      expect(await deliver({ headers: { ...headers, 'webhook-signature': signature }, body })).toBe(400);
    }
  });

  testIfInstalled('says in one line that its secret is not set', async () => {
    const started = run({ CANCELLATION_CALLBACK_SECRET: '' });
    let stderr = '';
    started.stderr.on('data', (text) => (stderr += String(text)));
    const [code]: unknown[] = await once(started, 'close');

    expect({ stderr, code }).toEqual({ stderr: 'Set CANCELLATION_CALLBACK_SECRET.\n', code: 1 });
  });
});
