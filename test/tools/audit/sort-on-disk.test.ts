import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createDiskSort, openWorkFolder } from '../../../infra/cli/audit/sort-on-disk.ts';

const open = () => {
  const folder = openWorkFolder();
  onTestFinished(() => folder.remove());
  return folder;
};

test('sorts any lines, in as many files as it takes', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((any) => !any.includes('\n'));
  const folder = open();
  let sorts = 0;
  fc.assert(
    fc.property(fc.array(line, { maxLength: 200 }), fc.integer({ min: 1, max: 400 }), (lines, characters) => {
      const sort = createDiskSort(folder, `sort-${(sorts += 1)}`, characters);
      for (const one of lines) sort.add(one);
      expect([...sort.sorted()]).toEqual(lines.toSorted());
    }),
    { numRuns: 30 },
  );
});

test('merges more files than may be open at once', () => {
  const sort = createDiskSort(open(), 'many', 1);
  const lines = Array.from({ length: 1_000 }, (_, n) => `line ${(n * 7_919) % 1_000}`);
  for (const line of lines) sort.add(line);
  expect([...sort.sorted()]).toEqual(lines.toSorted());
});

test('leaves nothing behind, whether it ends, is interrupted or is ended', async () => {
  const folder = openWorkFolder();
  createDiskSort(folder, 'x', 1).add('line');
  expect(readdirSync(folder.path)).toEqual(['x-1']);
  folder.remove();
  expect(existsSync(folder.path)).toBe(false);

  const module = new URL('../../../infra/cli/audit/sort-on-disk.ts', import.meta.url).href;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const script = `const { openWorkFolder } = await import('${module}');
      process.stdout.write(openWorkFolder().path);
      setTimeout(() => process.kill(process.pid, '${signal}'), 10);
      setTimeout(() => undefined, 20_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [path, exit] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect({ code: exit[0] as unknown, isThere: existsSync(path) }).toEqual({ code, isThere: false });
    expect(path).toContain('plangrep-audit-');
  }
});
