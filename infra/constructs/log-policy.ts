import type { Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { logWriters, type RoleName, roleNameOf, wakeUpAttributes, wakeUpMovers } from '../blueprint/roles.ts';

/**
 * The cancellation log's own policy: whatever anybody's role allows, an administrator's too, nobody deletes from the
 * log, changes its history or writes to it but this service. Who would has to take this policy away first, which
 * CloudTrail records. (A transaction needs the permission of each action in it, so it is denied with them.)
 *
 * A second region's replication is denied as well: exempt DynamoDB's service-linked role when one is added.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
 */
export const protectLog = (stack: Stack, environment: string): PolicyDocument => {
  const arnsOf = (roles: readonly RoleName[]) =>
    roles.map((role) =>
      stack.formatArn({ service: 'iam', region: '', resource: 'role', resourceName: roleNameOf(environment, role) }),
    );
  const deny = (
    sid: string,
    actions: readonly string[],
    conditions?: Record<string, Record<string, readonly string[]>>,
  ) =>
    new PolicyStatement({
      sid,
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: [...actions],
      // The table that the policy is part of: its ARN is not known before it.
      resources: ['*'],
      ...(conditions !== undefined && { conditions }),
    });
  return new PolicyDocument({
    minimize: false,
    statements: [
      deny('NoDeleteAndNoUnconditionalWrite', [
        'dynamodb:DeleteItem',
        'dynamodb:BatchWriteItem',
        'dynamodb:PartiQLInsert',
        'dynamodb:PartiQLUpdate',
        'dynamodb:PartiQLDelete',
      ]),
      deny('NoUpdateOfHistory', ['dynamodb:UpdateItem'], {
        'ForAnyValue:StringNotEquals': { 'dynamodb:Attributes': wakeUpAttributes },
      }),
      deny('NoUpdateByOthers', ['dynamodb:UpdateItem'], {
        ArnNotEquals: { 'aws:PrincipalArn': arnsOf(wakeUpMovers) },
      }),
      deny('NoWriteByOthers', ['dynamodb:PutItem'], { ArnNotEquals: { 'aws:PrincipalArn': arnsOf(logWriters) } }),
    ],
  });
};
