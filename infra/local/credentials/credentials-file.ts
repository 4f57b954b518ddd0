import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod/mini';
import { reasonOf } from '../../explain-system-error.ts';
import { hasConsoleKey } from './console-key.ts';

/** Where the credentials of a run are. */
export type CredentialsFile =
  | { readonly kind: 'none' }
  | { readonly kind: 'written'; readonly path: string }
  /** Another run, at `other`, has its own in the file that was asked for. */
  | { readonly kind: 'beside'; readonly path: string; readonly asked: string; readonly other: string }
  /** The run works without it; the commands that look for it do not find the run. */
  | { readonly kind: 'unwritable'; readonly path: string; readonly reason: string };

/** What a run writes: its addresses and keys. */
export interface Credentials {
  readonly baseUrl: string;
  readonly consoleUrl: string;
}

/**
 * Writes the credentials of a run, readable only for the owner. The file of another run that is still up stays: this
 * run's credentials are then written beside it, under its port.
 */
export async function writeCredentials(asked: string, credentials: Credentials): Promise<CredentialsFile> {
  const other = await readOther(asked);
  // A run that was killed on this port has left its own.
  const isOtherUp = other !== undefined && other.baseUrl !== credentials.baseUrl && (await isUp(other));
  const path = isOtherUp ? asked.replace(/(\.json)?$/, `-${new URL(credentials.baseUrl).port}$1`) : asked;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(explainFolder);
    await writeFile(`${path}.new`, textOf(credentials), { mode: 0o600 });
    await chmod(`${path}.new`, 0o600); // `mode` has no effect on a file that exists.
    await rename(`${path}.new`, path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? reasonOf(String(error.code)) : undefined;
    if (reason === undefined) throw error;
    return { kind: 'unwritable', path, reason };
  }
  return isOtherUp ? { kind: 'beside', path, asked, other: other.baseUrl } : { kind: 'written', path };
}

/** A file, or a link that leads nowhere, where the folder should be: for `mkdir` alone these codes mean no bug. */
function explainFolder(error: NodeJS.ErrnoException): never {
  const isInTheWay = error.code === 'EEXIST' || error.code === 'ENOENT';
  throw isInTheWay ? Object.assign(new Error(error.message, { cause: error }), { code: 'ENOTDIR' }) : error;
}

/** Removes what {@link writeCredentials} wrote, unless another run has written there since. */
export async function removeCredentials(file: CredentialsFile, credentials: Credentials): Promise<void> {
  if (file.kind !== 'written' && file.kind !== 'beside') return;
  const current = await readFile(file.path, 'utf8').catch(() => undefined);
  if (current === textOf(credentials)) await rm(file.path, { force: true });
}

function textOf(credentials: Credentials): string {
  return `${JSON.stringify(credentials, null, 2)}\n`;
}

const loopbackUrl = z.url().check(z.regex(/^http:\/\/127\.0\.0\.1:\d{1,5}(\/console#[\w-]+)?$/));
const credentialsSchema = z.object({ baseUrl: loopbackUrl, consoleUrl: loopbackUrl });

/** @returns undefined for a file that is not there, or is not that of a run */
async function readOther(path: string): Promise<Credentials | undefined> {
  try {
    if (!(await stat(path)).isFile()) return undefined; // To open a pipe would wait for its other end.
    return credentialsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** The port may have gone to another program since: only a run of this folder has the key. */
function isUp({ baseUrl, consoleUrl }: Credentials): Promise<boolean> {
  return hasConsoleKey(baseUrl, new URL(consoleUrl).hash.slice(1));
}
