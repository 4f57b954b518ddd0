/** What the person who started the command can change. Any other code is a bug, or is explained where it occurs. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be too large',
  EIO: 'the disk reports an error',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'something else has that name',
  ELOOP: 'its links form a circle',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'this process has too many open files',
  ENFILE: 'this machine has too many open files',
};

/**
 * The reason in words and the code: `the disk is full (ENOSPC)`.
 * @returns undefined for a code that says nothing to a person
 */
export function reasonOf(code: string | undefined): string | undefined {
  return code !== undefined && Object.hasOwn(reasons, code) ? `${reasons[code]} (${code})` : undefined;
}

/**
 * One line about an error of the file system.
 * @returns undefined for any other error: a bug, whose stack trace is wanted
 */
export function explainSystemError(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const reason = reasonOf(String(error.code));
  if (reason === undefined) return undefined;
  const path = 'path' in error ? String(error.path) : 'A file';
  const isReading = 'syscall' in error && /^(read|scandir|stat|lstat)$/.test(String(error.syscall));
  return `${path} cannot be ${isReading ? 'read' : 'written'}: ${reason}.`;
}
