import type { Page } from 'playwright-core';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { browserPath, expectAccessible, givenBrowser, schemes } from '../support/pages/browser.ts';
import { createConsole } from '../../infra/local/console/create-console.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

describe.skipIf(browserPath === undefined)('In a browser, the console', { timeout: 60_000 }, () => {
  const browser = givenBrowser();
  let run: TestRun;
  beforeAll(async () => {
    run = await startTestRun({ beside: createConsole });
  });
  afterAll(() => run.close());

  const open = async (scheme: (typeof schemes)[number] = 'light') => {
    const watched = await browser.openPage(run.baseUrl, scheme);
    await watched.page.goto(run.consoleUrl);
    await watching(watched.page);
    return watched;
  };
  const watching = (page: Page) => page.locator('#connection').getByText('Watching').waitFor();
  const timeline = (page: Page) => page.locator('#timeline');
  const answer = (page: Page) => page.locator('#answer');
  const way = (page: Page) => page.locator('#way');
  const scenes = async (page: Page, summary: string) => {
    const opened = page.locator('details[name=scenes]', { hasText: summary });
    if (!(await opened.evaluate('(details) => details.open'))) await opened.locator('summary').click();
    return opened;
  };

  test('has something to choose on its first screen, and shows the way in general', async () => {
    const { page } = await open();

    await expect.poll(() => page.locator('#stories').getByRole('button').count()).toBe(6);
    await way(page).getByText('the intent is on record before any effect').waitFor();
    await page.locator('#empty').getByText('No cancellation yet. Choose an order.').waitFor();
    await expectAccessible(page);
  });

  test('tries a cancel, shows the answer, its way, the timeline and what was saved', async () => {
    const { page, wrong } = await open();

    await page.getByRole('button', { name: 'Cancel the job' }).click();

    await answer(page).getByText('200 OK').waitFor();
    await page.locator('#raw').getByText('"outcome": "cancelled"').waitFor();
    await timeline(page).getByText('outcome: cancelled').waitFor();
    expect(await timeline(page).getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringContaining('Requested'),
      expect.stringContaining('Closed'),
    ]);
    const stations = await way(page).getByRole('listitem').allInnerTexts();
    expect(stations.map((text) => text.replaceAll(/\n+/g, ' · '))).toEqual([
      expect.stringMatching(/^Request · .*, acme$/),
      'Log · on record before any effect · 2 events',
      expect.stringMatching(/^Plangrep · asked once · answer after \d+ ms · job: cancelled$/),
      expect.stringMatching(
        /^End: cancelled · after \d+ ms · 63 of 204 pages · 63 credits debited · 141 credits saved$/,
      ),
    ]);
    expect(await page.locator('#pages').innerText()).toBe('141'); // 204 pages, 63 processed
    expect(await page.locator('#credits').innerText()).toBe('141');
    expect(wrong).toEqual([]);
  });

  test.each(schemes)(
    'after an ambiguous answer shows no other job, and one press cancels a candidate, %s',
    async (scheme) => {
      const { page } = await open(scheme);
      const twin = scheme === 'light' ? 'job_twin10000000000000000000007893' : 'job_twin20000000000000000000007893';
      await run.addJob(`order-twins-${scheme}`, `${twin}a`);
      await run.addJob(`order-twins-${scheme}`, `${twin}b`);
      await page.getByRole('button', { name: 'Cancel the job' }).click();
      await timeline(page).getByText('outcome: cancelled').waitFor();

      await page.getByLabel('externalId', { exact: true }).fill(`order-twins-${scheme}`);
      await page.getByRole('button', { name: 'Cancel the job' }).click();
      await answer(page).getByText('409 Conflict').waitFor();
      expect(await timeline(page).isVisible()).toBe(false);
      expect(await page.locator('.happens').innerText()).not.toContain('order-7890');
      expect(await page.getByRole('button', { pressed: true }).count()).toBe(0);
      await expectAccessible(page);
      await answer(page)
        .getByRole('button', { name: `${twin}b` })
        .click();

      await answer(page).getByText('200 OK').waitFor();
      await page.locator('#chosen-job').getByText(`${twin}b`).waitFor();
      await timeline(page).getByText('outcome: cancelled').waitFor();
      expect(await page.locator('#raw').innerText()).toContain(
        `{"externalId":"order-twins-${scheme}","jobId":"${twin}b"}`,
      );
    },
  );

  test('keeps its key through a reload, in another tab and out of the address', async () => {
    const { page } = await open();

    await page.reload();
    await watching(page);
    const other = await page.context().newPage();
    await other.goto(`${run.baseUrl}/console`);
    await watching(other);

    expect([page.url(), other.url()]).toEqual([`${run.baseUrl}/console`, `${run.baseUrl}/console`]);
  });

  test.each(['', '#a-key-of-another-run'])('says what to open when its address ends in "%s"', async (end) => {
    const { page } = await browser.openPage(run.baseUrl);

    await page.goto(`${run.baseUrl}/console${end}`);
    await page.locator('#notice').getByText('Open the whole address that npm start printed').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.locator('#live').getByText('This page has no key of the run.').waitFor();
    await page.goto(run.consoleUrl);
    await watching(page);
  });

  test.each(schemes)('shows a fault from its beginning to its end, %s', async (scheme) => {
    const { page, wrong } = await open(scheme);

    const faults = await scenes(page, 'Cause a fault');
    await faults.getByRole('button', { name: 'Plangrep answers 503' }).click();
    await faults.getByRole('button', { name: 'Plangrep answers 503', pressed: true }).waitFor();
    await page.locator('#fault').getByText('A fault is on: Plangrep answers 503.').waitFor();
    const jobs = await scenes(page, 'Add a job');
    await jobs.getByRole('button', { name: 'cancels it at once' }).click();
    await answer(page).getByText('202 Accepted').waitFor();
    await timeline(page).getByText('HTTP 503').waitFor();
    await timeline(page).getByText('Next look').waitFor();
    await way(page).locator('li.late').getByText('answered HTTP 503').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Back to normal' }).click();
    await page.locator('#fault').waitFor({ state: 'hidden' });

    expect(await page.getByRole('button', { pressed: true }).allInnerTexts()).toEqual([
      expect.stringMatching(/^order-/),
    ]);
    await expectAccessible(page);
    expect(wrong).toEqual([]);
  });

  test('adds a job that is cancelled later', async () => {
    const { page } = await open();

    const jobs = await scenes(page, 'Add a job');
    await jobs.getByLabel('Cancel it at once').uncheck();
    await jobs.getByRole('button', { name: 'has two running jobs' }).click();

    await page.locator('#live').getByText('is there: cancel it.').waitFor();
    expect(await page.getByLabel('externalId', { exact: true }).inputValue()).toMatch(/^order-[0-9a-f]{8}$/);
  });

  test('shows what happens elsewhere as it happens, and announces it', async () => {
    const { page } = await open();
    await run.addJob('order-elsewhere', 'job_elsewhere');

    await run.call('acme', 'POST /v1/cancellations', { externalId: 'order-elsewhere' });

    await page.locator('#live').getByText('order-elsewhere: cancelled').waitFor();
    await page.getByRole('button', { name: 'order-elsewhere' }).click();
    await page.locator('#chosen-job').getByText('job_elsewhere').waitFor();
    expect(await answer(page).innerText()).toBe('');
  });

  test('meets a problem, with the way to its page, and is back to normal', async () => {
    const { page, wrong } = await open();

    const problems = await scenes(page, 'Meet a problem');
    await problems.getByRole('button', { name: 'temporarily_unavailable' }).click();
    await answer(page).getByText('503 Service Unavailable').waitFor();
    await page.locator('#live').getByText('Answered 503: temporarily_unavailable.').waitFor();
    await expectAccessible(page);
    await expect.poll(() => run.faults.current).toBeUndefined();
    await answer(page).getByRole('link', { name: 'What it means and what to do' }).click();

    await page.getByRole('heading', { level: 1, name: 'Temporarily unavailable' }).waitFor();
    expect(wrong).toEqual([]);
  });

  test('shows the cancellation of a request that was answered too late', async () => {
    const { page } = await open();

    const problems = await scenes(page, 'Meet a problem');
    await problems.getByRole('button', { name: 'gateway_timeout' }).click();

    await answer(page).getByText('504 Gateway Timeout').waitFor();
    await timeline(page).getByText('outcome: cancelled').waitFor();
  });

  test('says so when a credential is revoked while the page is open', async () => {
    const { page } = await open();
    const { client, tableNames } = run.dynamodb;
    await client.send(
      new UpdateItemCommand({
        TableName: tableNames.Partners,
        Key: { pk: { S: 'key#globexlocal1' } },
        UpdateExpression: 'SET revokedAt = :at',
        ExpressionAttributeValues: { ':at': { S: new Date().toISOString() } },
      }),
    );

    await page.getByLabel('Partner').selectOption('globex');
    await page.getByRole('button', { name: 'Cancel the job' }).click();

    await answer(page).getByText('401 Unauthorized').waitFor();
    await page.locator('#notice').getByText("The run rejects this partner's credential.").waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.locator('#notice').innerText()).toBe('');
  });

  test('can be used with the keyboard only', async () => {
    const { page } = await open();
    await run.addJob('order-by-key', 'job_by_key_1');
    await run.addJob('order-by-key', 'job_by_key_2');
    const pressUntil = async (name: RegExp): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate('document.activeElement.textContent.trim()');
        if (name.test(String(focused))) return;
      }
      throw new Error(`Tab never reaches ${name}`);
    };
    const externalId = page.getByLabel('externalId', { exact: true });
    await externalId.focus();
    await externalId.fill('order-by-key');

    await page.keyboard.press('Enter');
    await answer(page).getByText('409 Conflict').waitFor();
    await pressUntil(/^Cancel this one.*job_by_key_1/);
    await page.keyboard.press('Enter');
    await timeline(page).getByText('outcome: cancelled').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('happens');
    await externalId.focus();
    await pressUntil(/^Choose an order/);
    await pressUntil(/^Cause a fault/);
    await page.keyboard.press('Enter');
    await pressUntil(/^The function crashes/);
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'The function crashes', pressed: true }).waitFor();
    await page.locator('h1').click();
    await pressUntil(/^Back to normal$/);
    await page.keyboard.press('Enter');
    await page.locator('#fault').waitFor({ state: 'hidden' });

    expect(run.faults.current).toBeUndefined();
  });
});
