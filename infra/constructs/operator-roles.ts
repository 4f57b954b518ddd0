import { Aws } from 'aws-cdk-lib';
import { AccountPrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type OperatorRole, operatorRoleNames } from '../blueprint/access/operator-roles.ts';
import type { Resource } from '../blueprint/access/permissions.ts';
import { type Arns, ExactRole } from './exact-role.ts';

export interface OperatorRolesProps {
  readonly environment: string;
  /** Of the tables, the queues and the stateful stack. */
  readonly arns: Arns;
}

/** The roles that operators take for one task each. */
export class OperatorRoles extends Construct {
  constructor(scope: Construct, id: string, { environment, arns }: OperatorRolesProps) {
    super(scope, id);
    const all = { ...arns, ServiceStack: Aws.STACK_ID, ...ofApiGateway() };
    for (const name of operatorRoleNames.filter(isMadeHere)) {
      new ExactRole(this, name, { name, environment, assumedBy: new AccountPrincipal(Aws.ACCOUNT_ID), arns: all });
    }
  }
}

/** The door of events makes the role that its queues' policies name. */
function isMadeHere(name: OperatorRole): boolean {
  return name !== 'redrive-events';
}

/** Keys and plans have ids that API Gateway chooses, so these are all those of the account and region. */
export const apiGatewayPaths = {
  UsageKeys: ['/apikeys', '/apikeys/*', '/usageplans/*/keys', '/usageplans/*/keys/*'],
  UsagePlans: ['/usageplans', '/usageplans/*/usage'],
} as const satisfies Partial<Record<Resource, readonly string[]>>;

function ofApiGateway(): Arns {
  const arn = (path: string): string => `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}::${path}`;
  return { UsageKeys: apiGatewayPaths.UsageKeys.map(arn), UsagePlans: apiGatewayPaths.UsagePlans.map(arn) };
}
