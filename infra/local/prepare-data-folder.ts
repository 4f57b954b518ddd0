import { chmod, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * A process that makes a data folder ready, started by `data-folder.ts`, which can end it: where a path hangs, so does
 * every process that waits for it. It prints as JSON what is in the way, and nothing when nothing is.
 */
export type InTheWay =
  /** Of the file system: `EACCES`. */
  | { readonly kind: 'error'; readonly code: string; readonly path: string }
  | { readonly kind: 'not_a_folder' | 'of_another_user' | 'other_files' }
  | { readonly kind: 'not_a_file'; readonly path: string };

/** `folders`: those that a run makes in it; by the first one a data folder is recognized. */
const [path = '', ...folders] = process.argv.slice(2);
const found = await prepare().catch(readError);
if (found !== undefined) process.stdout.write(JSON.stringify(found));

async function prepare(): Promise<InTheWay | undefined> {
  await makeFolder(path);
  const { mode } = await stat(path);
  const names = await readdir(path);
  const isOwn = names.length === 0 || names.includes(String(folders[0]));
  if (!isOwn && (mode & 0o077) !== 0) return { kind: 'other_files' };
  const entries = isOwn ? await readdir(path, { recursive: true, withFileTypes: true }) : [];
  for (const entry of entries) {
    const isRight = entry.isFile() || (entry.isDirectory() && folders.includes(entry.name));
    // A pipe or a device: to open it may wait for ever.
    if (!isRight) return { kind: 'not_a_file', path: join(entry.parentPath, entry.name) };
  }
  try {
    if (isOwn) await chmod(path, 0o700);
    for (const entry of entries) await chmod(join(entry.parentPath, entry.name), entry.isFile() ? 0o600 : 0o700);
  } catch (error) {
    if (codeOf(error) === 'EPERM') return { kind: 'of_another_user' };
    throw error;
  }
  await tryToWrite();
  return undefined;
}

/** Not with `recursive`, which tries for ever where a folder is there and takes none, such as `/proc`. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder, { mode: 0o700 }).catch((second: unknown) => {
      if (codeOf(second) !== 'EEXIST') throw second;
    });
  }
}

/** With as much as a run writes when it starts. */
async function tryToWrite(): Promise<void> {
  const trial = join(path, `.trial-${process.pid}`);
  try {
    const file = await open(trial, 'wx', 0o600);
    try {
      await file.writeFile(Buffer.alloc(262_144));
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(trial, { force: true });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function readError(error: unknown): InTheWay {
  const code = codeOf(error);
  if (typeof code !== 'string') throw error;
  if (code === 'ENOTDIR' || code === 'EEXIST') return { kind: 'not_a_folder' };
  return { kind: 'error', code, path };
}
