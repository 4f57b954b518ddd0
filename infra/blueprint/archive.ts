import type { Resource } from './roles.ts';

/** The two folders of the archive's bucket, which roles are given one by one. */
export const archiveFolders = { ArchiveRecords: 'records/', ArchiveDigests: 'digests/' } as const satisfies Partial<
  Record<Resource, string>
>;
