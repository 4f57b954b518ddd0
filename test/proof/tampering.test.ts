import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runSoakArchive } from './soak-archive.ts';
import { forgeries, rowsWithoutForgery, runTampering, unfindable } from './tampering.ts';

/** The short form: `npm run proof -- --only tampering` plays every forgery. */
describe('the tampering matrix', () => {
  test('is found as it says, and logs that nothing was done to are found clean', { timeout: 600_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`tampering: --seed ${seed}`);

    const { violations, figures } = await runTampering({ seed, combinations: 3, untouched: 3, oneOf: 12 });

    expect(violations).toEqual([]);
    expect(figures.found).toBeGreaterThan(0);
    expect(figures.falseAlarms).toBe(0);
    expect(figures.untouchedRecords).toBeGreaterThan(50);
  });

  test('has every place, each with those that may and those that may not', () => {
    const places = Map.groupBy(forgeries, ({ place }) => place);
    const sizes = Object.fromEntries([...places].map(([place, { length }]) => [place, length]));

    expect(Object.keys(sizes).toSorted()).toEqual(['archive', 'clocks', 'digests', 'keys', 'settings', 'table']);
    expect(forgeries.length).toBeGreaterThan(400);
    for (const place of ['table', 'settings', 'archive', 'digests', 'keys'] as const) {
      const kinds = new Set(places.get(place)?.map(({ expected }) => 'refusedBy' in expected));
      expect([place, kinds]).toEqual([place, new Set([true, false])]);
    }
  });

  test('names the same rows as docs/audit.md where nothing can be found', () => {
    const [, section = ''] = readFileSync('docs/audit.md', 'utf8').split('## What cannot be found');
    const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (.+?) \|/gm)].map(([, row = '']) => row);
    const documented = rows.filter((row) => row !== 'what was done' && row !== '---');

    const played = [...new Set(unfindable.map(({ row }) => row)), ...rowsWithoutForgery];
    expect(documented.toSorted()).toEqual(played.toSorted());
  });
});

test('the soak into the archive: every record is there, and nothing is found', { timeout: 60_000 }, async () => {
  const { violations, figures } = await runSoakArchive({ cancellations: 300, seed: 1 });

  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ findings: 0, falseAlarms: 0, cancellations: 300 });
  expect(figures.records).toBeGreaterThan(600);
  expect(figures.lines - figures.duplicates).toBe(figures.records);
});
