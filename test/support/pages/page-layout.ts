import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** A telephone, a tablet, a laptop, a large screen. */
export const widths = [390, 768, 1366, 1920] as const;

const source = readFileSync(new URL('./find-layout-faults.client.js', import.meta.url), 'utf8');
const findLayoutFaults = `(() => { ${source.replace('export function', 'return function')} })()()`;

/**
 * Checks that a page, as it is now, has no fault of layout at any of the widths.
 * @see ./find-layout-faults.client.js for what counts as one
 */
export async function expectGoodLayout(page: Page): Promise<void> {
  const before = page.viewportSize();
  const faults: string[] = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: 1000 });
    const found: readonly string[] = await page.evaluate(findLayoutFaults);
    faults.push(...found.map((fault) => `${width} px: ${fault}`));
  }
  if (before !== null) await page.setViewportSize(before);
  expect(faults).toEqual([]);
}
