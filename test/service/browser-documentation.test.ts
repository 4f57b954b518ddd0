import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserPath, expectAccessible, openPage, schemes, startBrowser } from '../support/browser.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

describe.skipIf(browserPath === undefined)('In a browser, the documentation', { timeout: 60_000 }, () => {
  let run: TestRun;
  let browser: Browser;
  beforeAll(async () => {
    [run, browser] = await Promise.all([startTestRun(), startBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await run.close();
  });

  it.each(schemes)('tries a cancel with the pasted credential, %s', async (scheme) => {
    const externalId = `order-in-${scheme}`;
    await run.addJob(externalId, `job_${scheme}`, { status: 'processing', pageCount: 9, successfulPageCount: 2 });
    const { page, wrong } = await openPage(browser, run.baseUrl, scheme);

    await page.goto(`${run.baseUrl}/docs`);
    await page.getByText('Authentication', { exact: true }).first().click();
    await page.locator('input.api-key-input').fill(token(run));
    await page.getByRole('button', { name: 'Set' }).click();
    await expectAccessible(page);
    await page.getByText('Cancel a job', { exact: true }).first().click();
    await page.locator('textarea').first().fill(JSON.stringify({ externalId }));
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.getByText('Response Status: OK (200)').waitFor();
    await page.getByText(`"job_${scheme}"`, { exact: true }).waitFor();
    const answered = await page.locator('syntax-highlighter:visible .token.string').allInnerTexts();

    expect(answered).toEqual(expect.arrayContaining([`"${externalId}"`, '"closed"', '"cancelled"']));
    expect(run.simulator.job(`job_${scheme}`)?.status).toBe('cancelled');
    await expectAccessible(page);
    expect(wrong).toEqual([]);
  });

  it.each(
    schemes.flatMap((scheme) =>
      ['/docs', '/problems', '/problems/too_many_requests'].map((path) => [path, scheme] as const),
    ),
  )('is accessible and asks nobody else: %s, %s', async (path, scheme) => {
    const { page, wrong } = await openPage(browser, run.baseUrl, scheme);

    await page.goto(run.baseUrl + path, { waitUntil: 'networkidle' });

    await expectAccessible(page);
    expect(wrong).toEqual([]);
  });

  it('leads from the list of problems to each, and back', async () => {
    const { page } = await openPage(browser, run.baseUrl);

    await page.goto(`${run.baseUrl}/problems`);
    await page.getByRole('link', { name: 'gateway_timeout' }).click();
    await page.getByRole('heading', { level: 1, name: 'No answer in time' }).waitFor();
    await page.getByRole('link', { name: 'All problems' }).click();

    expect(page.url()).toBe(`${run.baseUrl}/problems`);
    expect(await page.getByRole('row').count()).toBeGreaterThan(16);
  });
});

const token = ({ partners }: TestRun): string => partners[0]?.token ?? '';
