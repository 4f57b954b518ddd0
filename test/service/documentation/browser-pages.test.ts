import { describe, expect, test } from 'vitest';
import { problems } from '../../../functions/contract/problems.ts';
import { browserPath, expectAccessible, givenBrowser, schemes } from '../../support/pages/browser.ts';
import { givenService } from '../../support/given-service.ts';
import { expectGoodLayout } from '../../support/pages/page-layout.ts';

const paths = ['/', '/docs', '/problems', '/problems/job_already_terminal', '/problems/nothing'];

describe.skipIf(browserPath === undefined)('In a browser, the pages', { timeout: 60_000 }, () => {
  const service = givenService();
  const browser = givenBrowser();

  test.each(schemes.flatMap((scheme) => paths.map((path) => [path, scheme] as const)))(
    '%s, %s: are accessible, well laid out at every width, and send requests only to the service',
    async (path, scheme) => {
      const { baseUrl } = service.run;
      const { page, wrong } = await browser.openPage(baseUrl, scheme);

      await page.goto(baseUrl + path, { waitUntil: 'networkidle' });
      for (const summary of await page.locator('main summary').all()) await summary.click();

      await expectGoodLayout(page);
      await expectAccessible(page);
      expect(wrong).toEqual([]);
    },
  );

  test('lead from the front to the reference, and from the list of problems to each and back', async () => {
    const { baseUrl } = service.run;
    const { page } = await browser.openPage(baseUrl);

    await page.goto(baseUrl);
    await page.getByText(`export CANCELLATION_URL=${baseUrl}`).waitFor();
    await page.getByRole('link', { name: 'Read and try the API' }).click();
    await page.getByRole('heading', { level: 2, name: 'Cancel a job' }).waitFor();
    await page.getByRole('link', { name: 'Problems' }).click();
    await page.getByRole('link', { name: 'gateway_timeout' }).click();
    await page.getByRole('heading', { level: 1, name: 'No answer in time' }).waitFor();
    await page.getByRole('link', { name: 'All problems' }).click();

    expect(page.url()).toBe(`${baseUrl}/problems`);
    expect(await page.getByRole('row').count()).toBe(Object.keys(problems).length + 1);
  });

  test('weigh less than 250 KB each, with all that they request', async () => {
    const { baseUrl } = service.run;
    const weights: number[] = [];
    for (const path of paths) {
      const { page } = await browser.openPage(baseUrl);
      const bytes: Promise<number>[] = [];
      page.on('response', (response) => bytes.push(response.body().then((body) => body.byteLength)));
      await page.goto(baseUrl + path, { waitUntil: 'networkidle' });
      weights.push((await Promise.all(bytes)).reduce((sum, one) => sum + one, 0));
    }

    expect(weights.filter((weight) => weight === 0 || weight >= 250_000)).toEqual([]);
  });

  test('copy code, and say so', async () => {
    const { baseUrl } = service.run;
    const { page } = await browser.openPage(baseUrl);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);

    await page.goto(baseUrl);
    const button = page.getByRole('button', { name: 'Copy Cancel order-7890' });
    await button.click();
    await page.getByRole('button', { name: /^Copied/ }).waitFor();

    expect(await page.evaluate('navigator.clipboard.readText()')).toContain(`-d '{"externalId":"order-7890"}'`);
  });
});
