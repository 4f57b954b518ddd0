import {
  DescribeContinuousBackupsCommand,
  type PointInTimeRecoveryDescription,
  RestoreTableToPointInTimeCommand,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import type { TableName } from '../../blueprint/tables.ts';
import { CannotDo } from '../command.ts';
import { environmentOption, opsCommand } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { tableOption } from './ops-restore.ts';
import { findTable, readTableName, waitUntilActive } from './prepare-table.ts';

export const startRestore = opsCommand({
  name: 'restore start',
  summary: 'Restores a table to a second in the past, under a new name, and waits until it can be used.',
  notes: `Most restores take less than an hour. Ctrl-C ends the waiting, not the restore: the same command goes on waiting, with the second
that it was about in place of latest. The table that is restored from stays as it is. In AWS this needs dynamodb:DescribeTable, DescribeContinuousBackups and RestoreTableToPointInTime, and on the new table BatchWriteItem,
DeleteItem, GetItem, PutItem, Query, Scan and UpdateItem, with which DynamoDB fills it.`,
  options: {
    table: tableOption,
    to: { hint: 'TIME', what: 'the second in UTC, 2026-11-26T13:05:00Z, or latest', required: true },
    from: { hint: 'NAME', what: 'restore from this table in DynamoDB (default: the one in use)' },
    name: { hint: 'NAME', what: "the new table's name (default: with environment, table and time)" },
  },
  async run({ place, terminal, values }) {
    const table = readTableName(values.table);
    const source = values.from ?? (await place.table(table));
    const at = chooseTime(values.to, await readWindow(place, source), source);
    const name = values.name ?? nameOf(place, table, at);
    const standing = await findTable(place.dynamodb, name);
    if (standing === undefined) {
      await terminal.confirm(
        `Restore ${source} (${place.environment}) as of ${inSeconds(at)} to the new table ${name}?`,
      );
      const restore = { SourceTableName: source, TargetTableName: name, RestoreDateTime: at };
      await place.dynamodb.send(new RestoreTableToPointInTimeCommand(restore));
    } else {
      refuseAnother(standing, name, source, at);
    }
    await waitUntilActive(place, name, terminal.progress);
    const next = `npm run ops -- restore prepare --table ${table} --restored ${name}${environmentOption(place)}`;
    terminal.show({ table, from: source, restored: name, at: inSeconds(at), next }, [
      `${name} is ${source} as of ${inSeconds(at)}. Next: ${next}`,
    ]);
    return 0;
  },
});

async function readWindow(
  { dynamodb, where }: Pick<Place, 'dynamodb' | 'where'>,
  TableName: string,
): Promise<PointInTimeRecoveryDescription | undefined> {
  const described = await dynamodb.send(new DescribeContinuousBackupsCommand({ TableName })).catch((cause: unknown) => {
    // DescribeContinuousBackups has another name for it than DescribeTable.
    const isMissing = cause instanceof Error && /^(Table|Resource)NotFoundException$/.test(cause.name);
    throw isMissing ? new CannotDo(2, `There is no table ${TableName} (${where}).`, { cause }) : cause;
  });
  return described.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
}

/** @throws CannotDo (1) when the table cannot be restored to that second, (2) for what is not a time */
function chooseTime(given: string, window: PointInTimeRecoveryDescription | undefined, table: string): Date {
  const { EarliestRestorableDateTime: earliest, LatestRestorableDateTime: latest } = window ?? {};
  if (earliest === undefined || latest === undefined) {
    throw new CannotDo(1, `${table} has no point-in-time recovery: look for a backup of it.`);
  }
  if (given === 'latest') return new Date(Math.floor(latest.getTime() / 1_000) * 1_000);
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(given) ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(at)) {
    throw new CannotDo(
      2,
      `--to must be a second in UTC like 2026-11-26T13:05:00Z, or latest, not ${JSON.stringify(given)}.`,
    );
  }
  const isWithin = at + 999 >= earliest.getTime() && at <= latest.getTime();
  if (isWithin) return new Date(at);
  const range = `from ${inSeconds(earliest)} to ${inSeconds(latest)}`;
  throw new CannotDo(1, `${table} can be restored to any second ${range}.`);
}

function nameOf({ environment }: Pick<Place, 'environment'>, table: TableName, at: Date): string {
  return `plangrep-cancellation-${environment}-${table}-${inSeconds(at).replaceAll(/[-:Z]/g, '')}`;
}

function inSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** @throws CannotDo (1) unless the table is what this very restore makes */
function refuseAnother({ RestoreSummary, TableArn }: TableDescription, name: string, source: string, at: Date): void {
  const isSame =
    RestoreSummary?.SourceTableArn?.endsWith(`:table/${source}`) === true &&
    RestoreSummary.RestoreDateTime?.getTime() === at.getTime();
  if (isSame) return;
  throw new CannotDo(
    1,
    `${TableArn ?? name} exists, and is not ${source} as of ${inSeconds(at)}: choose another --name.`,
  );
}
