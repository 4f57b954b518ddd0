import { describe, expect, test } from 'vitest';
import { browserPath, expectAccessible, givenBrowser, schemes } from '../../support/browser.ts';
import { givenService } from '../../support/given-service.ts';

describe.skipIf(browserPath === undefined)('In a browser, the documentation', { timeout: 60_000 }, () => {
  const service = givenService();
  const browser = givenBrowser();

  test.each(schemes)('tries a cancel with the pasted credential, %s', async (scheme) => {
    const externalId = `order-in-${scheme}`;
    const { baseUrl, partners } = service.run;
    await service.run.addJob(externalId, `job_${scheme}`, {
      status: 'processing',
      pageCount: 9,
      successfulPageCount: 2,
    });
    const { page, wrong } = await browser.openPage(baseUrl, scheme);

    await page.goto(`${baseUrl}/docs`);
    await page.getByText('Authentication', { exact: true }).first().click();
    await page.locator('input.api-key-input').fill(partners[0]?.token ?? '');
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
    expect(service.run.simulator.job(`job_${scheme}`)?.status).toBe('cancelled');
    await expectAccessible(page);
    expect(wrong).toEqual([]);
  });

  test.each(
    schemes.flatMap((scheme) =>
      ['/docs', '/problems', '/problems/too_many_requests'].map((path) => [path, scheme] as const),
    ),
  )('is accessible and sends requests only to the service: %s, %s', async (path, scheme) => {
    const { baseUrl } = service.run;
    const { page, wrong } = await browser.openPage(baseUrl, scheme);

    await page.goto(baseUrl + path, { waitUntil: 'networkidle' });

    await expectAccessible(page);
    expect(wrong).toEqual([]);
  });

  test('leads from the list of problems to each, and back', async () => {
    const { baseUrl } = service.run;
    const { page } = await browser.openPage(baseUrl);

    await page.goto(`${baseUrl}/problems`);
    await page.getByRole('link', { name: 'gateway_timeout' }).click();
    await page.getByRole('heading', { level: 1, name: 'No answer in time' }).waitFor();
    await page.getByRole('link', { name: 'All problems' }).click();

    expect(page.url()).toBe(`${baseUrl}/problems`);
    expect(await page.getByRole('row').count()).toBeGreaterThan(16);
  });
});
