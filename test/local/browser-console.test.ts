import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserPath, expectAccessible, openPage, schemes, startBrowser } from '../support/browser.ts';
import { createConsole } from '../../infra/local/console/create-console.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

describe.skipIf(browserPath === undefined)('In a browser, the console', { timeout: 60_000 }, () => {
  let run: TestRun;
  let browser: Browser;
  beforeAll(async () => {
    [run, browser] = await Promise.all([startTestRun({ beside: createConsole }), startBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await run.close();
  });

  const open = async (scheme: (typeof schemes)[number] = 'light') => {
    const watched = await openPage(browser, run.baseUrl, scheme);
    await watched.page.goto(run.consoleUrl);
    await watched.page.getByText('Watching.').waitFor();
    return watched;
  };
  const timeline = (page: Page) => page.locator('#timeline');
  const answer = (page: Page) => page.locator('#answer');

  test('tries a cancel, shows the answer, the timeline and what was saved', async () => {
    const { page, wrong } = await open();

    await page.getByRole('button', { name: 'Cancel the job' }).click();

    await answer(page).getByText('200 OK').waitFor();
    await answer(page).getByText('"outcome": "cancelled"').waitFor();
    await timeline(page).getByText('outcome: cancelled').waitFor();
    expect(await timeline(page).getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringContaining('Requested'),
      expect.stringContaining('Closed'),
      expect.stringContaining('the job ran'),
    ]);
    expect(await page.locator('#pages').innerText()).toBe('141'); // 204 pages, 63 processed
    expect(await page.locator('#credits').innerText()).toBe('141');
    expect(wrong).toEqual([]);
  });

  test('keeps its key through a reload, in another tab and out of the address', async () => {
    const { page } = await open();

    await page.reload();
    await page.getByText('Watching.').waitFor();
    const other = await page.context().newPage();
    await other.goto(`${run.baseUrl}/console`);
    await other.getByText('Watching.').waitFor();

    expect([page.url(), other.url()]).toEqual([`${run.baseUrl}/console`, `${run.baseUrl}/console`]);
  });

  test.each(['', '#a-key-of-an-earlier-run'])('says what to open when its address ends in "%s"', async (end) => {
    const { page } = await openPage(browser, run.baseUrl);

    await page.goto(`${run.baseUrl}/console${end}`);
    await page.getByRole('status').getByText('Open the whole address that "npm start" printed').waitFor();
    await page.goto(run.consoleUrl);
    await page.getByText('Watching.').waitFor();
  });

  test.each(schemes)('shows a fault from its beginning to its end, %s', async (scheme) => {
    const { page, wrong } = await open(scheme);

    await page.getByRole('button', { name: 'Plangrep answers 503' }).click();
    await page.getByRole('button', { name: 'Plangrep answers 503', pressed: true }).waitFor();
    await page.getByRole('button', { name: 'Add it' }).click();
    await page.getByText('is there: cancel it.').waitFor();
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await answer(page).getByText('202 Accepted').waitFor();
    await timeline(page).getByText('HTTP 503').waitFor();
    await timeline(page).getByText('Next look').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Back to normal' }).click();
    await page.locator('#mood-now').getByText('Everything is normal.').waitFor();

    expect(await page.getByRole('button', { pressed: true }).allInnerTexts()).toEqual([
      expect.stringMatching(/^order-/),
    ]);
    await expectAccessible(page);
    expect(wrong).toEqual([]);
  });

  test('shows what happens elsewhere as it happens, and announces it', async () => {
    const { page } = await open();
    await run.addJob('order-elsewhere', 'job_elsewhere');

    await run.call('acme', 'POST /v1/cancellations', { externalId: 'order-elsewhere' });

    await page.getByRole('status').getByText('order-elsewhere: cancelled').waitFor();
    await page.getByRole('button', { name: 'order-elsewhere' }).click();
    await timeline(page).getByText('order-elsewhere · job_elsewhere').waitFor();
  });

  test('meets a problem, with the way to its page, and is back to normal', async () => {
    const { page, wrong } = await open();

    await page.getByRole('button', { name: 'temporarily_unavailable' }).click();
    await answer(page).getByText('503 Service Unavailable').waitFor();
    await page.getByRole('status').getByText('Answered 503: temporarily_unavailable.').waitFor();
    await expectAccessible(page);
    expect(run.faults.current).toBeUndefined();
    await answer(page).getByRole('link', { name: 'What it means and what to do' }).click();

    await page.getByRole('heading', { level: 1, name: 'Temporarily unavailable' }).waitFor();
    expect(wrong).toEqual([]);
  });

  test('can be used with the keyboard only', async () => {
    const { page } = await open();
    const pressUntil = async (name: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate('document.activeElement.textContent.trim()');
        if (focused === name) return;
      }
      throw new Error(`Tab never reaches "${name}"`);
    };
    const externalId = page.getByLabel('externalId', { exact: true });
    await externalId.focus();
    await externalId.fill('order-9999');

    await page.keyboard.press('Enter');
    await answer(page).getByText('404 Not Found').waitFor();
    await pressUntil('The function crashes');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'The function crashes', pressed: true }).waitFor();
    await pressUntil('Back to normal');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'The function crashes', pressed: false }).waitFor();

    expect(run.faults.current).toBeUndefined();
  });
});
