import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { browserPath, startBrowser } from './start-browser.ts';

export { browserPath, startBrowser };

if (browserPath === undefined) {
  console.warn('No browser is installed, so its tests are skipped: install Chromium, or set CHROMIUM_PATH.');
}

export const schemes = ['light', 'dark'] as const;

export interface WatchedPage {
  readonly page: Page;
  /** What must not happen: requests to another origin, errors of scripts, and what the page's own policy has stopped. */
  readonly wrong: readonly string[];
}

export interface GivenBrowser {
  /** A page with a fresh context, closed when the test is over. */
  openPage(origin: string, colorScheme?: (typeof schemes)[number]): Promise<WatchedPage>;
}

/** Starts a browser before the tests of this `describe` and closes it after them. */
export function givenBrowser(): GivenBrowser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  return {
    openPage(origin, colorScheme = 'light') {
      if (browser === undefined) throw new Error('The browser runs only during the tests');
      return openPage(browser, origin, colorScheme);
    },
  };
}

export async function openPage(
  browser: Browser,
  origin: string,
  colorScheme: (typeof schemes)[number] = 'light',
): Promise<WatchedPage> {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1440, height: 1000 } });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong: string[] = [];
  context.on('request', (request) => {
    const { protocol, origin: target } = new URL(request.url());
    if (target !== origin && protocol !== 'data:') wrong.push(`request to ${request.url()}`);
  });
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) wrong.push(message.text());
  });
  return { page, wrong };
}

/** Checks that axe finds nothing, shadow roots included. */
export async function expectAccessible(page: Page): Promise<void> {
  // The pages have no frames. Without the legacy mode axe opens another page for every report.
  const { violations, passes } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  expect(found).toEqual([]);
  expect(passes.length).toBeGreaterThan(10);
}
