import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { archiveChanges } from '../../../functions/core/archive/archive-changes.ts';
import { archivedLineSchema } from '../../../functions/core/archive/archived-line.ts';
import { givenArchive } from '../../support/given-archive.ts';
import { at, closed, requested, storedStream } from '../../support/stored-streams.ts';

const chapter = readFileSync(new URL('../../../docs/audit-format.md', import.meta.url), 'utf8').split(
  '### Asking it with SQL',
)[1];
const [definition = '', question = ''] = [...(chapter ?? '').matchAll(/```sql\n([^]*?)```/g)].map(
  ([, sql]) => sql ?? '',
);

/** The columns of the documented table: what Athena's serde takes from each line by their names. */
const columns = [...definition.slice(0, definition.indexOf('PARTITIONED')).matchAll(/`?(\w+)`? (int|string)\b/g)].map(
  ([, name = '']) => name,
);

test('the documented table has the fields of a line, and the documented query counts each change once', async () => {
  const { ports, names, text } = await givenArchive();
  const events = storedStream([requested, closed]);
  const changes = ['acme#job_1', 'acme#job_2'].flatMap((partition, job) =>
    events.map(({ key, fields }, index) => {
      const sequence = String(100 + 10 * job + index);
      return { partition, key, sequence, atMs: Date.parse(at), after: fields, isExpiry: false };
    }),
  );
  await archiveChanges(ports, changes);
  // Half of it once more, as after a halved batch.
  await archiveChanges(ports, changes.slice(2));
  const files = await names('records/');
  expect(files).toHaveLength(2);

  const database = new DatabaseSync(':memory:');
  const quoted = columns.map((name) => `"${name}"`);
  database.exec(`CREATE TABLE cancellation_archive (${quoted.join()}, day)`);
  const insert = database.prepare(
    `INSERT INTO cancellation_archive VALUES (${columns.map((name) => `json_extract(?1, '$.${name}')`).join()}, ?2)`,
  );
  for (const name of files) {
    const [, day = ''] = /day=([\d-]+)\//.exec(name) ?? [];
    for (const line of (await text(name)).split('\n').slice(0, -1)) insert.run(line, day);
  }
  const sql = question
    .replaceAll('json_extract_scalar', 'json_extract')
    .replace('2026-11-26', at.slice(0, 'YYYY-MM-DD'.length));

  expect(columns).toEqual(Object.keys(archivedLineSchema.shape));
  expect(database.prepare(sql).all()).toEqual([{ outcome: 'cancelled', cancellations: 2 }]);
  expect(database.prepare('SELECT count(*) AS lines FROM cancellation_archive').get()).toEqual({ lines: 6 });
});
