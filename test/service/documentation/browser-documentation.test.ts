import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { partnerOperations } from '../../../functions/contract/routes.ts';
import { exampleJob } from '../../../functions/simulator/plangrep-jobs.ts';
import { browserPath, expectAccessible, givenBrowser, schemes } from '../../support/pages/browser.ts';
import { givenService } from '../../support/given-service.ts';
import { expectGoodLayout } from '../../support/pages/page-layout.ts';

const job = { status: 'processing', pageCount: 9, successfulPageCount: 2 };

describe.skipIf(browserPath === undefined)('In a browser, the reference', { timeout: 60_000 }, () => {
  const service = givenService();
  const browser = givenBrowser();

  const token = (): string => service.run.partners[0]?.token ?? '';
  const open = async (scheme?: (typeof schemes)[number]) => {
    const opened = await browser.openPage(service.run.baseUrl, scheme);
    await opened.page.goto(`${service.run.baseUrl}/docs`);
    return opened;
  };
  const credential = (page: Page) => page.getByLabel('Credential', { exact: true });
  const cancelForm = (page: Page) => page.getByRole('form', { name: 'Try: Cancel a job' });
  const cancel = async (page: Page, externalId: string) => {
    await cancelForm(page).getByLabel('externalId').fill(externalId);
    await cancelForm(page).getByRole('button', { name: 'Cancel a job' }).click();
  };
  const expectGood = async (page: Page) => {
    await expectGoodLayout(page);
    await expectAccessible(page);
  };

  test('offers every operation, a cancel first', async () => {
    const { page } = await open();

    const lines = (await page.locator('.line').allInnerTexts()).map((line) => line.replaceAll(/\s+/g, ' '));

    expect(lines[0]).toBe('POST /v1/cancellations');
    expect(lines.toSorted()).toEqual(partnerOperations.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  test('succeeds at the first press of every operation, with the jobs of a local run', async () => {
    await service.run.addJob(exampleJob.externalId, exampleJob.id, job);
    const { page, wrong } = await open();
    await credential(page).fill(token());

    const forms = await page.locator('form[data-method]').all();
    for (const form of forms) {
      await form.locator('button.main').click();
      await form.locator('.outcome .badge').waitFor();
      expect(await form.locator('.outcome .badge').innerText()).toBe('200');
    }

    expect(forms).toHaveLength(partnerOperations.length);
    expect(service.run.simulator.job(exampleJob.id)?.status).toBe('cancelled');
    expect(wrong).toEqual([]);
  });

  test('keeps the pasted credential for the tab, masked, until it is told to forget it', async () => {
    const { page } = await open();

    await credential(page).fill(`  -H 'Authorization: Bearer ${token()}' `);
    await credential(page).press('Enter');
    await page.reload();

    expect(await credential(page).inputValue()).toBe(token());
    expect(await credential(page).getAttribute('type')).toBe('password');
    await page.getByRole('button', { name: 'Show' }).click();
    expect(await credential(page).getAttribute('type')).toBe('text');
    await page.getByRole('button', { name: 'Forget it' }).click();
    await page.reload();
    expect(await credential(page).inputValue()).toBe('');
  });

  test.each(schemes)('asks for a credential, and for another where it is not accepted, %s', async (scheme) => {
    const { page } = await open(scheme);

    await cancel(page, 'order-7890');
    await cancelForm(page).getByRole('status').getByText('Paste your credential first').waitFor();
    await cancelForm(page).getByRole('button', { name: 'Go to the credential' }).click();
    await page.keyboard.type(`pcg_local_${'0'.repeat(12)}_${'0'.repeat(43)}`);
    await cancelForm(page).getByLabel('externalId').press('Enter');
    await cancelForm(page).getByRole('status').getByText('No valid credential').waitFor();

    await expectGood(page);
    await cancelForm(page).getByRole('button', { name: 'Go to the credential' }).click();
    expect(await page.evaluate('document.activeElement.id')).toBe('credential-value');
  });

  test.each(schemes)('marks the field that is wrong, %s', async (scheme) => {
    const { page } = await open(scheme);
    await credential(page).fill(token());

    await cancel(page, 'x'.repeat(181));
    await cancelForm(page).getByRole('status').getByText('The request is not valid').waitFor();

    expect(
      await page.evaluate(`[...document.querySelectorAll('[aria-invalid="true"]')].map(({ name }) => name)`),
    ).toEqual(['externalId']);
    await expectGood(page);
  });

  test.each(schemes)('lets a reader choose one of several jobs with a click, %s', async (scheme) => {
    const externalId = `order-twins-${scheme}`;
    for (const jobId of ['a', 'b']) await service.run.addJob(externalId, `job_${jobId}_${scheme}`, job);
    const { page } = await open(scheme);
    await credential(page).fill(token());

    await cancel(page, externalId);
    const choice = page.getByRole('button', { name: `Choose this: job_b_${scheme}` });
    await choice.waitFor();
    await expectGood(page);
    await choice.click();
    await cancelForm(page).getByRole('status').getByText('The job is cancelled.').waitFor();

    expect(service.run.simulator.job(`job_b_${scheme}`)?.status).toBe('cancelled');
    expect(service.run.simulator.job(`job_a_${scheme}`)?.status).toBe('processing');
  });

  test.each(schemes)('says that the service does not answer, and tries again, %s', async (scheme) => {
    await service.run.addJob(`order-away-${scheme}`, `job_away_${scheme}`, job);
    const { page } = await open(scheme);
    await credential(page).fill(token());

    await page.context().setOffline(true);
    await cancel(page, `order-away-${scheme}`);
    await cancelForm(page).getByRole('status').getByText('No answer from').waitFor();
    await expectGood(page);
    await page.context().setOffline(false);
    await cancelForm(page).getByRole('button', { name: 'Try again' }).click();

    await cancelForm(page).getByRole('status').getByText('The job is cancelled.').waitFor();
  });

  test('says what a browser cannot send, in place of the answer before it', async () => {
    const { page, wrong } = await open();
    await credential(page).fill('not one: ✓');

    await cancel(page, 'order-7890');
    await cancelForm(page).getByRole('status').getByText('A browser cannot send this').waitFor({ timeout: 5_000 });

    expect(wrong).toEqual([]);
  });

  test('shows an answer that is not the service’s as it is, rather than saying that there was none', async () => {
    const { page } = await open();
    await credential(page).fill(token());
    await page.route('**/v1/cancellations', (route) =>
      route.fulfill({ contentType: 'text/html', body: 'Log in first' }),
    );

    await cancel(page, 'order-7890');
    await cancelForm(page).locator('.outcome .badge').waitFor({ timeout: 5_000 });

    expect(await cancelForm(page).locator('.answer').innerText()).toContain('Log in first');
  });

  test('is used with the keyboard alone, and says aloud how each request went', async () => {
    await service.run.addJob('order-by-keyboard', 'job_by_keyboard', job);
    const { page } = await open();
    const press = (key: string) => page.keyboard.press(key);
    /** Moves on until the control with this name has the focus, as a reader does. */
    const moveTo = async (name: string) => {
      for (let n = 0; n < 60; n += 1) {
        await press('Tab');
        const focused = await page.evaluate(
          '[document.activeElement.labels?.[0]?.textContent, document.activeElement.textContent].join(" ")',
        );
        if (String(focused).includes(name)) return;
      }
      throw new Error(`"${name}" is not reached`);
    };

    await press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await press('Enter');
    await moveTo('Credential');
    await page.keyboard.type(token());
    await moveTo('externalId');
    await press('Control+a');
    await page.keyboard.type('order-by-keyboard');
    await moveTo('Cancel a job');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await press('Space');
    await cancelForm(page).getByRole('status').getByText('The job is cancelled.').waitFor();
    await moveTo('Read this cancellation');
    await press('Enter');

    const reading = page.getByRole('form', { name: "Try: Read one job's cancellation" });
    await reading.getByRole('status').getByText('The job is cancelled.').waitFor();
    expect(await cancelForm(page).getByRole('status').innerText()).toMatch(/^200 The job is cancelled/);
  });

  test.each(schemes)('has room for the longest ids, and leads on to reading, %s', async (scheme) => {
    const [externalId, jobId] = [`${scheme}-${'x'.repeat(174)}`, `job_${scheme}_${'y'.repeat(118)}`];
    await service.run.addJob(externalId, jobId, job);
    const { page, wrong } = await open(scheme);
    await credential(page).fill(token());

    await cancel(page, externalId);
    await page.getByRole('button', { name: 'Read this cancellation' }).click();
    const reading = page.getByRole('form', { name: "Try: Read one job's cancellation" });
    await reading.getByRole('status').getByText('The job is cancelled.').waitFor();

    await expectGood(page);
    expect(await reading.getByLabel('jobId').inputValue()).toBe(jobId);
    expect(wrong).toEqual([]);
  });
});
