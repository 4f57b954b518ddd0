import { type FunctionName, functionNames, type SandboxFunctionName, sandboxFunctionNames } from '../functions.ts';
import { outgoingEvents } from '../bus-events.ts';
import { exactly } from '../bus-policy.ts';
import { tables } from '../tables.ts';
import { type OperatorRole, operatorRoleNames, operatorRoles } from './operator-roles.ts';
import {
  both,
  callbackAttributes,
  endpointKeys,
  onlyAttributes,
  onlyKeys,
  pauseAttributes,
  type Permission,
  type Resource,
  wakeUpAttributes,
} from './permissions.ts';

/** For every function: its own log lines and traces. */
const common: readonly Permission[] = [
  { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resource: 'OwnLogGroup' },
  { actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], resource: 'Everything' },
];

const sendWakeUps: Permission = { actions: ['sqs:SendMessage'], resource: 'WakeUpQueue' };
const sendCallbacks: Permission = { actions: ['sqs:SendMessage'], resource: 'CallbackQueue' };
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
      tables.JobDirectory.timeToLive,
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
    sendCallbacks,
    // Lambda does this in the function's name, for a record that was repeated to the end.
    { actions: ['sqs:SendMessage'], resource: 'OutgoingEventsUndelivered' },
  ],
  'deliver-callbacks': [
    { actions: ['dynamodb:Query'], resource: 'CancellationLog' },
    { actions: ['dynamodb:PutItem'], resource: 'CancellationLog', conditions: onlyAttributes(...callbackAttributes) },
    moveWakeUps,
    { actions: ['dynamodb:Query'], resource: 'WakeUps' },
    { actions: ['dynamodb:GetItem'], resource: 'Partners', conditions: onlyKeys(endpointKeys) },
    {
      actions: ['dynamodb:UpdateItem'],
      resource: 'Partners',
      conditions: both(onlyKeys(endpointKeys), onlyAttributes(...pauseAttributes)),
    },
    { actions: ['secretsmanager:GetSecretValue'], resource: 'CallbackSecret' },
    sendCallbacks,
    { actions: receiveMessages, resource: 'CallbackQueue' },
    // Lambda does this in the function's name, for a run that failed.
    { actions: ['sqs:SendMessage'], resource: 'MissedRuns' },
  ],
  'archive-records': [
    readStream,
    // A repeat compares what it meets.
    { actions: ['s3:GetObject', 's3:PutObject'], resource: 'ArchiveRecords' },
    // Lambda does this in the function's name, for a record that was repeated to the end.
    { actions: ['sqs:SendMessage'], resource: 'RecordsNotArchived' },
  ],
  'seal-archive': [
    { actions: ['s3:ListBucket'], resource: 'ArchiveBucket' },
    { actions: ['s3:GetObject'], resource: 'ArchiveRecords' },
    { actions: ['s3:GetObject', 's3:PutObject'], resource: 'ArchiveDigests' },
    { actions: ['s3:GetObject', 's3:PutObject'], resource: 'ArchiveKeys' },
    { actions: ['kms:GetPublicKey'], resource: 'SealKey' },
    {
      actions: ['kms:Sign'],
      resource: 'SealKey',
      conditions: { StringEquals: { 'kms:MessageType': ['DIGEST'], 'kms:SigningAlgorithm': ['ECDSA_SHA_256'] } },
    },
  ],
  // Only its own log lines and traces.
  'read-documentation': [],
  'answer-unknown-route': [],
  'simulate-plangrep': [{ actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resource: 'SandboxTable' }, readKey],
};

export type RoleName = FunctionName | SandboxFunctionName | OperatorRole;
/** The sandbox's roles exist only in a sandbox. */
export const roleNames: readonly RoleName[] = [...functionNames, ...operatorRoleNames, ...sandboxFunctionNames];

/** Everything that a role may do. */
export function permissionsOf(role: RoleName): readonly Permission[] {
  return isOfFunction(role) ? [...functionRoles[role], ...common] : operatorRoles[role];
}

/** Whether a function runs with the role; an operator takes the others. */
export function isOfFunction(role: RoleName): role is FunctionName | SandboxFunctionName {
  return Object.hasOwn(functionRoles, role);
}

/** A fixed name, so that the log's own policy can name the role without depending on the service's stack. */
export function roleNameOf(environment: string, role: RoleName): string {
  return `plangrep-cancellation-${environment}-${role}`;
}

/** The roles that may send to a queue: its policy denies all others. */
export const wakeUpSenders = rolesThatMay('sqs:SendMessage', 'WakeUpQueue');
export const callbackSenders = rolesThatMay('sqs:SendMessage', 'CallbackQueue');

/** In the order of {@link roleNames}. */
export function rolesThatMay(action: string, on: Resource): readonly RoleName[] {
  return roleNames.filter((role) =>
    permissionsOf(role).some(({ actions, resource }) => resource === on && actions.includes(action)),
  );
}
