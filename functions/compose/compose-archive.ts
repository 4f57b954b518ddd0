import * as z from 'zod/mini';
import { createKmsClient, createS3Client } from '../adapters/aws-clients.ts';
import { createSigner } from '../adapters/kms/signer.ts';
import { createArchiveStore } from '../adapters/s3/archive-store.ts';
import type { ArchivingPorts } from '../core/archive/archive-changes.ts';
import type { SealingPorts } from '../core/archive/seal-archive.ts';
import { readConfiguration, report, systemClock, text, variables } from './surroundings.ts';

/** For the function that puts what is in the log into the archive. */
export function composeArchiving(): ArchivingPorts {
  const { ARCHIVE_BUCKET } = readConfiguration(z.object({ ARCHIVE_BUCKET: text }));
  return { archive: createArchiveStore(createS3Client(), ARCHIVE_BUCKET), report };
}

/** For the function that seals the archive. */
export function composeSealing(): SealingPorts {
  const configuration = readConfiguration(
    z.object({
      ENVIRONMENT: variables.shape.ENVIRONMENT,
      ARCHIVE_BUCKET: text,
      SEAL_KEY: text,
      SEAL_MARGIN_SECONDS: z.pipe(z.string().check(z.regex(/^\d{1,4}$/)), z.transform(Number)),
    }),
  );
  return {
    archive: createArchiveStore(createS3Client(), configuration.ARCHIVE_BUCKET),
    signer: createSigner(createKmsClient(), configuration.SEAL_KEY),
    environment: configuration.ENVIRONMENT,
    marginMs: configuration.SEAL_MARGIN_SECONDS * 1_000,
    clock: systemClock,
    report,
  };
}
