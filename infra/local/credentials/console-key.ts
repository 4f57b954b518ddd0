import { createHmac, randomBytes } from 'node:crypto';
import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const keyPattern = /^[\w-]{22}$/;

export function createConsoleKey(): string {
  return randomBytes(16).toString('base64url');
}

/**
 * The console's key of a folder, kept beside its credentials, so that an open page continues with the next run. Only its
 * owner can read it. A file that others could have read or written is replaced.
 * @param credentialsPath the file with the credentials of the run
 * @returns a new key where none can be kept: the run works, and a page asks for the new address
 */
export async function keepConsoleKey(credentialsPath: string): Promise<string> {
  const path = join(dirname(credentialsPath), 'console-key');
  const kept = await readKept(path);
  if (kept !== undefined) return kept;
  const key = createConsoleKey();
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const written = `${path}.${process.pid}`;
    await writeFile(written, key, { mode: 0o600, flag: 'wx' });
    await rename(written, path);
  } catch {
    // The run says by itself when the folder of its credentials cannot be written.
  }
  return key;
}

async function readKept(path: string): Promise<string | undefined> {
  try {
    const { mode, uid } = await lstat(path);
    const isOwn = (mode & 0o077) === 0 && uid === process.getuid?.();
    const key = isOwn ? await readFile(path, 'utf8') : '';
    return keyPattern.test(key) ? key : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Shows to a page, or to another run, that the holder of the key listens, without showing the key: another program may
 * have taken the port since.
 * @param host as the asker spells it, so that a proof of one port is none of another
 * @param nonce the asker's
 */
export function proveKey(key: string, host: string, nonce: string): string {
  return createHmac('sha256', key).update(`${host} ${nonce}`).digest('base64url');
}

/** @returns whether the run at this address has the key; it is not sent there */
export async function hasConsoleKey(baseUrl: string, key: string): Promise<boolean> {
  const nonce = createConsoleKey();
  try {
    const response = await fetch(`${baseUrl}/console/api/proof?nonce=${nonce}`, { signal: AbortSignal.timeout(1_000) });
    return response.ok && (await response.text()) === proveKey(key, new URL(baseUrl).host, nonce);
  } catch {
    return false;
  }
}
