import { describe, expect, test } from 'vitest';
import { archiveChanges } from '../../../functions/core/archive/archive-changes.ts';
import { archiveChange } from '../../../functions/core/archive/archived-line.ts';
import type { Change } from '../../../functions/core/archive/judge-change.ts';
import { sealArchive } from '../../../functions/core/archive/seal-archive.ts';
import { toPem } from '../../../functions/core/archive/signer.ts';
import type { StoredRecord } from '../../../functions/core/audit/findings.ts';
import { openBucket } from '../../../infra/cli/audit/archive-source.ts';
import { writing } from '../../support/archive-builder.ts';
import { auditOf } from '../../support/audit-archive.ts';
import { archiveBucket, givenArchive } from '../../support/given-archive.ts';
import {
  closed,
  ended,
  erasedRecord,
  erasedTexts,
  joinedRecord,
  requested,
  storedStream,
  streamName,
} from '../../support/stored-streams.ts';

const HOUR = 3_600_000;
const stream = storedStream([requested, ended(1), closed]);

/** The functions' own archiving and sealing, on the local S3 and KMS, and verify-audit over the bucket. */
async function givenSealed() {
  const given = await givenArchive();
  const { ports, time, s3Client } = given;
  const put = (changes: readonly Change[]) =>
    archiveChanges(
      ports,
      changes.map((change) => ({ ...change, atMs: time.nowMs })),
    );
  return {
    ...given,
    put,
    write: (records: readonly StoredRecord[]) => put(records.map((record) => writing(streamName, record))),
    seal: async () => {
      time.nowMs += HOUR;
      await sealArchive(ports, Number.MAX_SAFE_INTEGER);
    },
    audit: async () =>
      auditOf(openBucket(s3Client, archiveBucket, ''), [{ pem: toPem(await ports.signer.publicKey()) }], {
        nowMs: time.nowMs,
      }),
  };
}

describe('an archive that the functions made', () => {
  test('has no finding, with an erasure, over midnight, and with what is not sealed yet', async () => {
    const { write, put, seal, audit, time } = await givenSealed();
    await write(stream.slice(0, 2));
    await seal();
    await write([...stream.slice(2), joinedRecord()]);
    await seal();
    const [first = joinedRecord()] = stream;
    const { fields } = erasedTexts(first);
    await write([erasedRecord([first.key])]);
    await put([writing(streamName, first, { before: first.fields, after: fields })]);
    time.nowMs += 12 * HOUR;
    await seal();
    expect(await audit()).toMatchObject({
      findings: [],
      totals: { events: 3, joined: 1, erased: 1, closed: 1, records: 6, unsealed: 0 },
    });

    await write(storedStream([requested]));
    expect(await audit()).toMatchObject({ findings: [], totals: { unsealed: 1 } });
  });

  test('shows an overwritten object, although S3 has its first version', async () => {
    const { write, seal, audit, names, text, overwrite } = await givenSealed();
    await write(stream);
    await seal();
    const [name = ''] = await names('records/');
    await overwrite(name, (await text(name)).replace('"outcome":"cancelled"', '"outcome":"too_late"'));
    expect((await audit()).findings).toEqual([`object_altered ${name}`, 'altered 3']);
  });

  test('shows a forger’s object that the sealer has sealed: its lines contradict the true ones', async () => {
    const { write, put, seal, audit, ports } = await givenSealed();
    await write(stream);
    await seal();
    const [, , last = joinedRecord()] = stream;
    const forged = { ...last, fields: { ...last.fields, outcome: 'too_late' } };
    await put([writing(streamName, forged)]);
    const { line = '' } = archiveChange(writing(streamName, forged, { sequence: '1' }));
    await ports.archive.put('records/day=2026-11-26/1-1.ndjson', `${line}\n`);
    await seal();
    const { findings } = await audit();
    expect(findings.filter((finding) => finding.startsWith('contradicted'))).toHaveLength(2);
  });

  test('shows each change of the table that this service never makes', async () => {
    const { put, write, seal, audit } = await givenSealed();
    await write(stream);
    const [first = joinedRecord(), second = joinedRecord(), third = joinedRecord()] = stream;
    const image = (record: StoredRecord) => record.fields;
    await put([writing(streamName, third, { before: image(third), after: { ...image(third), outcome: 'too_late' } })]);
    await put([writing(streamName, second, { before: image(second), after: undefined })]);
    await put([
      writing(streamName, first, {
        before: image(first),
        after: { ...image(first), wakeAt: '9999-01-01T00:00:00.000Z' },
      }),
    ]);
    await put([writing('acme#job_x', { key: 'event#000001', fields: { type: 'invented' } })]);
    await seal();
    expect((await audit()).findings.toSorted()).toEqual([
      `foreign event#000001`,
      `removed ${second.key}`,
      `rewritten ${third.key}`,
      `silenced ${first.key}`,
    ]);
  });
});
