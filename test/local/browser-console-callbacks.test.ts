import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointKey } from '../../functions/adapters/dynamodb/callback-endpoints.ts';
import { toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import type { CallbackRecord } from '../../functions/core/callbacks/callback-record.ts';
import { FORMAT } from '../../functions/core/cancellation/commitment.ts';
import { callbackKey, eventKey, streamKey } from '../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { createConsole } from '../../infra/local/console/create-console.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';
import { acme, jobId } from '../support/names.ts';
import { browserPath, expectAccessible, givenBrowser } from '../support/pages/browser.ts';
import { expectGoodLayout } from '../support/pages/page-layout.ts';

describe.skipIf(browserPath === undefined)('In a browser, the console', { timeout: 60_000 }, () => {
  const browser = givenBrowser();
  let run: TestRun;
  beforeAll(async () => {
    run = await startTestRun({ beside: createConsole, callbacks: 'delivered' });
  });
  afterAll(() => run.close());

  const open = async () => {
    const { page } = await browser.openPage(run.baseUrl);
    await page.goto(run.consoleUrl);
    await page.locator('#connection').getByText('Watching').waitFor();
    return page;
  };
  const cancel = async (page: Page, externalId: string) => {
    await page.getByLabel('externalId', { exact: true }).fill(externalId);
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await timeline(page).getByText('outcome: cancelled').waitFor();
  };
  const timeline = (page: Page) => page.locator('#timeline');
  const way = (page: Page) => page.locator('#way');

  test('receives callbacks as a partner does: it fails, then verifies and confirms, then is gone', async () => {
    const page = await open();
    await page.getByText('Send callbacks').click();
    await page.locator('#endpoints').getByRole('button', { name: 'Nowhere', pressed: true }).waitFor();
    const choice = (name: string, pressed = false) =>
      page.locator('#endpoints').getByRole('button', { name, ...(pressed && { pressed }) });
    await choice('which fails').click();
    await page.locator('#live').getByText('its callback comes to this console').waitFor();
    await run.addJob('order-not-confirmed', 'job_not_confirmed');
    await cancel(page, 'order-not-confirmed');
    await way(page).locator('li.late').getByText('Callback: failed').waitFor();
    await way(page).getByText('HTTP 503').waitFor();
    await choice('which fails', true).waitFor();
    await expectGoodLayout(page);
    await expectAccessible(page);

    await choice('which confirms').click();
    await choice('which confirms', true).waitFor();
    await run.addJob('order-confirmed', 'job_confirmed');
    await cancel(page, 'order-confirmed');
    await way(page).locator('li.done').getByText('Callback: delivered').waitFor();
    await way(page).getByText('HTTP 204').waitFor();
    await expectGoodLayout(page);

    await choice('which is gone').click();
    await choice('which is gone', true).waitFor();
    await run.addJob('order-gone', 'job_gone');
    await cancel(page, 'order-gone');
    await way(page).locator('li.late').getByText('Callback: paused').waitFor();

    await choice('Nowhere').click();
    await page.locator('#live').getByText('No callbacks are sent.').waitFor();
    await run.addJob('order-not-told', 'job_not_told');
    await cancel(page, 'order-not-told');
    expect(await way(page).getByRole('listitem').count()).toBe(4);
  });

  test('presses no choice while an operator has set an endpoint', async () => {
    const page = await open();
    await page.getByText('Send callbacks').click();
    await page.locator('#endpoints').getByRole('button', { name: 'which confirms' }).click();
    const pressed = page.locator('#endpoints').getByRole('button', { pressed: true });
    await pressed.waitFor();

    const { client, tableNames } = run.dynamodb;
    const Item = toItem({ ...endpointKey(acme), url: 'http://127.0.0.1:9/', version: 1 });
    await client.send(new PutItemCommand({ TableName: tableNames.Partners, Item }));

    await expect.poll(() => pressed.count()).toBe(0);
    await page.locator('#endpoints').getByRole('button', { name: 'Nowhere' }).click();
    await pressed.waitFor();
  });

  test('follows the callbacks of a cancellation, attempt by attempt', async () => {
    const page = await open();
    await run.addJob('order-told', 'job_told');
    await cancel(page, 'order-told');
    await timeline(page).getByText('outcome: cancelled').waitFor();
    const write = (number: number, fields: Pick<CallbackRecord, 'result'> & Partial<CallbackRecord>) =>
      writeAttempt(run, number, fields);

    const nextAt = toTimestamp(Date.now() + 5_000);
    await write(1, { result: 'failed', why: 'http_status', httpStatus: 503, nextAt });
    await way(page).locator('li.late').getByText('Callback: failed').waitFor();
    await timeline(page)
      .getByText('attempt 1 · about event 2 · not delivered · http status · HTTP 503 · next')
      .waitFor();
    await expectAccessible(page);
    await write(2, { result: 'paused', why: 'gone' });
    await way(page).locator('li.late').getByText('Callback: paused').waitFor();
    await timeline(page).getByText("kept: the partner's callbacks are paused · gone").waitFor();
    await write(3, { result: 'failed', why: 'timeout' });
    await way(page).locator('li.failed').getByText('Callback: failed').waitFor();
    await write(4, { result: 'delivered', httpStatus: 204 });

    await way(page).locator('li.done').getByText('Callback: delivered').waitFor();
    await timeline(page).getByText('the endpoint confirmed it · HTTP 204').waitFor();
    expect(await way(page).getByRole('listitem').count()).toBe(5);
  });
});

/** An attempt to tell acme how the cancellation of `job_told` ended. */
async function writeAttempt(
  { dynamodb }: TestRun,
  number: number,
  fields: Pick<CallbackRecord, 'result'> & Partial<CallbackRecord>,
): Promise<void> {
  const name = { partnerId: acme, jobId: jobId('job_told') };
  const record: CallbackRecord = {
    type: 'callback',
    format: FORMAT,
    ...name,
    about: eventKey(2),
    notice: 'closed',
    number,
    webhookId: 'webhook-1',
    at: toTimestamp(Date.now()),
    deleteAfter: Math.ceil(Date.now() / 1_000) + 86_400,
    attempt: number,
    ...fields,
  };
  const Item = marshall({ pk: streamKey(name), sk: callbackKey(record), ...record });
  await dynamodb.client.send(new PutItemCommand({ TableName: dynamodb.tableNames.CancellationLog, Item }));
}
