import type { Browser } from 'playwright-core';
import { createConsole } from '../../../infra/local/console/create-console.ts';
import { startLocalRun } from '../../../infra/local/run.ts';
import { browserPath, startBrowser } from '../../support/pages/start-browser.ts';
import { atMost, type BenchContext, type BenchPart, type BenchResult } from '../part.ts';
import { show, spreadOf } from '../timing.ts';

/** Each page with what is there only once its script has run. */
const readyBy = {
  '/': '.with-address code:has-text("http://127.0.0.1")',
  '/docs': '.command code:has-text("curl")',
  '/problems': 'table',
  '/console': '#stories button',
} as const;

const limitMs = 1000;

export const pages: BenchPart = {
  name: 'pages',
  title: 'Pages: from the navigation until a reader can use each, in a new browser context on loopback',
  run: (context) => measurePages(context, context.rounds ?? 20),
};

export async function measurePages({ progress }: Pick<BenchContext, 'progress'>, rounds: number): Promise<BenchResult> {
  if (browserPath === undefined) {
    const note = 'Not measured: no browser is installed. Install Chromium, or set CHROMIUM_PATH.';
    return { rows: [], notes: [note], json: [] };
  }
  const run = await startLocalRun({ reconcileEveryMs: 0, beside: createConsole });
  const browser = await startBrowser();
  try {
    const measured = Object.entries(readyBy).map(([path, ready]) => ({ path, ready, ms: [] as number[] }));
    for (let round = -1; round < rounds; round += 1) {
      progress(`round ${round + 1} of ${rounds}`);
      for (const { path, ready, ms } of measured) {
        const address = path === '/console' ? run.consoleUrl : run.baseUrl + path;
        const took = await timePage(browser, address, ready);
        if (round >= 0) ms.push(took);
      }
    }
    const rows = measured.map(({ path, ms }) => {
      const slowest = Math.ceil(Math.max(...ms));
      return {
        what: path,
        figure: `${show(spreadOf(ms), ' ms', 0)}, slowest ${slowest} ms`,
        bar: atMost(slowest, limitMs, ' ms'),
      };
    });
    return { rows, notes, json: measured.map(({ path, ms }) => ({ path, ms })) };
  } finally {
    await browser.close();
    await run.close();
  }
}

/** @returns milliseconds from the navigation until the page has loaded and shows what its script makes */
async function timePage(browser: Browser, address: string, ready: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 } });
  try {
    const page = await context.newPage();
    const began = performance.now();
    await page.goto(address, { waitUntil: 'load' });
    await page.locator(ready).first().waitFor();
    return performance.now() - began;
  } finally {
    await context.close();
  }
}

const notes = ['Nothing is cached, and the first round only warms up. The bar is for the slowest round.'];
