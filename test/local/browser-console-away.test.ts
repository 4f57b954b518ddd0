import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserPath, expectAccessible, openPage, startBrowser } from '../support/browser.ts';
import { givenStartProcesses } from '../support/start-process.ts';
import { temporaryFolder } from './arrange.ts';

describe.skipIf(browserPath === undefined)('The console of a run that went away', { timeout: 90_000 }, () => {
  const processes = givenStartProcesses();
  const folder = temporaryFolder();
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  const given = async (port = '0') => processes.start({ cwd: folder, env: { PORT: port } });
  const open = async ({ baseUrl, consoleUrl }: { baseUrl: string; consoleUrl: string }) => {
    const { page } = await openPage(browser, baseUrl);
    await page.goto(consoleUrl);
    await page.getByText('Watching.').waitFor();
    return page;
  };

  test('says so, and what to do, by itself and to every button', async () => {
    const run = await given();
    const page = await open(run);

    await processes.stop(run.child);

    const status = page.getByRole('status');
    await status.getByText('The local run does not answer').waitFor();
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.locator('#answer').getByText('Start it with "npm start"').waitFor();
    await page.getByRole('button', { name: 'Plangrep answers 503' }).click();
    await status.getByText('Start it with "npm start"').waitFor();
    expect(await page.getByText(/TypeError|Failed to fetch/).count()).toBe(0);
  });

  test('asks for the new address when the run is back, and continues with its credentials', async () => {
    const run = await given();
    const page = await open(run);
    await page.getByLabel('Partner').selectOption({ label: 'globex' });
    await processes.stop(run.child, 'SIGKILL');

    const next = await given(new URL(run.baseUrl).port);
    await page.getByRole('status').getByText('Open the whole address that "npm start" printed').waitFor();
    // As a person does: in another tab.
    const other = await page.context().newPage();
    await other.goto(next.consoleUrl);

    await page.getByRole('status').getByText('The local run was started again. Watching the new one.').waitFor();
    expect(await page.getByLabel('Partner').locator('option:checked').innerText()).toBe('globex');
    await page.getByLabel('Partner').selectOption({ label: 'acme' });
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.locator('#answer').getByText('200 OK').waitFor();
    await page.locator('#timeline').getByText('outcome: cancelled').waitFor();
    expect(await processes.stop(next.child)).toBe(0);
  });

  test('says so too when the run is only suspended, and watches again when it continues', async () => {
    const run = await given();
    const page = await open(run);

    run.child.kill('SIGSTOP');
    await page.getByRole('status').getByText('The local run does not answer').waitFor({ timeout: 40_000 });
    run.child.kill('SIGCONT');

    await page.getByRole('status').getByText('Watching.').waitFor({ timeout: 40_000 });
  });

  test('and the reference page say what to do when a call is not answered', async () => {
    const run = await given();
    const { page } = await openPage(browser, run.baseUrl);
    await page.goto(`${run.baseUrl}/docs`);
    await page.getByText('Cancel a job', { exact: true }).first().click();
    const execute = page.getByRole('button', { name: 'Execute' });
    await execute.waitFor();
    await processes.stop(run.child);

    await execute.click();
    await page
      .getByRole('status')
      .getByText(`No answer from ${new URL(run.baseUrl).host}.`)
      .waitFor();
    await expectAccessible(page);
    const next = await given(new URL(run.baseUrl).port);
    await execute.click();

    await page.getByText('Response Status: Unauthorized (401)').waitFor();
    await page.getByRole('status').getByText('To try it: paste your credential').waitFor();
    expect(await processes.stop(next.child)).toBe(0);
  });
});
