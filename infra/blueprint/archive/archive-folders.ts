import { DIGESTS_PREFIX, KEYS_PREFIX, RECORDS_PREFIX } from '../../../functions/core/archive/digest.ts';

/** The three folders of the archive's bucket, by the resource that stands for each: roles are given one by one. */
export const archiveFolders = {
  ArchiveRecords: RECORDS_PREFIX,
  ArchiveDigests: DIGESTS_PREFIX,
  ArchiveKeys: KEYS_PREFIX,
} as const;
