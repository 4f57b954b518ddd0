import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { browserPath, givenBrowser } from '../support/pages/browser.ts';
import { callbackOfNow, callbackSecrets, signBySpecification } from '../support/callbacks/callback-mutations.ts';
import { answer } from '../support/front-server.ts';
import { givenClients } from '../support/given-clients.ts';
import { givenInstalledClient } from '../support/given-installed-client.ts';
import { givenService } from '../support/given-service.ts';
import { installNodeVersions, nodeMajors } from '../support/node-versions.ts';

const service = givenService();
const clients = givenClients(service);
const installed = givenInstalledClient();

/** What a program needs, as it stands in `GIVEN`. */
async function newTask() {
  const { externalId } = await service.newJob();
  const callback = signBySpecification(callbackOfNow());
  const client = { baseUrl: clients.front.url, credential: clients.credential, waitSeconds: 1 };
  return { client, externalId, callback, secret: callbackSecrets.valid };
}

/** Uses all of the package, and returns what it found. Runs wherever JavaScript does. */
const program = `async ({ CancellationClient, InvalidCallbackError, verifyCallback }, { client: options, externalId, callback, secret }) => {
  const client = new CancellationClient(options);
  const cancelled = await client.cancel({ externalId });
  const waited = await client.waitUntilClosed(cancelled.cancellation);
  const [listed] = (await client.list({ externalId, limit: 1 })).cancellations;
  const { headers, body } = callback;
  const verified = await verifyCallback(new Headers(headers), new TextEncoder().encode(body), [secret]);
  const forged = await verifyCallback(headers, body + ' ', secret).catch((error) => error);
  return [
    cancelled.kind, waited.kind, listed.jobId === cancelled.cancellation.jobId, JSON.stringify(client) === JSON.stringify({ baseUrl: options.baseUrl }),
    verified.type, forged instanceof InvalidCallbackError, forged.code,
  ].join(' ');
}`;
const expected = 'cancelled cancelled true true cancellation.closed true signature_mismatch';

describe.each(nodeMajors)('the packed client on Node %i', (major) => {
  let pathOf: Awaited<ReturnType<typeof installNodeVersions>>;
  beforeAll(async () => {
    pathOf = await installNodeVersions();
  }, 180_000);

  test.each([
    ['import', 'run.mjs', `import * as all from 'plangrep-cancellation-client';`],
    ['require', 'run.cjs', `const all = require('plangrep-cancellation-client');`],
  ])('does all that it can, by %s', async (_how, name, load) => {
    const executable = pathOf?.(major) ?? process.execPath;
    const run = `(${program})(all, JSON.parse(process.env.GIVEN)).then((found) => console.log(process.version, found));`;
    installed.write(name, `${load}\n${run}`);

    const found = await installed.run(executable, [name], { GIVEN: JSON.stringify(await newTask()) });

    expect(found).toMatch(new RegExp(`^v${pathOf ? major : '\\d+'}\\.\\d+\\.\\d+ ${expected}$`));
  });
});

describe('the packed client in a runtime with the web’s globals alone', () => {
  test('goes through a bundler for browsers without a warning, and does all that it can', async () => {
    const entry = `import * as all from 'plangrep-cancellation-client'; globalThis.run = (given) => (${program})(all, given);`;
    const { outputFiles, warnings } = await build({
      stdin: { contents: entry, resolveDir: installed.project },
      bundle: true,
      format: 'iife',
      platform: 'browser',
      write: false,
    });
    // Safari's streams cannot be iterated.
    const plainFetch = async (url: string, init: RequestInit) => {
      const { status, headers, body } = await fetch(url, init);
      return { status, headers, body: { getReader: () => body?.getReader() } };
    };
    const { AbortController, crypto, Headers, TextDecoder, TextEncoder, URL, atob, clearTimeout, setTimeout } =
      globalThis;
    const web = { AbortController, crypto, Headers, TextDecoder, TextEncoder, URL, atob, clearTimeout, setTimeout };
    const context = createContext({ ...web, fetch: plainFetch, given: await newTask() });
    runInContext(outputFiles[0]?.text ?? '', context);

    expect(warnings).toEqual([]);
    expect(await runInContext('run(given)', context)).toBe(expected);
    expect(runInContext('typeof process + typeof Buffer + typeof require', context)).toBe('undefined'.repeat(3));
  });
});

describe.skipIf(browserPath === undefined)('the packed client in Chromium', () => {
  const browser = givenBrowser();

  test('does all that it can, as the module that is in the package, and does not follow a redirect', async () => {
    const { page, wrong } = await browser.openPage(clients.front.url);
    const module = readFileSync(join(installed.folder, 'dist/index.js'), 'utf8');
    await page.route('**/', (route) => route.fulfill({ contentType: 'text/html', body: '<title>page</title>' }));
    await page.route('**/client.js', (route) => route.fulfill({ contentType: 'text/javascript', body: module }));
    await page.goto(`${clients.front.url}/`);
    const task = await newTask();
    const evaluate = (code: string): Promise<unknown> => page.evaluate(`import('/client.js').then((all) => (${code}))`);

    expect(await evaluate(`(${program})(all, ${JSON.stringify(task)})`)).toBe(expected);
    clients.front.misbehave(answer(307, { Location: 'https://elsewhere.example/' }));
    const read = `new all.CancellationClient(${JSON.stringify(task.client)}).read({ jobId: 'job_1' })`;
    expect(await evaluate(read)).toMatchObject({ kind: 'unexpected', status: 302 });
    expect(wrong).toEqual([]);
  });
});
