import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  callbackOfNow,
  callbackSecrets,
  forgeCallbacks,
  signBySpecification,
} from '../../support/callbacks/callback-mutations.ts';
import { freePort, isListening } from '../../support/free-port.ts';
import { givenInstalledClient } from '../../support/given-installed-client.ts';
import { givenOps } from '../../support/given-ops.ts';

/** Plays README.md, "First cancel and callback from your own project": its two programs, with the client as it is installed. */
const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const [receive = '', cancel = ''] = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);
const installed = givenInstalledClient();
const ops = givenOps({ callbacks: 'delivered' });

/** Starts receive.mjs, and ends it after the test. @returns what it has printed until now */
async function startReceiver(port: number, secret: string): Promise<() => string> {
  installed.write('receive.mjs', receive.replace('9000', String(port)));
  const child = spawn(process.execPath, ['receive.mjs'], {
    cwd: installed.project,
    env: { CANCELLATION_CALLBACK_SECRET: secret },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += String(chunk)));
  await Promise.race([vi.waitFor(() => isListening(port), { timeout: 20_000, interval: 50 }), once(child, 'exit')]);
  return () => printed;
}

test('cancel.mjs cancels a new job each time, and receive.mjs prints its callback, a refusal and a test', async () => {
  const port = await freePort();
  const [, set = ''] = /npm run ops -- (callback set [^#]*)#/.exec(readme) ?? [];
  const { stdout } = await ops.run(set.replace('9000', String(port)));
  const [, secret = ''] = /^ {2}export CANCELLATION_CALLBACK_SECRET=(whsec_\S+)$/m.exec(stdout) ?? [];
  const printed = await startReceiver(port, secret);
  installed.write('cancel.mjs', cancel);
  const { baseUrl, partners } = ops.service.run;
  const env = { CANCELLATION_URL: baseUrl, CANCELLATION_CREDENTIAL: partners[0]?.token ?? '' };

  const [first, second] = [
    await installed.run(process.execPath, ['cancel.mjs'], env),
    await installed.run(process.execPath, ['cancel.mjs'], env),
  ];
  await ops.service.cancel({ externalId: 'mistyped' });
  await ops.run('callback test --partner acme');

  expect(first).toMatch(/kind: 'cancelled'/);
  expect(second).toMatch(/kind: 'cancelled'/);
  expect(first).not.toContain(env.CANCELLATION_CREDENTIAL.slice(-20));
  await vi.waitFor(() => expect(printed().split('\n')).toHaveLength(5), { timeout: 20_000, interval: 50 });
  expect(printed().match(/^cancellation\.closed first-\d+ cancelled$/gm)).toHaveLength(2);
  expect(printed()).toMatch(/^cancellation\.refused mistyped job_not_found$/m);
  expect(printed()).toMatch(/^callback\.test +$/m);
});

test('receive.mjs prints a callback that is signed, and answers 400 to each forged one', async () => {
  const port = await freePort();
  const printed = await startReceiver(port, callbackSecrets.valid);
  const deliver = async ({ headers, body }: { headers: Readonly<Record<string, string>>; body: string }) =>
    (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status;

  const statuses = [];
  for (const forged of forgeCallbacks(callbackOfNow())) statuses.push(await deliver(forged));
  const genuine = await deliver(
    signBySpecification(callbackOfNow({ secrets: [callbackSecrets.previous, callbackSecrets.valid] })),
  );

  expect(new Set(statuses)).toEqual(new Set([400]));
  expect(genuine).toBe(204);
  await vi.waitFor(() => expect(printed()).toBe('cancellation.closed commande-é-1 cancelled\n'));
});
