import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** Encrypted by SQS's own keys, which EventBridge may use without a key policy, and reached over TLS only. */
export function addQueue(scope: Construct, id: string, props: QueueProps): Queue {
  return new Queue(scope, id, { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, ...props });
}

/** Keeps what could not be delivered as long as SQS can: 14 days to look, fix the cause and redrive. */
export function addDeadLetterQueue(scope: Construct, id: string): Queue {
  return addQueue(scope, id, { retentionPeriod: Duration.days(14) });
}
