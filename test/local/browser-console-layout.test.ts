import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { externalIdSchema, jobIdSchema, partnerIdSchema } from '../../functions/core/identifiers.ts';
import { createConsole } from '../../infra/local/console/create-console.ts';
import { writeUnknownJob } from '../../infra/local/past-cancellations.ts';
import { browserPath, expectAccessible, givenBrowser, schemes } from '../support/pages/browser.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';
import { expectGoodLayout } from '../support/pages/page-layout.ts';

describe.skipIf(browserPath === undefined)('The console looks good', { timeout: 90_000 }, () => {
  const browser = givenBrowser();
  let run: TestRun;
  beforeAll(async () => {
    run = await startTestRun({ beside: createConsole });
  });
  afterAll(() => run.close());

  const open = async (scheme: (typeof schemes)[number] = 'light') => {
    const { page } = await browser.openPage(run.baseUrl, scheme);
    await page.goto(run.consoleUrl);
    await page.locator('#connection').getByText('Watching').waitFor();
    return page;
  };
  const cancel = async (page: Page, externalId: string, status: string) => {
    await page.getByLabel('externalId', { exact: true }).fill(externalId);
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.locator('#answer').getByText(status).waitFor();
  };
  const expectGood = async (page: Page) => {
    await expectGoodLayout(page);
    await expectAccessible(page);
  };
  const topOf = async (element: Locator): Promise<number> => (await element.boundingBox())?.y ?? Number.NaN;

  test.each(schemes)('in each state, %s', async (scheme) => {
    const page = await open(scheme);
    await expectGood(page);

    await cancel(page, 'order-7890', '200 OK');
    await page.locator('#timeline').getByText('outcome: cancelled').waitFor();
    await expectGood(page);
    await cancel(page, 'order-7893', '409 Conflict');
    await expectGood(page);
    await cancel(page, 'order-7891', '202 Accepted');
    await page.locator('#timeline').getByText('Next look').waitFor();
    await expectGood(page);
    await cancel(page, 'order-9999', '404 Not Found');
    for (const summary of ['Add a job', 'Meet a problem', 'Cause a fault']) {
      await page.getByText(summary).click();
      await expectGoodLayout(page);
    }
    await page.getByRole('button', { name: 'Plangrep is too slow' }).click();
    await page.locator('#fault').waitFor();
    await expectGood(page);
    await page.getByRole('button', { name: 'Back to normal' }).click();
    await page.locator('#fault').waitFor({ state: 'hidden' });
  });

  test('and weighs less than 250 KB, with all that it requests', async () => {
    const { page } = await browser.openPage(run.baseUrl);
    const bytes: Promise<number>[] = [];
    page.on('response', (response) => {
      // The stream of changes ends with the page.
      if (!response.url().endsWith('/watch')) bytes.push(response.body().then((body) => body.byteLength));
    });
    await page.goto(run.consoleUrl);
    await page.locator('#stories').getByRole('button').first().waitFor();

    const weight = (await Promise.all(bytes)).reduce((sum, one) => sum + one, 0);

    expect(weight).toBeGreaterThan(10_000);
    expect(weight).toBeLessThan(250_000);
  });

  test('with the longest ids', async () => {
    const page = await open();
    const externalId = 'x'.repeat(180);
    const jobId = `job_${'y'.repeat(124)}`;
    await run.addJob(externalId, jobId);
    await run.addJob(externalId, `${jobId.slice(0, -1)}z`);
    await run.addJob('5f0c1e9a-7d8e-4b7a-9a57-0d8c6c1a4e11', 'job_of_a_uuid');

    await cancel(page, '5f0c1e9a-7d8e-4b7a-9a57-0d8c6c1a4e11', '200 OK');
    await cancel(page, externalId, '409 Conflict');
    await expectGood(page);
    await page.getByRole('button', { name: jobId }).click();
    await page.locator('#timeline').getByText('outcome: cancelled').waitFor();

    await expectGood(page);
    expect(await page.locator('#chosen-name').innerText()).toBe(externalId);
    expect(await page.locator('#chosen-job').innerText()).toBe(jobId);
  });

  test('on a phone: what was pressed and its answer are less than one screen apart', async () => {
    const page = await open();
    await page.setViewportSize({ width: 390, height: 844 });

    for (const [summary, name] of [
      ['Choose an order', 'order-7892'],
      ['Add a job', 'has twenty running jobs'],
      ['Meet a problem', 'invalid_request'],
      ['Meet a problem', 'gateway_timeout'],
    ] as const) {
      const details = page.locator('details[name=scenes]', { hasText: summary });
      if ((await details.getAttribute('open')) === null) await details.locator('summary').click();
      const scene = details.getByRole('button', { name });
      await scene.click();
      await page.locator('#answer .badge').waitFor();

      await expect.poll(() => topOf(page.locator('#answer')), { timeout: 10_000 }).toBeLessThan(844 * 0.6);
      expect(await topOf(page.locator('#answer'))).toBeGreaterThanOrEqual(0);
      expect((await topOf(page.locator('#answer'))) - (await topOf(scene)), name).toBeLessThan(844);
    }
  });

  test('on a laptop: the list takes the height of the window, and the page does not scroll', async () => {
    const page = await open();
    await page.setViewportSize({ width: 1366, height: 768 });

    const area = await page.locator('.rows').boundingBox();

    expect((area?.y ?? 0) + (area?.height ?? 0)).toBeGreaterThan(740);
    expect(area?.height).toBeGreaterThan(420);
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBe(768);
  });

  test('with 500 cancellations: found by a few letters, one stop for the Tab key, and a new one comes first', async () => {
    const write = (n: number): Promise<void> =>
      writeUnknownJob(run.dynamodb, {
        externalId: externalIdSchema.parse(`order-old-${n}`),
        partnerId: partnerIdSchema.parse('acme'),
        jobId: jobIdSchema.parse(`job_old_${n}`),
      });
    for (let n = 0; n < 510; n += 30) await Promise.all(Array.from({ length: 30 }, (_, more) => write(n + more)));
    const page = await open();
    const rows = page.locator('#cancellations tr');
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(500);

    await run.addJob('order-newest', 'job_newest');
    await run.call('acme', 'POST /v1/cancellations', { externalId: 'order-newest' });
    await rows.first().getByText('order-newest').waitFor();
    expect(await rows.count()).toBe(500);
    await page.getByLabel('Outcome').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('End');
    const last = await page.evaluate('document.activeElement.textContent');
    await page.keyboard.press('Home');
    expect([last, await page.evaluate('document.activeElement.textContent')]).toEqual([
      expect.stringMatching(/^order-old-/),
      expect.not.stringMatching(/^order-old-0$/),
    ]);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('PageDown');
    await page.keyboard.press('Enter');
    const chosen = await page.evaluate('document.activeElement.textContent');
    await page.locator('#chosen-name').getByText(String(chosen)).waitFor();
    await page.getByLabel('Find').fill('OLD-49');
    await expect.poll(() => rows.filter({ visible: true }).count()).toBe(11);
    await expectGood(page);
    await page.getByLabel('Outcome').selectOption('cancelled');
    await page.getByText('No cancellation matches the filter.').waitFor();
    await page.getByLabel('Find').fill('');
    await rows.filter({ visible: true }).getByText('order-newest').waitFor();
  });
});
