import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../support/run-command.ts';

test('npm run demo plays every story as the stories say', { timeout: 60_000 }, async () => {
  const { stdout, stderr, code } = await runCommand('demo', ['--json'], { cwd: mkdtempSync(join(tmpdir(), 'demo-')) });

  expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
