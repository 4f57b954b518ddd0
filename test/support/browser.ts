import { existsSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

const usualPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
/** The browser of this machine: `CHROMIUM_PATH`, or where one usually is. */
export const browserPath = [process.env['CHROMIUM_PATH'] ?? '', ...usualPaths].find((path) => existsSync(path));
if (browserPath === undefined) {
  console.warn('No browser is installed, so its tests are skipped: install Chromium, or set CHROMIUM_PATH.');
}

/** A browser that asks nobody for anything by itself. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: browserPath ?? '',
    args: [
      '--no-sandbox', // As root there is none.
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

export const schemes = ['light', 'dark'] as const;

/** A page of its own, and all that must not happen on it. */
export interface WatchedPage {
  readonly page: Page;
  /** Requests to anywhere but the run, errors of scripts, and whatever the page's own policy has stopped. */
  readonly wrong: readonly string[];
}

/** Closed when the test is over. */
export const openPage = async (
  browser: Browser,
  origin: string,
  colorScheme: (typeof schemes)[number] = 'light',
): Promise<WatchedPage> => {
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
};

/** What axe finds, shadow roots included: nothing. */
export const expectAccessible = async (page: Page): Promise<void> => {
  const { violations, passes } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  expect(found).toEqual([]);
  expect(passes.length).toBeGreaterThan(10);
};
