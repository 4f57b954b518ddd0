import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { callbackSchema } from '../../functions/core/callbacks/callback-record.ts';
import { erasableAttributes } from '../../functions/core/cancellation/commitment.ts';
import { erasedSchema } from '../../functions/core/cancellation/erased.ts';
import { schedulingAttributes } from '../../functions/core/cancellation/stream-key.ts';
import {
  deploymentRoleOf,
  frozenPolicy,
  policyOf,
  type TablePolicy,
} from '../../infra/blueprint/access/table-policies.ts';
import { settingsCalls } from '../../infra/blueprint/access/watched-calls.ts';
import { environmentNames } from '../../infra/blueprint/environments.ts';
import { isSamePolicy } from '../../infra/cli/restore/table-aspects.ts';
import { type RoleName, roleNames } from '../../infra/blueprint/access/roles.ts';
import { type TableName, tables } from '../../infra/blueprint/tables.ts';
import { account, isAllowed, isDenied, principalOf, type TableRequest } from './decide-request.ts';
import { synthesized } from './stacks/synthesized.ts';

const tableNames = Object.keys(tables).filter((name): name is TableName => name in tables);
const policies = Object.fromEntries(tableNames.map((table) => [table, policyOf(table, 'prod', account)]));
const policyFor = (table: TableName): TablePolicy => policies[table] ?? policyOf(table, 'prod', account);

const administrator = 'arn:aws:iam::111122223333:role/admin';
const deployment = `arn:aws:iam::111122223333:role/${deploymentRoleOf(account)}`;
const key = ['pk', 'sk'];
const itemWrites = ['PutItem', 'UpdateItem', 'DeleteItem'];
const others = ['BatchWriteItem', 'PartiQLInsert', 'PartiQLUpdate', 'PartiQLDelete'];

/** What a request names, at the least: of the table of partners an endpoint, which the most roles may write. */
const given: Readonly<Record<TableName, Pick<TableRequest, 'attributes' | 'keys'>>> = {
  CancellationLog: { attributes: key },
  JobDirectory: { attributes: key },
  Partners: { attributes: ['pk'], keys: ['callback#acme'] },
};

/** The roles that get through with an action that names nothing but the key. */
const rolesThatCan = (action: string, table: TableName): readonly RoleName[] =>
  roleNames.filter((role) => isAllowed(role, table, policyFor(table), { action, ...given[table] }));

describe('writing', () => {
  // Written out by hand, so that neither a role nor a policy can be widened without changing this test.
  test.each<[TableName, string, readonly RoleName[]]>([
    [
      'CancellationLog',
      'PutItem',
      [
        'request-cancellation',
        'consume-events',
        'consume-wake-ups',
        'reconcile-cancellations',
        'deliver-callbacks',
        'erase-texts',
      ],
    ],
    [
      'CancellationLog',
      'UpdateItem',
      ['request-cancellation', 'consume-wake-ups', 'reconcile-cancellations', 'deliver-callbacks', 'erase-texts'],
    ],
    ['CancellationLog', 'DeleteItem', []],
    ['JobDirectory', 'PutItem', ['request-cancellation', 'register-job', 'consume-events', 'release-jobs']],
    [
      'JobDirectory',
      'UpdateItem',
      ['request-cancellation', 'register-job', 'consume-events', 'release-jobs', 'erase-texts'],
    ],
    ['JobDirectory', 'DeleteItem', ['release-jobs', 'erase-texts']],
    ['Partners', 'PutItem', ['manage-partners']],
    ['Partners', 'UpdateItem', ['deliver-callbacks', 'manage-partners', 'manage-callbacks']],
    ['Partners', 'DeleteItem', ['manage-partners']],
  ])('%s: %s only by %j', (table, action, roles) => {
    expect(rolesThatCan(action, table)).toEqual(roles);
    for (const principal of [administrator, deployment, undefined]) {
      expect(isDenied(policyFor(table), principal, { action, attributes: key })).toBe(true);
    }
  });

  test.each(tableNames)('%s takes no write without a condition, by any principal', (table) => {
    for (const action of others) {
      for (const principal of [administrator, deployment, ...roleNames.map(principalOf)]) {
        expect(isDenied(policyFor(table), principal, { action })).toBe(true);
      }
    }
  });

  test('the policies alone deny it too, whatever a role is given later', () => {
    const reader = principalOf('read-cancellations');

    for (const table of tableNames) {
      for (const action of itemWrites) expect(isDenied(policyFor(table), reader, { action })).toBe(true);
      for (const action of ['GetItem', 'Query', 'Scan']) {
        expect(isDenied(policyFor(table), administrator, { action })).toBe(false);
      }
    }
  });
});

describe("the log's attributes", () => {
  const history = ['type', 'at', 'hash', 'previousHash', 'externalIdCommitment', 'reasonCommitment', 'expiresAt'];
  const movers: readonly RoleName[] = [
    'request-cancellation',
    'consume-wake-ups',
    'reconcile-cancellations',
    'deliver-callbacks',
  ];
  const log = policyFor('CancellationLog');
  /** Whether IAM lets an update through, and whether the policy alone would. */
  const decided = (role: RoleName, attributes: readonly string[]) => {
    const request = { action: 'UpdateItem', attributes: [...key, ...attributes] };
    return [isAllowed(role, 'CancellationLog', log, request), !isDenied(log, principalOf(role), request)];
  };

  test.each(movers)('%s may move wake-ups, and neither erase nor change history', (role) => {
    for (const attribute of schedulingAttributes) expect(decided(role, [attribute])).toEqual([true, true]);
    expect(decided(role, schedulingAttributes)).toEqual([true, true]);
    for (const attribute of [...erasableAttributes, ...history]) {
      expect(decided(role, [attribute])).toEqual([false, false]);
      expect(decided(role, ['wakeAt', attribute])).toEqual([false, false]);
    }
  });

  test('erase-texts may erase, and neither move wake-ups nor change history', () => {
    for (const attribute of erasableAttributes) expect(decided('erase-texts', [attribute])).toEqual([true, true]);
    expect(decided('erase-texts', erasableAttributes)).toEqual([true, true]);
    for (const attribute of [...schedulingAttributes, ...history]) {
      expect(decided('erase-texts', [attribute])).toEqual([false, false]);
      expect(decided('erase-texts', ['externalId', attribute])).toEqual([false, false]);
    }
  });
});

test('deliver-callbacks puts attempts to deliver, and nothing that has what an event has', () => {
  const log = policyFor('CancellationLog');
  const decided = (attributes: readonly string[]) => {
    const request = { action: 'PutItem', attributes: [...key, ...attributes] };
    return [
      isAllowed('deliver-callbacks', 'CancellationLog', log, request),
      !isDenied(log, principalOf('deliver-callbacks'), request),
    ];
  };

  expect(decided([...Object.keys(callbackSchema.shape), 'wakeShard', 'wakeAt'])).toEqual([true, true]);
  for (const attribute of ['hash', 'previousHash', 'externalId', 'outcome', 'seq']) {
    expect(decided(['type', attribute])).toEqual([false, false]);
  }
});

describe("of the table of partners, the roles for callbacks reach partners' endpoints alone", () => {
  const partners = policyFor('Partners');
  const decided = (role: RoleName, action: string, keys: readonly string[], attributes: readonly string[] = ['pk']) => {
    const request = { action, keys, attributes };
    return [isAllowed(role, 'Partners', partners, request), !isDenied(partners, principalOf(role), request)];
  };

  test.each<[RoleName, string]>([
    ['deliver-callbacks', 'UpdateItem'],
    ['manage-callbacks', 'UpdateItem'],
  ])('%s, with %s', (role, action) => {
    expect(decided(role, action, ['callback#acme'])).toEqual([true, true]);
    for (const other of ['key#abc', 'partner#acme']) {
      expect(decided(role, action, [other])).toEqual([false, false]);
      expect(decided(role, action, ['callback#acme', other])).toEqual([false, false]);
    }
  });

  test('deliver-callbacks pauses one, and changes no version of its secret', () => {
    for (const attribute of ['pausedAt', 'pausedWhy', 'test']) {
      expect(decided('deliver-callbacks', 'UpdateItem', ['callback#acme'], ['pk', 'url', attribute])[0]).toBe(true);
    }
    for (const attribute of ['version', 'previousUntil', 'secretHash', 'projects']) {
      expect(decided('deliver-callbacks', 'UpdateItem', ['callback#acme'], ['pk', attribute])[0]).toBe(false);
    }
    expect(decided('deliver-callbacks', 'GetItem', ['partner#acme'])[0]).toBe(false);
  });
});

test('erase-texts puts `erased` records, and nothing that has what an event has', () => {
  const log = policyFor('CancellationLog');
  const decided = (attributes: readonly string[]) => {
    const request = { action: 'PutItem', attributes: [...key, ...attributes] };
    return [
      isAllowed('erase-texts', 'CancellationLog', log, request),
      !isDenied(log, principalOf('erase-texts'), request),
    ];
  };

  expect(decided(Object.keys(erasedSchema.shape))).toEqual([true, true]);
  for (const attribute of ['hash', 'prevHash', 'wakeAt', 'externalId', 'seq']) {
    expect(decided(['type', attribute])).toEqual([false, false]);
  }
});

describe('settings', () => {
  test.each(tableNames)('of %s change only by a deployment or by the role for restoring', (table) => {
    for (const action of settingsCalls) {
      const request = { action };
      expect(isDenied(policyFor(table), administrator, request)).toBe(true);
      expect(isDenied(policyFor(table), undefined, request)).toBe(true);
      expect(isDenied(policyFor(table), deployment, request)).toBe(false);
      const roles = roleNames.filter((role) => !isDenied(policyFor(table), principalOf(role), request));
      expect(roles).toEqual(['restore-tables']);
    }
  });

  test('a table is deleted only by a deployment, as `cdk destroy` in dev', () => {
    for (const table of tableNames) expect(rolesThatCan('DeleteTable', table)).toEqual([]);
    expect(rolesThatCan('UntagResource', 'Partners')).toEqual([]);
    expect(rolesThatCan('PutResourcePolicy', 'Partners')).toEqual(['restore-tables']);
  });

  test('of another account or region, the deployment role is another principal', () => {
    const elsewhere = policyOf('Partners', 'prod', { ...account, region: 'eu-west-1' });

    expect(isDenied(elsewhere, deployment, { action: 'UpdateTable' })).toBe(true);
  });

  // https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html and the table's own read calls.
  test.each(['StartAwsBackupJob', 'CreateBackup', 'DescribeTable', 'RestoreTableToPointInTime', 'ListTagsOfResource'])(
    'a backup, a restore and a look at the settings go on: %s',
    (action) => {
      for (const table of tableNames) expect(isDenied(policyFor(table), administrator, { action })).toBe(false);
    },
  );
});

test('a frozen table takes no write at all, and only the role for restoring ends it', () => {
  const frozen = frozenPolicy('prod', account);

  for (const action of [...itemWrites, ...others]) {
    for (const role of roleNames) expect(isDenied(frozen, principalOf(role), { action, attributes: key })).toBe(true);
  }
  expect(isDenied(frozen, administrator, { action: 'PutResourcePolicy' })).toBe(true);
  expect(isDenied(frozen, principalOf('restore-tables'), { action: 'PutResourcePolicy' })).toBe(false);
});

describe.each(environmentNames)('in %s', (name) => {
  test.each(tableNames)('%s is deployed with its policy', (table) => {
    const { stateful, artifact } = synthesized(name);
    const [replica] = replicasSchema.parse(resolved(stateful[table]?.Properties['Replicas']));
    const policy = policyOf(table, name, { ...account, region: artifact.environment.region });

    expect(replica.ResourcePolicy.PolicyDocument.Statement).toHaveLength(policy.Statement.length);
    expect(isSamePolicy(JSON.stringify(replica.ResourcePolicy.PolicyDocument), policy)).toBe(true);
  });
});

const replicasSchema = z.tuple([
  z.object({ ResourcePolicy: z.object({ PolicyDocument: z.looseObject({ Statement: z.array(z.unknown()) }) }) }),
]);

/** As CloudFormation resolves it in the account. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.fromEntries(Object.entries(value).map(([name, field]) => [name, resolved(field)]));
  const join = fields['Fn::Join'];
  if (fields['Ref'] === 'AWS::AccountId') return account.account;
  return Array.isArray(join) && Array.isArray(join[1]) ? join[1].join('') : fields;
}
