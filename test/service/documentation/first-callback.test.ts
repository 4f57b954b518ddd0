import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  callbackOfNow,
  callbackSecrets,
  forgeCallbacks,
  signBySpecification,
} from '../../support/callback-mutations.ts';
import { freePort, isListening } from '../../support/free-port.ts';
import { givenInstalledClient } from '../../support/given-installed-client.ts';
import { givenService } from '../../support/given-service.ts';

/** Plays README.md, "First cancel and callback from your own project": its two programs, with the client as it is installed. */
const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const [receive = '', cancel = ''] = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);
const installed = givenInstalledClient();
const service = givenService();

test('cancel.mjs cancels order-7890', async () => {
  installed.write('cancel.mjs', cancel);
  const { baseUrl, partners } = service.run;
  const env = { CANCELLATION_URL: baseUrl, CANCELLATION_CREDENTIAL: partners[0]?.token ?? '' };

  const printed = await installed.run(process.execPath, ['cancel.mjs'], env);

  expect(printed).toMatch(/kind: 'cancelled'/);
  expect(printed).not.toContain(env.CANCELLATION_CREDENTIAL.slice(-20));
});

test('receive.mjs prints a callback that is signed, and answers 400 to each forged one', async () => {
  const port = await freePort();
  installed.write('receive.mjs', receive.replace('9000', String(port)));
  const child = spawn(process.execPath, ['receive.mjs'], {
    cwd: installed.project,
    env: { CANCELLATION_CALLBACK_SECRET: callbackSecrets.valid },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += String(chunk)));
  await Promise.race([vi.waitFor(() => isListening(port), { timeout: 20_000, interval: 50 }), once(child, 'exit')]);
  const deliver = async ({ headers, body }: { headers: Readonly<Record<string, string>>; body: string }) =>
    (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status;

  const statuses = [];
  for (const forged of forgeCallbacks(callbackOfNow())) statuses.push(await deliver(forged));
  const genuine = await deliver(
    signBySpecification(callbackOfNow({ secrets: [callbackSecrets.previous, callbackSecrets.valid] })),
  );

  expect(new Set(statuses)).toEqual(new Set([400]));
  expect(genuine).toBe(204);
  await vi.waitFor(() => expect(printed).toBe('cancellation.closed commande-é-1 cancelled\n'));
});
