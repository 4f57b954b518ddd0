import { paginateScan } from '@aws-sdk/client-dynamodb';
import { readItems, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { erasedSchema } from '../../../functions/core/cancellation/erased.ts';
import { ERASED_PREFIX } from '../../../functions/core/cancellation/stream-key.ts';
import { readTime } from '../command.ts';
import { opsCommand, readPartner } from '../ops-command.ts';
import { count, printable } from '../terminal.ts';
import { createErasureReport, describeErasures } from './report-erasures.ts';

export const listErasures = opsCommand({
  name: 'erasures',
  summary: 'Lists the erasures on record: who erased what, when and why. It reads the whole log.',
  notes: `After a restore: those since the second that was restored to, in the table that was restored from, have to be repeated ("erase --job" for
each job, "erase --external-id" by the ticket for refused requests). In AWS this needs dynamodb:Scan on the table.`,
  options: {
    since: { hint: 'TIME', what: 'only those since then (UTC): 2026-11-26, 2026-11-26T13:05:00Z' },
    partner: { hint: 'acme', what: 'only those of this partner’s texts' },
    table: { hint: 'NAME', what: 'the log to read, such as one that was restored from (default: the one in use)' },
  },
  async run({ place, terminal, values }) {
    const { since, partner, table } = values;
    const scan = {
      TableName: table ?? (await place.table('CancellationLog')),
      ConsistentRead: true,
      FilterExpression: 'begins_with(sk, :erased) AND #at >= :since',
      ExpressionAttributeNames: { '#at': 'at' },
      ExpressionAttributeValues: toItem({
        ':erased': ERASED_PREFIX,
        ':since': readTime('--since', since ?? '1970-01-01'),
      }),
    };
    const partnerId = partner === undefined ? undefined : readPartner(partner);
    const report = createErasureReport();
    const malformed: string[] = [];
    let read = 0;
    for await (const { Items = [], ScannedCount = 0 } of paginateScan({ client: place.dynamodb }, scan)) {
      read += ScannedCount;
      terminal.progress.show(`${count(read)} records read …`);
      const { items, unreadable } = readItems(Items, (fields) => erasedSchema.safeParse(fields).data);
      malformed.push(...unreadable);
      for (const one of items) if (partnerId === undefined || one.partnerId === partnerId) report.add(one);
    }
    terminal.progress.clear();
    const erasures = report.list();
    terminal.show({ erasures, unreadable: malformed }, [
      ...(erasures.length === 0 ? [`No erasure is on record (${place.environment}).`] : describeErasures(erasures)),
      ...malformed.map((key) => `A record of an erasure cannot be read: ${printable(key)}`),
    ]);
    return erasures.length === 0 || malformed.length > 0 ? 1 : 0;
  },
});
