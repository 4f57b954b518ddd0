import { type IPrincipal, type IRole, PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Resource } from '../blueprint/access/permissions.ts';
import { permissionsOf, type RoleName, roleNameOf } from '../blueprint/access/roles.ts';

/** The ARNs of what a role's permissions are for. */
export type Arns = Readonly<Partial<Record<Resource, string | readonly string[]>>>;

export interface ExactRoleProps {
  readonly name: RoleName;
  readonly environment: string;
  /** Who assumes the role. */
  readonly assumedBy: IPrincipal;
  /** At least of every resource that infra/blueprint/access/roles.ts names for the role. */
  readonly arns: Arns;
}

/** A role with exactly the permissions of infra/blueprint/access/roles.ts: no construct can add to it. */
export class ExactRole extends Construct {
  readonly role: IRole;

  constructor(scope: Construct, id: string, { name, environment, assumedBy, arns }: ExactRoleProps) {
    super(scope, id);
    const statements = permissionsOf(name).map(
      ({ actions, resource, conditions }) =>
        new PolicyStatement({
          actions: [...actions],
          resources: arnsIn(arns, resource),
          ...(conditions !== undefined && { conditions }),
        }),
    );
    const role = new Role(this, 'Role', {
      roleName: roleNameOf(environment, name),
      assumedBy,
      inlinePolicies: { exactly: new PolicyDocument({ statements, minimize: false }) },
    });
    this.role = role.withoutPolicyUpdates();
  }
}

function arnsIn(arns: Arns, resource: Resource): string[] {
  if (resource === 'Everything') return ['*'];
  const given = arns[resource];
  if (given === undefined) throw new Error(`no ARN was given for ${resource}`);
  return [given].flat();
}
