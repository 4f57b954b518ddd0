import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { serveOnLoopback } from '../../infra/local/aws/loopback.ts';
import { browserPath, expectAccessible, openPage, startBrowser } from '../support/pages/browser.ts';
import { expectGoodLayout } from '../support/pages/page-layout.ts';
import { givenStartProcesses, type Started } from '../support/start-process.ts';
import { temporaryFolder } from './arrange.ts';

describe.skipIf(browserPath === undefined)('The console of a run that went away', { timeout: 90_000 }, () => {
  const processes = givenStartProcesses();
  const folder = temporaryFolder();
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  const given = async (port = '0', cwd = folder) => processes.start({ cwd, env: { PORT: port } });
  const connection = (page: Page) => page.locator('#connection');
  const notice = (page: Page) => page.locator('#notice');
  const open = async ({ baseUrl, consoleUrl }: Pick<Started, 'baseUrl' | 'consoleUrl'>) => {
    const { page } = await openPage(browser, baseUrl);
    await page.goto(consoleUrl);
    await connection(page).getByText('Watching').waitFor();
    return page;
  };
  const press = (page: Page, name: string) => page.getByRole('button', { name }).click();

  test('says so, and what to do, by itself and to every button', async () => {
    const run = await given();
    const page = await open(run);
    await press(page, 'Cancel the job');
    await page.locator('#timeline').getByText('outcome: cancelled').waitFor();

    await processes.stop(run.child);

    await notice(page).getByText('The local run does not answer.').waitFor();
    await notice(page).getByText('Start it with npm start').waitFor();
    await expectAccessible(page);
    await expectGoodLayout(page);
    await press(page, 'Cancel the job');
    await page.getByText('The request was not answered.').waitFor();
    expect(await page.locator('#timeline').isVisible()).toBe(false);
    await page.getByText('Cause a fault').click();
    await press(page, 'Plangrep answers 503');
    await page.locator('#live').getByText('The local run does not answer.').waitFor();
    await press(page, 'Try again now');
    expect(await page.getByText(/TypeError|Failed to fetch/).count()).toBe(0);
    expect(await connection(page).innerText()).toBe('No connection');
  });

  test('continues by itself when the run is back, with its new credentials, and says so', async () => {
    const run = await given();
    const page = await open(run);
    await page.getByLabel('Partner').selectOption('globex');
    await press(page, 'Cancel the job');
    await page.locator('#answer').getByText('404 Not Found').waitFor();
    await processes.stop(run.child, 'SIGKILL');
    await notice(page).getByText('The local run does not answer.').waitFor();

    const next = await given(new URL(run.baseUrl).port);

    await notice(page).getByText('The local run was started again. This page has its new credentials.').waitFor();
    await expectAccessible(page);
    await expectGoodLayout(page);
    expect([next.consoleUrl, next.partners[0]?.token === run.partners[0]?.token]).toEqual([run.consoleUrl, false]);
    expect(await page.locator('#answer').innerText()).toBe('');
    expect(await page.getByLabel('Partner').inputValue()).toBe('globex');
    await page.getByLabel('Partner').selectOption('acme');
    await press(page, 'Cancel the job');
    await page.locator('#answer').getByText('200 OK').waitFor();
    await page.locator('#timeline').getByText('outcome: cancelled').waitFor();
    expect(await processes.stop(next.child)).toBe(0);
  });

  test('asks for the new address when the next run is of another folder', async () => {
    const run = await given();
    const page = await open(run);
    await processes.stop(run.child);

    const next = await given(new URL(run.baseUrl).port, temporaryFolder());
    await notice(page).getByText('Open the whole address that npm start printed').waitFor();
    await expectGoodLayout(page);
    // As a person does: in another tab.
    const other = await page.context().newPage();
    await other.goto(next.consoleUrl);

    await notice(page).getByText('The local run was started again.').waitFor();
  });

  test('gives its key to no other program that has taken the port', async () => {
    const run = await given();
    const page = await open(run);
    await processes.stop(run.child);
    const asked: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];

    const server = createServer(({ url, headers }, response) => {
      asked.push({ url, headers });
      response.end(url?.startsWith('/console/api/proof') ? 'a proof' : '<h1>Another program</h1>');
    });
    const { close } = await serveOnLoopback(server, Number(new URL(run.baseUrl).port));
    onTestFinished(close);

    await notice(page).getByText('This page has no key of the run.').waitFor();
    await press(page, 'Cancel the job');
    await page.locator('#live').getByText('This page has no key of the run.').waitFor();
    const key = new URL(run.consoleUrl).hash.slice(1);
    expect(asked.length).toBeGreaterThan(1);
    expect(JSON.stringify(asked)).not.toContain(key);
    expect(JSON.stringify(asked)).not.toContain('pcg_');
  });

  test('says so too when the run is only suspended, and watches again when it continues', async () => {
    const run = await given();
    const page = await open(run);

    run.child.kill('SIGSTOP');
    await notice(page).getByText('The local run does not answer.').waitFor({ timeout: 40_000 });
    run.child.kill('SIGCONT');

    await connection(page).getByText('Watching').waitFor({ timeout: 40_000 });
    expect(await notice(page).innerText()).toBe('');
  });
});
