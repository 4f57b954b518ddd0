import { setTimeout as sleep } from 'node:timers/promises';
import { environments } from '../../blueprint/environments.ts';
import { frozenPolicy } from '../../blueprint/access/table-policies.ts';
import { type TableDefinition, type TableName, tables } from '../../blueprint/tables.ts';
import { CannotDo, type ExitCode } from '../command.ts';
import { environmentOption, opsCommand } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { printable, table as rowsOf } from '../terminal.ts';
import {
  accountOf,
  compareTable,
  type ComparedTable,
  type Drift,
  findTable,
  readTableName,
  waitUntilActive,
} from './prepare-table.ts';
import { toPutPolicy } from './table-aspects.ts';

/** For half a minute. */
const LOOKS = 7;

export const tableOption = { hint: 'TABLE', what: Object.keys(tables).join(', '), required: true } as const;

export const freezeTable = opsCommand({
  name: 'restore freeze',
  summary: 'Makes DynamoDB refuse every write to a table, by any role: what is restored from is evidence.',
  notes: `Cancels are answered 503 with Retry-After, reads go on, and nothing is lost that was on record. "restore prepare" of the same table ends it.
In AWS this needs the role plangrep-cancellation-<environment>-restore-tables (docs/runbook.md).`,
  options: { table: tableOption, name: { hint: 'NAME', what: 'its name in DynamoDB (default: the one in use)' } },
  async run({ place, terminal, values }) {
    const name = readTableName(values.table);
    const table = values.name ?? (await place.table(name));
    const described = await findTable(place.dynamodb, table);
    if (described?.TableArn === undefined) throw new CannotDo(2, `There is no table ${table} (${place.where}).`);
    await terminal.confirm(
      `Refuse every write to ${table} (${place.environment})? The service cannot work without them.`,
    );
    const policy = frozenPolicy(place.environment, accountOf(described.TableArn));
    await place.dynamodb.send(toPutPolicy(described.TableArn, policy));
    const undo = `npm run ops -- restore prepare --table ${name} --restored ${table}${environmentOption(place)}`;
    terminal.show({ table, frozen: true, undo }, [`${table} takes no write any more. This ends it: ${undo}`]);
    return 0;
  },
});

export const prepareTable = opsCommand({
  name: 'restore prepare',
  summary: 'Gives a restored table everything that its definition says, and shows the lines for environments.ts.',
  notes: `A restore brings items, keys and indexes, and nothing else: no stream, time to live, point-in-time recovery, deletion protection, tags or
policy. What is as defined stays as it is, so a run that was interrupted is simply repeated. Nothing uses the table until it is deployed.
In AWS this needs, on the table, the dynamodb: actions DescribeTable, UpdateTable, Describe- and UpdateTimeToLive,
Describe- and UpdateContinuousBackups, Describe- and UpdateContributorInsights, Get- and PutResourcePolicy, ListTagsOfResource and TagResource.
The policy comes last: after it only a deployment, or the role plangrep-cancellation-<environment>-restore-tables, may change the table's settings.`,
  options: {
    table: tableOption,
    restored: { hint: 'NAME', what: "the restored table's name in DynamoDB", required: true },
  },
  async run({ place, terminal, values }) {
    const name = readTableName(values.table);
    const { restored } = values;
    const before = await compareTable(place, name, restored);
    refuseAnother(before, name);
    if (before.canChange.length > 0) {
      if (!terminal.json)
        terminal.show({}, [`${restored} as ${name} (${place.environment}):`, ...listDrift(before.canChange)]);
      await terminal.confirm(`Set ${before.canChange.length} things on ${restored}?`);
    }
    for (const { what, apply } of before.canChange) {
      terminal.progress.show(`${what} …`);
      await waitUntilActive(place, restored, terminal.progress);
      await apply().catch((cause: unknown) => {
        if (!(cause instanceof Error) || cause.name !== 'ContinuousBackupsUnavailableException') throw cause;
        throw new CannotDo(1, `${restored} is too new for ${what}: run the same command again in a minute.`, { cause });
      });
    }
    const described = await waitUntilActive(place, restored, terminal.progress);
    const left = await lookAgain(place, name, restored);
    const lines = linesFor(place, name, { name: restored, streamLabel: described.LatestStreamLabel });
    const changed = before.canChange.map(toDrift);
    terminal.show({ table: name, restored, changed, drift: left.map(toDrift), restoredTables: lines }, [
      ...(left.length === 0 ? [`${restored} is as ${name} is defined.`] : ['Not as defined:', ...listDrift(left)]),
      ...(left.length === 0 ? describeLines(place, lines) : []),
    ]);
    return left.length === 0 ? 0 : 1;
  },
});

export const checkTable = opsCommand({
  name: 'restore check',
  summary: 'Compares a table with its definition, and lists what differs.',
  notes:
    'CloudFormation does not know a restored table: run this after a change of infra/blueprint/tables.ts. It changes nothing.',
  options: { table: tableOption, name: { hint: 'NAME', what: 'its name in DynamoDB (default: the one in use)' } },
  async run({ place, terminal, values }): Promise<ExitCode> {
    const name = readTableName(values.table);
    const table = values.name ?? (await place.table(name));
    const { cannotChange, canChange } = await compareTable(place, name, table);
    const drift = [...cannotChange, ...canChange.map(toDrift)];
    const repair = `npm run ops -- restore prepare --table ${name} --restored ${table}${environmentOption(place)}`;
    const found = ['Not as defined:', ...listDrift(drift), `This sets it: ${repair}`];
    terminal.show(
      { table: name, name: table, drift },
      drift.length === 0 ? [`${table} is as ${name} is defined.`] : found,
    );
    return drift.length === 0 ? 0 : 1;
  },
});

/** What was just set may not be shown yet: a policy and tags are read with eventual consistency. */
async function lookAgain(place: Place, name: TableName, restored: string): Promise<ComparedTable['canChange']> {
  for (let looks = 1; ; looks += 1) {
    const { canChange } = await compareTable(place, name, restored);
    if (canChange.length === 0 || looks === LOOKS || place.environment === 'local') return canChange;
    await sleep(5_000);
  }
}

function refuseAnother({ table, cannotChange }: ComparedTable, name: TableName): void {
  const [first] = cannotChange;
  if (first === undefined) return;
  const why = `${first.what} ${first.found} instead of ${first.wanted}`;
  throw new CannotDo(1, `${table} is not a ${name}, it has ${why}: nothing was done.`);
}

function toDrift({ what, wanted, found }: Drift): Drift {
  return { what, wanted, found };
}

function listDrift(drift: readonly Drift[]): string[] {
  return rowsOf(
    ['WHAT', 'FOUND', 'WANTED'],
    drift.map(({ what, wanted, found }) => [what, found, wanted]),
  );
}

type Restored = Readonly<
  Partial<Record<TableName, { readonly name: string; readonly streamLabel?: string | undefined }>>
>;

/** The field of the environment, with what it names already. */
function linesFor(
  { environment }: Place,
  name: TableName,
  { name: restored, streamLabel }: { readonly name: string; readonly streamLabel: string | undefined },
): Restored {
  const { stream }: TableDefinition = tables[name];
  const others = environment === 'local' ? {} : environments[environment].restoredTables;
  return { ...others, [name]: { name: restored, ...(stream !== undefined && { streamLabel }) } };
}

function describeLines(place: Pick<Place, 'environment'>, restored: Restored): string[] {
  if (place.environment === 'local') {
    const pairs = Object.entries(restored).map(([name, table]) => `${name}=${table?.name}`);
    return [
      '',
      'To use it here, stop the local run and start it with the same DATA_DIR:',
      `RESTORED_TABLES=${pairs.join()} npm start`,
    ];
  }
  const fields = Object.entries(restored).map(([name, table]) => {
    const label = table?.streamLabel === undefined ? '' : `, streamLabel: '${table.streamLabel}'`;
    return `    ${name}: { name: '${printable(table?.name ?? '')}'${label} },`;
  });
  return [
    '',
    `To use it, put this into ${place.environment} in infra/blueprint/environments.ts:`,
    '  restoredTables: {',
    ...fields,
    '  },',
    'Then deploy all at once, since two versions must not use two tables:',
    `npx cdk deploy --all -c environment=${place.environment} -c rollout=all-at-once -c why="WHO: tables restored"`,
  ];
}
