import { DIGESTS_PREFIX, RECORDS_PREFIX } from '../../functions/core/archive/digest.ts';

/** The two folders of the archive's bucket, by the resource that stands for each: roles are given one by one. */
export const archiveFolders = { ArchiveRecords: RECORDS_PREFIX, ArchiveDigests: DIGESTS_PREFIX } as const;
