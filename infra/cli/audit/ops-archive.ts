import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { createArchiveStore } from '../../../functions/adapters/s3/archive-store.ts';
import type { ArchiveStore } from '../../../functions/core/archive/archive-store.ts';
import { KEYS_PREFIX, RECORDS_PREFIX } from '../../../functions/core/archive/digest.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { findNewestDigest } from '../../../functions/core/archive/newest-digest.ts';
import { toPem } from '../../../functions/core/archive/signer.ts';
import { LONGEST_STRETCH_MS } from '../../../functions/core/archive-audit/verify-digests.ts';
import { sealAliasOf } from '../../blueprint/archive/archive-policies.ts';
import { opsCommand } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { labelled, table } from '../terminal.ts';

export const showArchive = opsCommand({
  name: 'archive status',
  summary: 'Shows the newest digest of the sealed archive, and what is not sealed yet.',
  notes: 'The exit code is 1 when there is no digest, when the newest is over two hours old, or when one is not valid.',
  options: {},
  async run({ place, terminal, now }) {
    const archive = await openArchive(place);
    const newest = await findNewestDigest(archive);
    const { valid, invalid = [] } = newest ?? {};
    const ageMs = valid === undefined ? undefined : now - Date.parse(valid.until);
    const unsealed = await countAfter(archive, RECORDS_PREFIX, valid?.until);
    const shown = {
      bucket: archive.bucket,
      digest: valid?.number,
      sealedUntil: valid?.until,
      records: valid?.records,
      objects: valid?.objects.length,
      unsealedObjects: unsealed,
      publicKey: valid?.publicKey,
      invalidDigests: invalid,
    };
    const row = [
      valid?.number ?? 'none',
      valid?.until ?? '',
      valid?.objects.length ?? 0,
      valid?.records ?? 0,
      unsealed,
    ];
    terminal.show(shown, [
      ...table(['DIGEST', 'SEALED UNTIL', 'OBJECTS', 'RECORDS', 'NOT SEALED YET'], [row.map(String)]),
      ...labelled(12, { 'public key': valid?.publicKey, bucket: archive.bucket }),
      ...invalid.map((name) => `Not a valid digest: ${name}. See docs/runbook.md, "Archive altered".`),
    ]);
    return ageMs !== undefined && ageMs <= LONGEST_STRETCH_MS && invalid.length === 0 ? 0 : 1;
  },
});

export const showArchiveKeys = opsCommand({
  name: 'archive keys',
  summary: 'Prints the public key that verifies the digests of now, as PEM, with its fingerprint as a comment.',
  notes: 'Give it to the auditors by another way than the archive: > seal.pem. The keys before are in the archive.',
  options: {},
  async run({ place, terminal }) {
    const kms = new KMSClient({ ...place.kms });
    try {
      const { PublicKey = [] } = await kms.send(new GetPublicKeyCommand({ KeyId: sealAliasOf(place.environment) }));
      const der = Buffer.from(PublicKey);
      const archived: string[] = [];
      for await (const { name } of (await openArchive(place)).list(KEYS_PREFIX)) archived.push(name);
      const [fingerprint, pem] = [sha256(der), toPem(der)];
      terminal.show({ fingerprint, pem, archived }, [
        `# SHA-256 of the key (DER): ${fingerprint}`,
        ...archived.map((name) => `# in the archive: ${name}`),
        ...pem.trimEnd().split('\n'),
      ]);
      return 0;
    } finally {
      kms.destroy();
    }
  },
});

async function openArchive(place: Place): Promise<ArchiveStore> {
  return createArchiveStore(new S3Client({ ...place.s3 }), await place.archiveBucket());
}

/** Objects of the newest days that were put after a time. */
async function countAfter(archive: ArchiveStore, prefix: string, time = ''): Promise<number> {
  const afterMs = time === '' ? 0 : Date.parse(time);
  const days = (await archive.days(prefix)).slice(time === '' ? 0 : -3);
  let found = 0;
  for (const day of days) {
    for await (const { writtenMs } of archive.list(`${prefix}day=${day}/`)) if (writtenMs > afterMs) found += 1;
  }
  return found;
}
