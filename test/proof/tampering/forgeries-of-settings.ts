import { settingsCalls } from '../../../infra/blueprint/access/watched-calls.ts';
import { type TableName, tables } from '../../../infra/blueprint/tables.ts';
import type { Expected, Forgery } from './forgery.ts';
import type { Actor } from './rights.ts';

const byPolicy: Expected = { refusedBy: "the table's policy" };
const tableNames = Object.keys(tables).filter((name): name is TableName => name in tables);

const of = (what: string, by: Actor, expected: Expected, forge: Forgery['forge']): Forgery => ({
  place: 'settings',
  what,
  by,
  forge,
  expected,
});

const changes = ['UpdateTimeToLive', 'UpdateTable', 'PutResourcePolicy', 'DeleteResourcePolicy'] as const;

/** What a table is: who may change it, and that each change by those who may rings. */
export const forgeriesOfSettings: readonly Forgery[] = [
  ...settingsCalls.flatMap((call) =>
    (['administrator', 'archive-records', 'erase-texts', 'manage-partners'] as const).map((by) =>
      of(`a setting of the log changed: ${call}`, by, byPolicy, ({ attacker }) =>
        Promise.resolve(attacker.change('CancellationLog', call)),
      ),
    ),
  ),
  ...changes.flatMap((call) =>
    (['deployment', 'restore-tables'] as const).map((by) =>
      of(`a setting of the log changed: ${call}`, by, { trail: call, soon: 'at the write' }, ({ attacker }) =>
        Promise.resolve(attacker.change('CancellationLog', call)),
      ),
    ),
  ),
  of(
    'the time to live moved to another attribute, by which DynamoDB deletes closed events',
    'deployment',
    {
      trail: 'UpdateTimeToLive',
      alarm: 'LOG_REWRITTEN removed',
      archive: 'removed',
      log: 'truncated',
      comparison: 'cut_off',
      soon: 'at the write',
    },
    async ({ attacker, stage }) => {
      attacker.change('CancellationLog', 'UpdateTimeToLive');
      await stage.expire('creditsDebited');
    },
  ),
  of('the table deleted', 'restore-tables', { refusedBy: "the role's permissions" }, ({ attacker }) =>
    Promise.resolve(attacker.change('CancellationLog', 'DeleteTable')),
  ),
  ...tableNames.flatMap((table) =>
    (['BatchWriteItem', 'PartiQLInsert', 'PartiQLUpdate', 'PartiQLDelete'] as const).map((action) =>
      of(`a write without a condition: ${action} on ${table}`, 'request-cancellation', byPolicy, ({ attacker }) =>
        Promise.resolve(attacker.ask({ on: table, action })),
      ),
    ),
  ),
  ...(['administrator', 'deployment', 'request-cancellation', 'erase-texts'] as const).map((by) =>
    of('a credential minted: PutItem on Partners', by, byPolicy, ({ attacker }) =>
      Promise.resolve(
        attacker.ask({ on: 'Partners', action: 'PutItem', attributes: ['pk', 'partnerId', 'secretHash'] }),
      ),
    ),
  ),
  ...(['administrator', 'deployment', 'manage-partners'] as const).map((by) =>
    of('a job given to another partner: PutItem on JobDirectory', by, byPolicy, ({ attacker }) =>
      Promise.resolve(attacker.ask({ on: 'JobDirectory', action: 'PutItem', attributes: ['pk', 'sk', 'partnerId'] })),
    ),
  ),
];
