import { type FunctionName, functionNames, type SandboxFunctionName, sandboxFunctionNames } from './functions.ts';
import { outgoingEvents } from './bus-events.ts';
import { exactly } from './bus-policy.ts';
import { tables } from './tables.ts';
import { schedulingAttributes } from '../../functions/core/cancellation/stream-key.ts';

/** What permissions are for, and how the documentation words it. */
export const resourceTitles = {
  JobDirectory: 'the job directory',
  CancellationLog: 'the cancellation log',
  WakeUps: "the cancellation log's index of wake-ups",
  CancellationLogStream: "the cancellation log's stream",
  Partners: 'the partners table',
  PlangrepKey: "the secret with Plangrep's key",
  SandboxTable: "the sandbox's table, only in dev",
  EventsQueue: 'the events queue',
  EventsGivenUp: 'the dead-letter queue of events',
  WakeUpQueue: 'the wake-up queue',
  MissedRuns: 'the queue of missed runs',
  EventBus: 'the event bus',
  ArchiveRecords: "the archive's records",
  ArchiveDigests: "the archive's digests",
  ArchiveBucket: "the archive's bucket, for its lists",
  SealKey: "the key that signs the archive's digests",
  ServiceStack: 'the service stack',
  OutgoingEventsUndelivered: 'the queue of undelivered outgoing events',
  OwnLogGroup: 'its own log group',
  Everything: '`*`: X-Ray has no resources',
} as const;
export type Resource = keyof typeof resourceTitles;

/** IAM's operators, keys and values. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export interface Permission {
  readonly actions: readonly string[];
  readonly resource: Resource;
  readonly conditions?: Conditions;
}

/**
 * The update, its condition and its key may name only these attributes, and the answer returns none.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const onlyAttributes = (...attributes: readonly string[]): Conditions => ({
  'ForAllValues:StringEquals': { 'dynamodb:Attributes': attributes },
  StringEqualsIfExists: { 'dynamodb:ReturnValues': ['NONE'] },
});
const onlyKeys = (...patterns: readonly string[]): Conditions => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': patterns },
});

const { partitionKey, sortKey } = tables.CancellationLog;
/** The only attributes of the log that may change: they are scheduling, everything else is history. */
export const wakeUpAttributes: readonly string[] = [partitionKey, sortKey, ...schedulingAttributes];

/** For every function: its own log lines and traces. */
const common: readonly Permission[] = [
  { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resource: 'OwnLogGroup' },
  { actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], resource: 'Everything' },
];

const sendWakeUps: Permission = { actions: ['sqs:SendMessage'], resource: 'WakeUpQueue' };
const receiveMessages = ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'] as const;
const appendToLog: Permission = { actions: ['dynamodb:PutItem', 'dynamodb:Query'], resource: 'CancellationLog' };
const moveWakeUps: Permission = {
  actions: ['dynamodb:UpdateItem'],
  resource: 'CancellationLog',
  conditions: onlyAttributes(...wakeUpAttributes),
};
const readKey: Permission = { actions: ['secretsmanager:GetSecretValue'], resource: 'PlangrepKey' };

/** Finds a partner's jobs, verifies and claims them, and remembers what a job read showed. */
const findJobs: readonly Permission[] = [
  { actions: ['dynamodb:PutItem', 'dynamodb:Query'], resource: 'JobDirectory' },
  {
    actions: ['dynamodb:UpdateItem'],
    resource: 'JobDirectory',
    conditions: onlyAttributes(
      tables.JobDirectory.partitionKey,
      tables.JobDirectory.sortKey,
      'terminalStatus',
      'absentAt',
      'absentSince',
    ),
  },
  // A partner's record, not its credentials.
  { actions: ['dynamodb:GetItem'], resource: 'Partners', conditions: onlyKeys('partner#*') },
  readKey,
];

/** A door of cancel requests also reads what a request is bound to, and works on the cancellation. */
const door: readonly Permission[] = [
  appendToLog,
  { actions: ['dynamodb:GetItem'], resource: 'JobDirectory' },
  ...findJobs,
  sendWakeUps,
];

/** Looks at a wake-up that is due, and moves or removes it. */
const lookAtWakeUps: readonly Permission[] = [appendToLog, moveWakeUps, readKey, sendWakeUps];

/** Follows the cancellation log's stream. */
const readStream: Permission = {
  actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
  resource: 'CancellationLogStream',
};

/** Each function's role: exactly its actions on exactly its resources. */
const functionRoles: Readonly<Record<FunctionName | SandboxFunctionName, readonly Permission[]>> = {
  'authorize-partner': [{ actions: ['dynamodb:GetItem'], resource: 'Partners', conditions: onlyKeys('key#*') }],
  // With `Prefer: wait` it makes the looks that become due.
  'request-cancellation': [...door, moveWakeUps],
  'read-cancellations': [
    { actions: ['dynamodb:Query'], resource: 'CancellationLog' },
    { actions: ['dynamodb:Query'], resource: 'JobDirectory' },
  ],
  // Of single records only a job's owner.
  'register-job': [
    { actions: ['dynamodb:GetItem'], resource: 'JobDirectory', conditions: onlyKeys('job#*') },
    ...findJobs,
  ],
  'consume-events': [
    ...door,
    { actions: receiveMessages, resource: 'EventsQueue' },
    // A malformed event goes there at once.
    { actions: ['sqs:SendMessage'], resource: 'EventsGivenUp' },
  ],
  'consume-wake-ups': [...lookAtWakeUps, { actions: receiveMessages, resource: 'WakeUpQueue' }],
  'reconcile-cancellations': [
    ...lookAtWakeUps,
    { actions: ['dynamodb:Query'], resource: 'WakeUps' },
    // Lambda does this in the function's name, for a run that failed.
    { actions: ['sqs:SendMessage'], resource: 'MissedRuns' },
  ],
  'announce-cancellations': [
    readStream,
    {
      actions: ['events:PutEvents'],
      resource: 'EventBus',
      conditions: exactly(
        outgoingEvents.Closed.source,
        Object.values(outgoingEvents).map(({ detailType }) => detailType),
      ),
    },
    // Lambda does this in the function's name, for a record that was repeated to the end.
    { actions: ['sqs:SendMessage'], resource: 'OutgoingEventsUndelivered' },
  ],
  // Only its own log lines and traces.
  'read-documentation': [],
  'answer-unknown-route': [],
  'simulate-plangrep': [{ actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resource: 'SandboxTable' }, readKey],
};

/**
 * An operator takes this role to look at given-up events and to send them again: the queue takes messages from the rules and from this role
 * alone. SQS moves them with the permissions of who started the move.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
 */
const redriveEvents: readonly Permission[] = [
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
    resource: 'EventsGivenUp',
  },
  { actions: ['sqs:GetQueueAttributes', 'sqs:SendMessage'], resource: 'EventsQueue' },
  // `npm run ops` finds the queue by the stack.
  { actions: ['cloudformation:ListStackResources'], resource: 'ServiceStack' },
];

/** Roles that no function has. */
const otherRoles = { 'redrive-events': redriveEvents } as const;
type OtherRole = keyof typeof otherRoles;

export type RoleName = FunctionName | SandboxFunctionName | OtherRole;
/** The sandbox's roles exist only in a sandbox. */
export const roleNames: readonly RoleName[] = [...functionNames, 'redrive-events', ...sandboxFunctionNames];

/** Everything that a role may do. */
export function permissionsOf(role: RoleName): readonly Permission[] {
  return isOfFunction(role) ? [...functionRoles[role], ...common] : otherRoles[role];
}

export function isOfFunction(role: RoleName): role is FunctionName | SandboxFunctionName {
  return Object.hasOwn(functionRoles, role);
}

/** A fixed name, so that the log's own policy can name the role without depending on the service's stack. */
export function roleNameOf(environment: string, role: RoleName): string {
  return `plangrep-cancellation-${environment}-${role}`;
}

/** The roles that may append to the cancellation log, and those that may move its wake-ups: the table's policy denies all others. */
export const logWriters = rolesThatMay('dynamodb:PutItem', 'CancellationLog');
export const wakeUpMovers = rolesThatMay('dynamodb:UpdateItem', 'CancellationLog');
/** The roles that may send to the wake-up queue: its policy denies all others. */
export const wakeUpSenders = rolesThatMay('sqs:SendMessage', 'WakeUpQueue');

function rolesThatMay(action: string, on: Resource): readonly RoleName[] {
  return roleNames.filter((role) =>
    permissionsOf(role).some(({ actions, resource }) => resource === on && actions.includes(action)),
  );
}
