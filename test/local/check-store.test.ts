import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkStore } from '../../infra/local/aws/store/check-store.ts';
import { openable } from '../../infra/local/aws/store/open-store.ts';
import { readRecords, readTables } from '../../infra/local/aws/store/read-leveldb.ts';
import { temporaryFolder } from './arrange.ts';

/** Writes a megabyte at a time, so that LevelDB makes tables and compacts them; after so many it prints a line, and goes on or closes. */
async function writeStore(store: string, megabytes: number, end: 'closes' | 'is killed'): Promise<void> {
  const script = `
    import { createRequire } from 'node:module';
    import { randomBytes } from 'node:crypto';
    const { Level } = createRequire(${JSON.stringify(createRequire(import.meta.url).resolve('dynalite'))})('level');
    const db = new Level(${JSON.stringify(store)}, { valueEncoding: 'buffer' });
    await db.open();
    const value = randomBytes(65_536);
    for (let n = 1; ; n += 1) {
      await db.batch(Array.from({ length: 16 }, () => ({ type: 'put', key: String(Math.random()), value })));
      if (n !== ${megabytes}) continue;
      console.log(n);
      if (${end === 'closes'}) break;
    }
    await db.close();`;
  const args = ['--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  if (end === 'is killed') {
    await once(child.stdout, 'data');
    await sleep(Math.random() * 200);
    child.kill('SIGKILL');
  }
  await ended;
}

describe('A store of LevelDB', () => {
  test('that a run left which was killed in the middle of compactions is not damaged, 6 times', async () => {
    for (let kills = 0; kills < 6; kills += 1) {
      const store = temporaryFolder();
      await writeStore(store, 60, 'is killed');

      await checkStore(store);
      await openable(store);
      rmSync(store, { recursive: true });
    }
  });

  let store: string;
  const inStore = (name: RegExp): string => join(store, readdirSync(store).find((one) => name.test(one)) ?? 'none');
  /** Those that its MANIFEST names. Closing may leave another one: LevelDB then ends what it was compacting. */
  const tables = (): ReadonlyMap<string, number> => {
    const { records } = readRecords(readFileSync(inStore(/^MANIFEST/)));
    const sizes = readTables(records) ?? new Map<number, number>();
    return new Map([...sizes].map(([number, size]) => [join(store, `${String(number).padStart(6, '0')}.ldb`), size]));
  };
  beforeEach(async () => {
    store = temporaryFolder();
    await writeStore(store, 12, 'closes');
  });

  test('has the tables that its MANIFEST names, with their sizes', () => {
    expect(tables().size).toBeGreaterThan(0);
    for (const [table, size] of tables()) expect(statSync(table).size).toBe(size);
  });

  test('may have what a compaction, or the making of a MANIFEST, left in part', async () => {
    writeFileSync(join(store, '999999.ldb'), readFileSync(inStore(/\.ldb$/)).subarray(0, 1_000));
    writeFileSync(join(store, 'MANIFEST-999998'), '');

    await checkStore(store);
    await openable(store);

    expect(readdirSync(store)).not.toContain('999999.ldb');
  });

  test.each<[string, (table: string) => void]>([
    ['its end is missing or changed', (table) => writeFileSync(table, readFileSync(table).subarray(0, -100))],
    [
      'its end is missing or changed',
      (table) =>
        writeFileSync(
          table,
          readFileSync(table).map((byte, at, all) => (at < all.length - 8 ? byte : 7)),
        ),
    ],
    ['it is missing', (table) => rmSync(table)],
  ])('is damaged when a table that it has is not whole: %s', async (why, damage) => {
    const [table = ''] = tables().keys();
    damage(table);

    await expect(checkStore(store)).rejects.toThrow(`${table} is damaged: ${why}.`);
  });

  test.each([
    ['an entry of another kind', [8]],
    ['a text that is longer than the record', [1, 200, 1]],
  ])('does not have %s in its MANIFEST', (_what, bytes) => {
    expect(readTables([Buffer.from(bytes)])).toBeUndefined();
  });
});
