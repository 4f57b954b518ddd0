import { Duration, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { type RoleName, roleNameOf } from '../../blueprint/access/roles.ts';

/** Encrypted by SQS's own keys, which EventBridge may use without a key policy, and reached over TLS only. */
export function addQueue(scope: Construct, id: string, props: QueueProps): Queue {
  return new Queue(scope, id, { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, ...props });
}

/** Keeps what could not be delivered as long as SQS can: 14 days to look, fix the cause and redrive. @param props `fifo` for a FIFO queue's */
export function addDeadLetterQueue(scope: Construct, id: string, props: QueueProps = {}): Queue {
  return addQueue(scope, id, { retentionPeriod: Duration.days(14), ...props });
}

/**
 * Of all users and roles, an administrator's too, only these may send to the queue. SQS itself, which moves what was
 * received too often to a dead-letter queue, is none of them.
 */
export function onlyFromRoles(queue: Queue, environment: string, roles: readonly RoleName[]): void {
  const arns = roles.map((role) =>
    Stack.of(queue).formatArn({
      service: 'iam',
      region: '',
      resource: 'role',
      resourceName: roleNameOf(environment, role),
    }),
  );
  queue.addToResourcePolicy(
    new PolicyStatement({
      sid: 'OnlyTheFunctions',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: {
        Null: { 'aws:PrincipalArn': 'false' },
        ...(arns.length > 0 && { ArnNotEquals: { 'aws:PrincipalArn': arns } }),
      },
    }),
  );
}
