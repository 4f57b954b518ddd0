import { permissionsOf, type RoleName, roleNames } from '../../../infra/blueprint/access/roles.ts';
import { deploymentRoleOf, policyOf } from '../../../infra/blueprint/access/table-policies.ts';
import { archiveFolders } from '../../../infra/blueprint/archive/archive-folders.ts';
import { bucketStatements, keyStatements } from '../../../infra/blueprint/archive/archive-policies.ts';
import type { TableName } from '../../../infra/blueprint/tables.ts';
import { account, type Context, isAllowed, isDenied, isDeniedBy, principalOf } from '../../infra/decide-request.ts';

/**
 * Who forges. `administrator`: has every permission in the account, and none of the service's roles. `deployment`: the role by
 * which CloudFormation deploys. `insider`: has removed every policy first, which rings; only Object Lock stands. The others have
 * one of the service's roles.
 */
export type Actor = RoleName | 'administrator' | 'deployment' | 'insider';

export type Refuser =
  | "the role's permissions"
  | "the table's policy"
  | "the bucket's policy"
  | "the key's policy"
  | 'Object Lock'
  | 'a name that is taken';

export type Request =
  | { readonly on: TableName; readonly action: string; readonly attributes?: readonly string[] }
  | {
      readonly on: 'archive';
      readonly action: 'PutObject' | 'DeleteObject' | 'DeleteObjectVersion';
      readonly name: string;
      readonly isConditional?: boolean;
    }
  | { readonly on: 'key'; readonly action: 'Sign' };

const bucketArn = 'arn:aws:s3:::archive';

/** @returns undefined when the policies of `prod` let the request through */
export function refuserOf(actor: Actor, request: Request): Refuser | undefined {
  if (actor === 'insider') return undefined;
  if (request.on === 'archive') return refuserOfObject(actor, request);
  if (request.on === 'key') return refuserOfSigning(actor);
  const policy = policyOf(request.on, 'prod', account);
  if (isDenied(policy, arnOf(actor), request)) return "the table's policy";
  return isRole(actor) && !isAllowed(actor, request.on, policy, request) ? "the role's permissions" : undefined;
}

function refuserOfObject(
  actor: Actor,
  { action, name, isConditional }: Extract<Request, { on: 'archive' }>,
): Refuser | undefined {
  const context: Context = {
    'aws:PrincipalArn': [arnOf(actor)],
    's3:if-none-match': isConditional === true ? ['*'] : undefined,
  };
  const call = { action: `s3:${action}`, on: `${bucketArn}/${name}` };
  const isDeniedByBucket = isDeniedBy(bucketStatements(bucketArn, 'prod', account), call, context);
  if (isDeniedByBucket) return "the bucket's policy";
  const folder = Object.entries(archiveFolders).find(([, prefix]) => name.startsWith(prefix))?.[0];
  return isRole(actor) && !may(actor, `s3:${action}`, folder) ? "the role's permissions" : undefined;
}

/** Signs as the sealer does: a digest. */
function refuserOfSigning(actor: Actor): Refuser | undefined {
  const context: Context = {
    'aws:PrincipalArn': [arnOf(actor)],
    'kms:MessageType': ['DIGEST'],
    'kms:CallerAccount': [account.account],
  };
  const isDeniedByKey = isDeniedBy(keyStatements('prod', account), { action: 'kms:Sign', on: '*' }, context);
  if (isDeniedByKey) return "the key's policy";
  return isRole(actor) && !may(actor, 'kms:Sign', 'SealKey') ? "the role's permissions" : undefined;
}

function may(role: RoleName, action: string, on: string | undefined): boolean {
  return permissionsOf(role).some(({ actions, resource }) => resource === on && actions.includes(action));
}

function isRole(actor: Actor): actor is RoleName {
  return roleNames.some((role) => role === actor);
}

function arnOf(actor: Actor): string {
  if (isRole(actor)) return principalOf(actor);
  const name = actor === 'deployment' ? deploymentRoleOf(account) : 'admin';
  return `arn:aws:iam::${account.account}:role/${name}`;
}
