import type { Environment } from './environment-schema.ts';
import { logWriters, type RoleName, roleNameOf, wakeUpAttributes, wakeUpMovers } from './roles.ts';
import { type TableDefinition, type TableName, tables } from './tables.ts';

/** Of a statement that denies: IAM's operators, keys and values. */
interface Denial {
  readonly Sid: string;
  readonly Effect: 'Deny';
  readonly Principal: { readonly AWS: '*' };
  readonly Action: readonly string[];
  /** The policy is part of the table, so it cannot name the table's ARN. */
  readonly Resource: '*';
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** A table's own policy, as IAM writes policies. */
export interface TablePolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Denial[];
}

/**
 * What a table has beside its keys, its index and its items. A restored table has none of it: the stateful stack and
 * `ops restore` both read it here.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
 */
export interface TableSettings {
  /** The attribute; undefined: nothing expires. */
  readonly timeToLive: string | undefined;
  /** undefined: no point-in-time recovery. */
  readonly pointInTimeRecoveryDays: number | undefined;
  readonly deletionProtection: boolean;
  readonly stream: TableDefinition['stream'];
  /** Of the table and of each of its indexes. */
  readonly contributorInsights: TableDefinition['contributorInsights'];
  readonly indexNames: readonly string[];
  readonly policy: TablePolicy | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** What the settings depend on. */
export type TableSurroundings = Pick<Environment, 'name' | 'deletionProtection' | 'pointInTimeRecoveryDays'>;

/** Where the roles are that a policy names. In a stack both are tokens. */
export interface Account {
  readonly partition: string;
  readonly account: string;
}

export function settingsOf(name: TableName, environment: TableSurroundings, account: Account): TableSettings {
  const { timeToLive, stream, contributorInsights, indexes = {} }: TableDefinition = tables[name];
  return {
    timeToLive,
    pointInTimeRecoveryDays: environment.pointInTimeRecoveryDays,
    deletionProtection: environment.deletionProtection,
    stream,
    contributorInsights,
    indexNames: Object.values(indexes).map((index) => index.name),
    policy: name === 'CancellationLog' ? logPolicy(environment.name, account) : undefined,
    tags: tagsOf(environment),
  };
}

/** Of every resource of an environment that can have tags. */
export function tagsOf({ name }: Pick<Environment, 'name'>): Readonly<Record<string, string>> {
  return { project: 'plangrep-cancellation', environment: name };
}

/** Every action by which an item can change. A transaction needs the permission of each action in it. */
const writes = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:PartiQLInsert',
  'dynamodb:PartiQLUpdate',
  'dynamodb:PartiQLDelete',
] as const;

/** The policy of a table that nothing may write to any more, while it is restored and afterwards: it is evidence. */
export const frozenPolicy: TablePolicy = toPolicy([deny('NoWriteAtAll', writes)]);

/**
 * The cancellation log's own policy. It overrides every role, an administrator's too: only this service may write to the
 * log, and no principal may delete from it or change its history. An attacker must remove the policy first, which
 * CloudTrail records. (A transaction needs the permission of each action in it, so the policy denies transactions too.)
 *
 * The policy also denies replication to a second region: when you add one, exempt DynamoDB's service-linked role.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
 */
function logPolicy(environment: string, { partition, account }: Account): TablePolicy {
  const arnsOf = (roles: readonly RoleName[]) =>
    roles.map((role) => `arn:${partition}:iam::${account}:role/${roleNameOf(environment, role)}`);
  return toPolicy([
    deny(
      'NoDeleteAndNoUnconditionalWrite',
      writes.filter((action) => action !== 'dynamodb:PutItem' && action !== 'dynamodb:UpdateItem'),
    ),
    deny('NoUpdateOfHistory', ['dynamodb:UpdateItem'], {
      'ForAnyValue:StringNotEquals': { 'dynamodb:Attributes': wakeUpAttributes },
    }),
    deny('NoUpdateByOthers', ['dynamodb:UpdateItem'], {
      ArnNotEquals: { 'aws:PrincipalArn': arnsOf(wakeUpMovers) },
    }),
    deny('NoWriteByOthers', ['dynamodb:PutItem'], { ArnNotEquals: { 'aws:PrincipalArn': arnsOf(logWriters) } }),
  ]);
}

function toPolicy(Statement: readonly Denial[]): TablePolicy {
  return { Version: '2012-10-17', Statement };
}

function deny(Sid: string, actions: readonly string[], Condition?: Denial['Condition']): Denial {
  const statement = { Sid, Effect: 'Deny', Principal: { AWS: '*' }, Action: actions, Resource: '*' } as const;
  return { ...statement, ...(Condition !== undefined && { Condition }) };
}
