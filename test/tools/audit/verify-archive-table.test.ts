import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHash } from 'node:crypto';
import { hashEvent } from '../../../functions/core/cancellation/chain.ts';
import { eventKey } from '../../../functions/core/cancellation/stream-key.ts';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { toRecord } from '../../../infra/cli/audit/scan-log.ts';
import { type ArchiveBuilder, createArchive, createSealPair, writing } from '../../support/archive-builder.ts';
import { archiveTable, auditArchive } from '../../support/audit-archive.ts';
import { type AuditedTable, startAuditedTable } from '../../support/audited-table.ts';
import { documentedJob } from '../../support/names.ts';
import { closed, ended, requested } from '../../support/stored-streams.ts';

const pair = createSealPair();
let table: AuditedTable;
let archive: ArchiveBuilder;
beforeEach(async () => {
  table = await startAuditedTable();
  archive = createArchive(pair);
  archive.setTime('12:30');
  await archiveTable(archive, table);
  archive.setTime('13:00');
  archive.seal();
});
afterEach(() => table.close());
const audit = () =>
  auditArchive(archive, [pair], {
    table: { client: table.client, table: table.name, place: table.url },
    nowMs: Date.parse('2026-11-23T13:10:00Z'),
  });
const findings = async () => (await audit()).findings;

test('nothing is found in a table that is what its archive says', async () => {
  const { findings: found, totals } = await audit();
  expect(found).toEqual([]);
  expect(totals).toMatchObject({ records: 11, inTable: 11, waiting: 0, streams: 3, closed: 2 });
});

describe('a table that', () => {
  test('has another closing, with a right hash: the chain alone would not show it', async () => {
    const { fields } = toRecord(await table.take(documentedJob, 5));
    const forged = { ...fields, outcome: 'too_late' };
    await table.edit(documentedJob, 5, 'outcome', { S: 'too_late' });
    await table.edit(documentedJob, 5, 'hash', { S: hashEvent(forged) });
    expect(await findings()).toEqual([`differs ${eventKey(5)}`]);
  });

  test('has lost a whole stream, the newest events, or one record', async () => {
    for (const seq of [1, 2, 3, 4, 5]) await table.remove(documentedJob, seq);
    await table.remove('job_short', 2);
    const found = await findings();
    expect(found).toContain(`deleted acme#${documentedJob}`);
    expect(found).toContain(`cut_off ${eventKey(2)}`);

    await table.remove('job_open', 1);
    expect(await findings()).toContain(`deleted ${eventKey(1)}`);
  });

  test('has a stream that the archive should have, unless it is too new to be sealed', async () => {
    await table.write('job_inserted', [requested, ended(1), closed]);
    expect(await findings()).toEqual([1, 2, 3].map((seq) => `inserted ${eventKey(seq)}`));
  });

  test('has what the archive has not sealed yet: it is counted, and not judged', async () => {
    await table.write('job_new', [requested, closed]);
    const items = [await table.take('job_new', 1), await table.take('job_new', 2)];
    archive.setTime('13:05');
    archive.put(items.map((item) => writing('acme#job_new', toRecord(item))));
    const { findings: found, totals } = await audit();
    expect(found).toEqual([]);
    expect(totals).toMatchObject({ waiting: 2, unsealed: 2 });
  });

  test('has lost a text: only an erasure on record explains it', async () => {
    const item = await table.take('job_short', 1);
    const { externalId: _, externalIdSalt: _salt, reason: _reason, reasonSalt: _reasonSalt, ...bare } = item;
    await table.put(bare, 'job_short', 1);
    expect(await findings()).toEqual(['altered 1']);
  });

  test('has what was never a record of this service', async () => {
    await table.putItem(toItem({ pk: 'acme#job_open', sk: 'note', hash: createHash('sha256').digest('hex') }));
    expect(await findings()).toEqual(['foreign note', 'inserted note']);
  });
});
