import { erasableAttributes } from '../../../functions/core/cancellation/commitment.ts';
import { erasedSchema } from '../../../functions/core/cancellation/erased.ts';
import { tables } from '../tables.ts';
import { endpointKeys, onlyAttributes, onlyKeys, type Permission, type Resource } from './permissions.ts';

/** `npm run ops` finds tables, and queues, by the stacks. */
const findTables: Permission = { actions: ['cloudformation:ListStackResources'], resource: 'StatefulStack' };
const findQueues: Permission = { actions: ['cloudformation:ListStackResources'], resource: 'ServiceStack' };

/**
 * Looks at what a queue has given up and sends it again. SQS moves messages with the permissions of who started the move.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
 */
const redrive = (from: Resource, to: Resource): readonly Permission[] => [
  {
    actions: [
      'sqs:CancelMessageMoveTask',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ListMessageMoveTasks',
      'sqs:ReceiveMessage',
      'sqs:StartMessageMoveTask',
    ],
    resource: from,
  },
  { actions: ['sqs:GetQueueAttributes', 'sqs:SendMessage'], resource: to },
  findQueues,
];

/**
 * `callback …`: where a partner's callbacks go, and what is kept for a replay. It shows a partner's signing secret, so it reads
 * what that is made from; what a replay since a time is about, no index has. A given-up message about a callback is sent again by
 * the same role.
 */
const manageCallbacks: readonly Permission[] = [
  { actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resource: 'Partners', conditions: onlyKeys(endpointKeys) },
  // Whether there is such a partner.
  { actions: ['dynamodb:GetItem'], resource: 'Partners', conditions: onlyKeys('partner#*') },
  // One job's; with `--since`, all.
  { actions: ['dynamodb:Query', 'dynamodb:Scan'], resource: 'CancellationLog' },
  { actions: ['dynamodb:Query'], resource: 'WakeUps' },
  { actions: ['secretsmanager:GetSecretValue'], resource: 'CallbackSecret' },
  ...redrive('CallbacksGivenUp', 'CallbackQueue'),
  findTables,
];

/** `partner …`, `partner-key …`, and the partners that `npm run accept` adds and removes: one put there makes a credential. */
const managePartners: readonly Permission[] = [
  {
    actions: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Scan', 'dynamodb:UpdateItem'],
    resource: 'Partners',
  },
  { actions: ['apigateway:DELETE', 'apigateway:GET', 'apigateway:POST'], resource: 'UsageKeys' },
  { actions: ['apigateway:GET'], resource: 'UsagePlans' },
  findTables,
];

/** `job …` and `project release`. */
const releaseJobs: readonly Permission[] = [
  {
    actions: [
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:Scan',
      'dynamodb:UpdateItem',
    ],
    resource: 'JobDirectory',
  },
  findTables,
];

const { partitionKey, sortKey } = tables.CancellationLog;
/** The attributes of the log that an erasure may name: no hash covers the erasable ones. */
export const erasureAttributes: readonly string[] = [partitionKey, sortKey, ...erasableAttributes];

/** Those of an `erased` record. It can replace no event unseen: an event has others, which verify-audit misses then. */
export const erasedRecordAttributes: readonly string[] = [partitionKey, sortKey, ...Object.keys(erasedSchema.shape)];

/** `erase`: removes texts and their salts from records, and their entries from the directory, and puts `erased` records. */
const eraseTexts: readonly Permission[] = [
  { actions: ['dynamodb:Query', 'dynamodb:Scan'], resource: 'CancellationLog' },
  { actions: ['dynamodb:PutItem'], resource: 'CancellationLog', conditions: onlyAttributes(...erasedRecordAttributes) },
  { actions: ['dynamodb:UpdateItem'], resource: 'CancellationLog', conditions: onlyAttributes(...erasureAttributes) },
  {
    actions: ['dynamodb:DeleteItem', 'dynamodb:Scan', 'dynamodb:UpdateItem'],
    resource: 'JobDirectory',
  },
  findTables,
];

/**
 * `restore freeze`, and `restore prepare` of a table that has its policy already. No role but this one and the deployment's may
 * change a table's settings, and each use of it rings "Table settings changed". It cannot delete a table.
 */
const restoreTables: readonly Permission[] = [
  {
    actions: [
      'dynamodb:DeleteResourcePolicy',
      'dynamodb:DescribeContinuousBackups',
      'dynamodb:DescribeContributorInsights',
      'dynamodb:DescribeTable',
      'dynamodb:DescribeTimeToLive',
      'dynamodb:GetResourcePolicy',
      'dynamodb:ListTagsOfResource',
      'dynamodb:PutResourcePolicy',
      'dynamodb:TagResource',
      'dynamodb:UpdateContinuousBackups',
      'dynamodb:UpdateContributorInsights',
      'dynamodb:UpdateTable',
      'dynamodb:UpdateTimeToLive',
    ],
    resource: 'InUseAndReplaced',
  },
  findTables,
];

/** Roles that an operator takes for one task. Which of the account's operators may take which, their own permissions say. */
export const operatorRoles = {
  // The queue takes messages from the rules and from this role alone.
  'redrive-events': redrive('EventsGivenUp', 'EventsQueue'),
  'manage-partners': managePartners,
  'manage-callbacks': manageCallbacks,
  'release-jobs': releaseJobs,
  'erase-texts': eraseTexts,
  'restore-tables': restoreTables,
} as const satisfies Record<string, readonly Permission[]>;
export type OperatorRole = keyof typeof operatorRoles;

export const operatorRoleNames: readonly OperatorRole[] = [
  'redrive-events',
  'manage-partners',
  'manage-callbacks',
  'release-jobs',
  'erase-texts',
  'restore-tables',
];
