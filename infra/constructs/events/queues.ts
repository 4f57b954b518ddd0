import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** Encrypted by SQS's own keys, which EventBridge may use without a key policy, and reached over TLS alone. */
export const addQueue = (scope: Construct, id: string, props: QueueProps): Queue =>
  new Queue(scope, id, { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, ...props });

/** Keeps what nobody could deliver for as long as SQS can: 14 days to look, mend and redrive. */
export const addDeadLetterQueue = (scope: Construct, id: string): Queue =>
  addQueue(scope, id, { retentionPeriod: Duration.days(14) });
