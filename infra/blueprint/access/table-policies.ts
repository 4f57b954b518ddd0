import { isOfFunction, type RoleName, roleNameOf, rolesThatMay } from './roles.ts';
import type { TableName } from '../tables.ts';
import { erasedRecordAttributes, erasureAttributes, operatorRoleNames } from './operator-roles.ts';
import { callbackAttributes, endpointKeys, wakeUpAttributes } from './permissions.ts';
import { settingsCalls } from './watched-calls.ts';

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

/** Where the roles are that a policy names. In a stack all are tokens, but for the region. */
export interface Account {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
}

/** By which an item changes, one at a time. A transaction needs the permission of each action in it. */
const itemWrites = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'] as const;
/** Writes that take no condition. The service uses none. */
const unconditionalWrites = [
  'dynamodb:BatchWriteItem',
  'dynamodb:PartiQLInsert',
  'dynamodb:PartiQLUpdate',
  'dynamodb:PartiQLDelete',
] as const;

/** The role by which CloudFormation deploys: the CDK's bootstrap makes it. Only CloudFormation can take it. */
export function deploymentRoleOf({ account, region }: Pick<Account, 'account' | 'region'>): string {
  return `cdk-hnb659fds-cfn-exec-role-${account}-${region}`;
}

/**
 * A table's own policy. It overrides every role, an administrator's too: an item is written only by the roles that
 * infra/blueprint/access/roles.ts has for it, and settings change only by a deployment or by the role for restoring. Who wants to go
 * past that must change the policy first, which CloudTrail records and an alarm tells.
 *
 * The policies also deny replication to a second region: when you add one, exempt DynamoDB's service-linked role.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
 */
export function policyOf(table: TableName, environment: string, account: Account): TablePolicy {
  const arnsOf = (roles: readonly RoleName[]) => roles.map((role) => arnOf(account, roleNameOf(environment, role)));
  const writers = itemWrites.map((action) => ({ action, roles: rolesThatMay(action, table) }));
  const denied = writers.filter(({ roles }) => roles.length === 0).map(({ action }) => action);
  const reserved = writers.filter(({ roles }) => roles.length > 0);
  return toPolicy([
    deny('NoUnconditionalWrite', [...denied, ...unconditionalWrites]),
    ...reserved.map(({ action, roles }) =>
      deny(`No${action.slice('dynamodb:'.length)}ByOthers`, [action], except(arnsOf(roles))),
    ),
    ...(table === 'CancellationLog'
      ? attributeByAttribute({ erasers: arnsOf(['erase-texts']), deliverers: arnsOf(['deliver-callbacks']) })
      : []),
    ...(table === 'Partners' ? [endpointsAlone(arnsOf(['deliver-callbacks', 'manage-callbacks']))] : []),
    settingsDenial(environment, account),
  ]);
}

/** The policy of a table that nothing may write to any more, while it is restored and afterwards: it is evidence. */
export function frozenPolicy(environment: string, account: Account): TablePolicy {
  return toPolicy([
    deny('NoWriteAtAll', [...itemWrites, ...unconditionalWrites]),
    settingsDenial(environment, account),
  ]);
}

/** The functions whose role may do this: those that CloudTrail need not record. */
export function functionsThatMay(action: (typeof itemWrites)[number], table: TableName): readonly RoleName[] {
  return rolesThatMay(action, table).filter(isOfFunction);
}

/** The roles that may write to the table and whose writes CloudTrail records: no alarm rings for them. */
export function rolesInTrail(table: TableName): readonly RoleName[] {
  const functions = table === 'Partners' ? functionsThatMay('dynamodb:UpdateItem', table) : [];
  const operators = operatorRoleNames.filter((role) =>
    itemWrites.some((action) => rolesThatMay(action, table).includes(role)),
  );
  return [...functions, ...operators];
}

/**
 * Of the log's records an erasure changes only what may be erased, and every other update only what is scheduling. Neither
 * may name one of the other's attributes, in a condition neither. An erasure puts only what an `erased` record has, and a
 * delivery only what an attempt to deliver a callback has.
 */
function attributeByAttribute({ erasers, deliverers }: Readonly<Record<'erasers' | 'deliverers', readonly string[]>>) {
  const anyBut = (attributes: readonly string[]) => ({
    'ForAnyValue:StringNotEquals': { 'dynamodb:Attributes': attributes },
  });
  return [
    deny('OnlySchedulingIsUpdated', ['dynamodb:UpdateItem'], { ...except(erasers), ...anyBut(wakeUpAttributes) }),
    deny('OnlyTextsAreErased', ['dynamodb:UpdateItem'], {
      ...onlyBy(erasers),
      ...anyBut(erasureAttributes),
    }),
    deny('OnlyErasuresArePut', ['dynamodb:PutItem'], { ...onlyBy(erasers), ...anyBut(erasedRecordAttributes) }),
    deny('OnlyAttemptsArePut', ['dynamodb:PutItem'], { ...onlyBy(deliverers), ...anyBut(callbackAttributes) }),
  ];
}

/** Of the table of partners, those that have to do with callbacks write the endpoints alone: no credential, no partner's record. */
function endpointsAlone(arns: readonly string[]): Denial {
  return deny('OnlyEndpointsAreWritten', itemWrites, {
    ...onlyBy(arns),
    'ForAnyValue:StringNotLike': { 'dynamodb:LeadingKeys': [endpointKeys] },
  });
}

function onlyBy(arns: readonly string[]) {
  return { ArnEquals: { 'aws:PrincipalArn': arns } };
}

function settingsDenial(environment: string, account: Account): Denial {
  const may = [deploymentRoleOf(account), roleNameOf(environment, 'restore-tables')];
  return deny(
    'NoChangeOfSettingsByOthers',
    settingsCalls.map((call) => `dynamodb:${call}`),
    except(may.map((role) => arnOf(account, role))),
  );
}

/** A service that acts for itself has no `aws:PrincipalArn`, and what is absent counts as not equal. */
function except(arns: readonly string[]): NonNullable<Denial['Condition']> {
  return { ArnNotEquals: { 'aws:PrincipalArn': arns } };
}

function arnOf({ partition, account }: Account, role: string): string {
  return `arn:${partition}:iam::${account}:role/${role}`;
}

function toPolicy(Statement: readonly Denial[]): TablePolicy {
  return { Version: '2012-10-17', Statement };
}

function deny(Sid: string, actions: readonly string[], Condition?: Denial['Condition']): Denial {
  const statement = { Sid, Effect: 'Deny', Principal: { AWS: '*' }, Action: actions, Resource: '*' } as const;
  return { ...statement, ...(Condition !== undefined && { Condition }) };
}
