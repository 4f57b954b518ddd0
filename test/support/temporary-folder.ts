import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Puts the temporary folders of all test files into one, which vitest removes after the last test (its `globalSetup`). */
export default function keepTemporaryFoldersTogether(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'plangrep-cancellation-tests-'));
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
