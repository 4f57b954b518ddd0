import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { keepAnnounced, keepLines } from '../../infra/local/kept-lines.ts';

describe('the file with a run’s lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kept-lines-'));
  const keep = async (name: string, lines: readonly string[], options = {}) => {
    const kept = keepLines(options);
    kept.add('{"before":"it began"}', 'one');
    kept.begin(join(folder, name));
    for (const line of lines) {
      kept.add(line, 'one');
      await sleep(1); // The disk keeps up.
    }
    await kept.close();
  };

  test('is its owner’s alone, and holds nothing of the run before', async () => {
    const path = join(folder, 'a.log');
    writeFileSync(path, 'of the run before\n', { mode: 0o644 });
    writeFileSync(`${path}.1`, 'of the run before\n');

    await keep('a.log', ['{"timestamp":"t"}', 'Segmentation fault']);

    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}.1`)).toBe(false);
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { function: 'one', before: 'it began' },
      { function: 'one', timestamp: 't' },
      { function: 'one', message: 'Segmentation fault' },
    ]);
  });

  test('keeps the newest lines, in two files of half the size', async () => {
    const lines = Array.from({ length: 300 }, (_, n) => `{"n":${n},"text":"${'x'.repeat(80)}"}`);

    await keep('b.log', lines, { mostBytes: 10_000 });

    const [newest, before] = [join(folder, 'b.log'), join(folder, 'b.log.1')].map((path) => readFileSync(path, 'utf8'));
    expect(`${before}${newest}`.length).toBeLessThan(12_000);
    expect(newest).toContain('"n":299,');
    expect(before).not.toContain('"n":0,');
  });

  test('has each event that goes out, which others may see too', () => {
    const lines: string[] = [];
    const seen: string[] = [];
    const onAnnounced = keepAnnounced({ add: (line, from) => lines.push(`${from}: ${line}`) }, (event) =>
      seen.push(event.id),
    );

    onAnnounced({
      version: '0',
      id: 'e-1',
      'detail-type': 'Job Cancellation Closed',
      source: 'plangrep-cancellation',
      account: '000000000000',
      time: '2026-11-26T12:00:00Z',
      region: 'eu-west-1',
      resources: [],
      detail: { jobId: 'job_1' },
    });

    expect(lines).toEqual([
      expect.stringMatching(
        /^outgoing events: \{"timestamp":".+","id":"e-1","detail-type":"Job Cancellation Closed",.+job_1/,
      ),
    ]);
    expect(seen).toEqual(['e-1']);
  });

  test('disturbs no run when it cannot be written', async () => {
    await expect(keep('missing/c.log', ['{"a":1}', '{"a":2}'])).resolves.toBeUndefined();
  });
});
