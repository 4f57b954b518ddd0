import type { Conditions } from '../../infra/blueprint/access/permissions.ts';
import type { TablePolicy } from '../../infra/blueprint/access/table-policies.ts';
import { permissionsOf, type RoleName, roleNameOf } from '../../infra/blueprint/access/roles.ts';
import type { TableName } from '../../infra/blueprint/tables.ts';

export const account = { partition: 'aws', account: '111122223333', region: 'eu-central-1' } as const;

/** A call to DynamoDB, by what IAM sees of it. */
export interface TableRequest {
  readonly action: string;
  /** Every attribute that it names: of the item, the key, the update and the condition. @default - none */
  readonly attributes?: readonly string[];
  /** Of the items, the partition keys. @default - none */
  readonly keys?: readonly string[];
}

/** Of one of the roles in infra/blueprint/access/roles.ts, as its sessions have it. */
export function principalOf(role: RoleName): string {
  return `arn:aws:iam::111122223333:role/${roleNameOf('prod', role)}`;
}

/**
 * Whether a table's policy denies a request, whatever the caller's own permissions are.
 * @param principal an ARN; undefined: a service that acts for itself
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export function isDenied(policy: TablePolicy, principal: string | undefined, request: TableRequest): boolean {
  return policy.Statement.some(
    ({ Action, Condition }) =>
      Action.includes(`dynamodb:${request.action}`) && holds(Condition, contextOf(principal, request)),
  );
}

/** Whether a role gets through with a request: its own permissions allow it, and the table's policy does not deny it. */
export function isAllowed(role: RoleName, table: TableName, policy: TablePolicy, request: TableRequest): boolean {
  const principal = principalOf(role);
  const hasPermission = permissionsOf(role).some(
    ({ actions, resource, conditions }) =>
      (resource === table || resource === 'InUseAndReplaced') &&
      actions.includes(`dynamodb:${request.action}`) &&
      holds(conditions, contextOf(principal, request)),
  );
  return hasPermission && !isDenied(policy, principal, request);
}

/** A statement of a resource's own policy. */
interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource?: string;
  readonly NotResource?: readonly string[];
  readonly Condition?: Conditions;
}

/** Whether statements deny a call. @param action with its service: `s3:PutObject` @param on the ARN that it names */
export function isDeniedBy(
  statements: readonly Statement[],
  { action, on }: { readonly action: string; readonly on: string },
  context: Context,
): boolean {
  const isMeant = (pattern: string): boolean =>
    pattern.endsWith('*') ? on.startsWith(pattern.slice(0, -1)) : on === pattern;
  return statements.some(
    ({ Effect, Action, Resource = '*', NotResource, Condition }) =>
      Effect === 'Deny' &&
      Action.includes(action) &&
      (NotResource === undefined ? isMeant(Resource) : !NotResource.some(isMeant)) &&
      holds(Condition, context),
  );
}

/** The keys that a condition may ask for; undefined: the request has none. */
export type Context = Readonly<Record<string, readonly string[] | undefined>>;

function contextOf(principal: string | undefined, { attributes = [], keys = [] }: TableRequest): Context {
  return {
    'aws:PrincipalArn': principal === undefined ? undefined : [principal],
    'dynamodb:Attributes': attributes,
    'dynamodb:LeadingKeys': keys,
  };
}

function holds(conditions: Conditions | undefined, context: Context): boolean {
  return Object.entries(conditions ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => compare(operator, context[key], wanted)),
  );
}

function compare(operator: string, values: readonly string[] | undefined, wanted: readonly string[]): boolean {
  const isWanted = (value: string): boolean => wanted.includes(value);
  const isLike = (value: string): boolean => wanted.some((pattern) => value.startsWith(pattern.replace('*', '')));
  switch (operator) {
    case 'ArnEquals':
      return values?.some(isWanted) ?? false;
    case 'ArnNotEquals':
      return !(values?.some(isWanted) ?? false);
    case 'ForAnyValue:StringNotEquals':
      return (values ?? []).some((value) => !isWanted(value));
    case 'ForAllValues:StringEquals':
      return (values ?? []).every(isWanted);
    case 'StringEquals':
      return values?.some(isWanted) ?? false;
    case 'StringNotEquals':
      return !(values?.some(isWanted) ?? false);
    case 'StringEqualsIfExists':
      return values?.every(isWanted) ?? true;
    case 'Null':
      return wanted.includes(String(values === undefined));
    case 'ForAllValues:StringLike':
      return (values ?? []).every(isLike);
    case 'ForAnyValue:StringNotLike':
      return (values ?? []).some((value) => !isLike(value));
    default:
      throw new Error(`unknown operator ${operator}`);
  }
}
