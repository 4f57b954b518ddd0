/**
 * Calls that change what a table is, and why none is left to administrators:
 *
 * - time to live on another attribute deletes what it likes, and a stream that is switched off hides changes from the archive;
 * - the policy says all of this, so changing it comes first in an attack;
 * - point-in-time recovery and the tags, by which AWS Backup chooses tables, are what a restore needs;
 * - a Kinesis stream copies every item out, and Contributor Insights shows keys, which hold externalIds.
 *
 * AWS Backup, point-in-time recovery and the expiry of items call none of them.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html
 */
export const settingsCalls = [
  'UpdateTable',
  'UpdateTimeToLive',
  'UpdateContinuousBackups',
  'UpdateContributorInsights',
  'DeleteTable',
  'PutResourcePolicy',
  'DeleteResourcePolicy',
  'EnableKinesisStreamingDestination',
  'TagResource',
  'UntagResource',
] as const;

/** Calls that change the trail which records the others: after one of them nothing is seen any more. */
export const trailCalls = ['StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors'] as const;

/** Calls by which a bucket of evidence could be opened, emptied or deleted. */
export const bucketCalls = [
  'DeleteBucket',
  'DeleteBucketPolicy',
  'PutBucketPolicy',
  'PutBucketLifecycle',
  'PutBucketObjectLockConfiguration',
  'PutBucketVersioning',
  'PutBucketPublicAccessBlock',
] as const;

/** Calls that change the key which signs the archive's digests, or which key that is. */
export const keyCalls = [
  'ScheduleKeyDeletion',
  'DisableKey',
  'PutKeyPolicy',
  'CreateGrant',
  'UpdateAlias',
  'DeleteAlias',
] as const;

/** All of them, as `ops logs SETTINGS_CHANGED` looks for them. */
export const watchedCalls: readonly string[] = [...settingsCalls, ...trailCalls, ...bucketCalls, ...keyCalls];
