import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { toItem } from '../../../../../functions/adapters/dynamodb/table-client.ts';
import { permissionsOf, type RoleName, roleNameOf, roleNames } from '../../../../blueprint/access/roles.ts';
import { type TableDefinition, type TableName, tables } from '../../../../blueprint/tables.ts';
import { sandboxFunctionNames } from '../../../../blueprint/functions.ts';
import { type Check, type Fault, fault, same } from '../../check.ts';
import { compareTable, findTable } from '../../../restore/prepare-table.ts';
import { allInXml, readAws } from '../../read-aws.ts';
import type { AwsStage } from '../../stage.ts';

const tableNames: readonly TableName[] = ['JobDirectory', 'CancellationLog', 'Partners'];
/** Everything by which an item can be read or changed. */
const actions = ['GetItem', 'Query', 'Scan', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'].map(
  (action) => `dynamodb:${action}`,
);

function rolesOf({ environment }: AwsStage): readonly RoleName[] {
  const inSandbox: readonly string[] = sandboxFunctionNames;
  return roleNames.filter((role) => environment.sandbox === true || !inSandbox.includes(role));
}

/** What a role may do to a table, by its definition. */
function allowedTo(role: RoleName, table: TableName): readonly string[] {
  const own = permissionsOf(role).filter(({ resource }) => resource === table);
  return actions.filter((action) => own.some((permission) => permission.actions.includes(action)));
}

/**
 * What the conditions of a role's permissions ask about, with values that they accept: without them IAM cannot decide.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ContextEntry.html
 */
function contextOf(role: RoleName, table: TableName): Readonly<Record<string, string>> {
  const own = permissionsOf(role).filter(({ resource }) => resource === table);
  const asked = own.flatMap(({ conditions = {} }) =>
    Object.entries(conditions).flatMap(([operator, keys]) =>
      operator.startsWith('ForAllValues:') ? Object.entries(keys) : [],
    ),
  );
  const entries = asked.flatMap(([key, [value = '']], index): [string, string][] => {
    const entry = `ContextEntries.member.${index + 1}`;
    return [
      [`${entry}.ContextKeyName`, key],
      [`${entry}.ContextKeyType`, 'stringList'],
      [`${entry}.ContextKeyValues.member.1`, value.replaceAll('*', 'accept')],
    ];
  });
  return Object.fromEntries(entries);
}

/** @throws Error when the table does not exist */
async function arnOf({ place }: AwsStage, table: TableName): Promise<string> {
  const described = await findTable(place.dynamodb, await place.table(table));
  if (described?.TableArn === undefined) throw new Error(`there is no table ${table}`);
  return described.TableArn;
}

/** Writes that change nothing even where they are let through: no item has this key. */
async function tryWrites(
  { place }: AwsStage,
  table: TableName,
): Promise<readonly (readonly [write: string, end: string])[]> {
  const TableName = await place.table(table);
  const { sortKey }: TableDefinition = tables[table];
  const Key = toItem({ pk: 'accept#nothing', ...(sortKey !== undefined && { [sortKey]: 'accept' }) });
  const [isThere, names] = ['attribute_exists(#pk)', { '#pk': 'pk' }];
  const common = { TableName, ConditionExpression: isThere };
  const end = async (write: () => Promise<unknown>): Promise<string> => {
    try {
      await write();
      return 'let through';
    } catch (error) {
      return error instanceof Error ? error.name : String(error);
    }
  };
  const put = new PutItemCommand({ ...common, ExpressionAttributeNames: names, Item: Key });
  const remove = new DeleteItemCommand({ ...common, ExpressionAttributeNames: names, Key });
  const update = new UpdateItemCommand({
    ...common,
    Key,
    UpdateExpression: 'SET #at = :at',
    ExpressionAttributeNames: { ...names, '#at': 'at' },
    ExpressionAttributeValues: toItem({ ':at': 'accept' }),
  });
  return [
    [`${table} PutItem`, await end(() => place.dynamodb.send(put))],
    [`${table} UpdateItem`, await end(() => place.dynamodb.send(update))],
    [`${table} DeleteItem`, await end(() => place.dynamodb.send(remove))],
  ];
}

/** Who may do what, as IAM and DynamoDB decide it. */
export const permissionChecks: readonly Check[] = [
  {
    id: 'permissions.roles',
    shows: 'each role may do to each table exactly what roles.md says, by the policies that are deployed',
    needs: 'AWS',
    lookAt: 'infra/blueprint/access/roles.ts, docs/roles.md',
    limitMs: 90_000,
    /**
     * The roles' own policies: IAM does not simulate a table's policy for a role. `permissions.writes` is about that one.
     * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
     */
    async run(stage) {
      const faults: Fault[] = [];
      for (const table of tableNames) {
        const arn = await arnOf(stage, table);
        const [, partition, , , account] = arn.split(':');
        for (const role of rolesOf(stage)) {
          const input = {
            PolicySourceArn: `arn:${partition}:iam::${account}:role/${roleNameOf(stage.environment.name, role)}`,
            ...Object.fromEntries(actions.map((action, index) => [`ActionNames.member.${index + 1}`, action])),
            'ResourceArns.member.1': arn,
            ...contextOf(role, table),
          };
          const call = { operation: 'SimulatePrincipalPolicy', input };
          const read = await readAws(stage, 'iam', 'iam:SimulatePrincipalPolicy', call);
          if ('skipped' in read) return read;
          const decisions = allInXml(read.text, 'EvalDecision');
          const allowed = allInXml(read.text, 'EvalActionName').filter((_, index) => decisions[index] === 'allowed');
          faults.push(...same(`${role} on ${table}`, allowed.toSorted(), allowedTo(role, table).toSorted()));
        }
      }
      return faults;
    },
  },
  {
    id: 'permissions.writes',
    shows: "each table refuses the operator's own put, update and delete",
    needs: 'AWS',
    // CloudTrail sees the attempts, and the alarm on them would ring outside a sandbox.
    changes: true,
    lookAt: 'infra/blueprint/access/table-policies.ts, npm run ops -- restore check',
    async run(stage) {
      const ends = await Promise.all(tableNames.map((table) => tryWrites(stage, table)));
      return ends
        .flat()
        .flatMap(([action, end]) =>
          end === 'AccessDeniedException' ? [] : fault(`${action}: ${end}`, 'AccessDeniedException'),
        );
    },
  },
  {
    id: 'permissions.tables',
    shows: 'stream, time to live, backups, protection, tags and policy of each table are as defined',
    needs: 'AWS',
    lookAt: 'infra/blueprint/access/table-settings.ts, npm run ops -- restore check',
    async run({ place }) {
      const faults: Fault[] = [];
      for (const name of Object.keys(tables).filter((known): known is TableName => known in tables)) {
        const { cannotChange, canChange } = await compareTable(place, name, await place.table(name));
        for (const { what, found, wanted } of [...cannotChange, ...canChange]) {
          faults.push({ seen: `${name}: ${what} ${found}`, expected: wanted });
        }
      }
      return faults;
    },
  },
];
