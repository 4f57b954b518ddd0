import { DIGESTS_PREFIX, RECORDS_PREFIX } from '../../functions/core/archive/digest.ts';
import type { Resource } from './roles.ts';

/** The two folders of the archive's bucket, which roles are given one by one. */
export const archiveFolders = {
  ArchiveRecords: RECORDS_PREFIX,
  ArchiveDigests: DIGESTS_PREFIX,
} as const satisfies Partial<Record<Resource, string>>;
