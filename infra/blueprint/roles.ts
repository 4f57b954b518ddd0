import { type FunctionName, type SandboxFunctionName, sandboxFunctions, serviceFunctions } from './functions.ts';
import { tables } from './tables.ts';

/** What a permission can be for. Beside each, how the README's table words it. */
export const resourceTitles = {
  JobDirectory: 'the job directory',
  CancellationLog: 'the cancellation log',
  WakeUps: "the cancellation log's index of wake-ups",
  CancellationLogStream: "the cancellation log's stream",
  Partners: 'the partners table',
  PlangrepKey: "the secret with Plangrep's key",
  SandboxTable: "the sandbox's table, in dev alone",
  EventsQueue: 'the events queue',
  MissedRuns: 'the queue of missed runs',
  EventBus: 'the event bus',
  ClosedEventsDeadLetters: 'the dead-letter queue of closed cancellations',
  OwnLogGroup: 'its own log group',
  Everything: '`*`: X-Ray knows no resources',
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
 * Only these attributes may be named by the update, its condition or its key, and nothing else may come back.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const onlyAttributes = (...attributes: readonly string[]): Conditions => ({
  'ForAllValues:StringEquals': { 'dynamodb:Attributes': attributes },
  StringEqualsIfExists: { 'dynamodb:ReturnValues': ['NONE'] },
});
const onlyKeys = (...patterns: readonly string[]): Conditions => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': patterns },
});

const { partitionKey, sortKey, index } = tables.CancellationLog;
/** What scheduling may touch in the log: everything else in it is history. */
export const wakeUpAttributes: readonly string[] = [partitionKey, sortKey, index.partitionKey, index.sortKey];

/** Every function's: its own log lines and traces. */
const common: readonly Permission[] = [
  { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resource: 'OwnLogGroup' },
  { actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], resource: 'Everything' },
];

const appendToLog: Permission = { actions: ['dynamodb:PutItem', 'dynamodb:Query'], resource: 'CancellationLog' };
const readKey: Permission = { actions: ['secretsmanager:GetSecretValue'], resource: 'PlangrepKey' };

/** A door finds the job, claims what it finds by listing, binds the request, and remembers how a job ended. */
const door: readonly Permission[] = [
  appendToLog,
  { actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], resource: 'JobDirectory' },
  {
    actions: ['dynamodb:UpdateItem'],
    resource: 'JobDirectory',
    conditions: onlyAttributes(tables.JobDirectory.partitionKey, tables.JobDirectory.sortKey, 'terminalStatus'),
  },
  // A partner's record, never a credential.
  { actions: ['dynamodb:GetItem'], resource: 'Partners', conditions: onlyKeys('partner#*') },
  readKey,
];

/** Each function's role: exactly what it does, on exactly what it does it to. */
const functionRoles: Readonly<Record<FunctionName | SandboxFunctionName, readonly Permission[]>> = {
  'authorize-partner': [{ actions: ['dynamodb:GetItem'], resource: 'Partners', conditions: onlyKeys('key#*') }],
  'request-cancellation': door,
  'read-cancellations': [
    { actions: ['dynamodb:Query'], resource: 'CancellationLog' },
    { actions: ['dynamodb:Query'], resource: 'JobDirectory' },
  ],
  'register-job': [
    { actions: ['dynamodb:PutItem'], resource: 'JobDirectory' },
    // Who owns the job: the one thing it reads.
    { actions: ['dynamodb:GetItem'], resource: 'JobDirectory', conditions: onlyKeys('job#*') },
  ],
  'consume-events': [
    ...door,
    { actions: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'], resource: 'EventsQueue' },
  ],
  'reconcile-cancellations': [
    appendToLog,
    { actions: ['dynamodb:Query'], resource: 'WakeUps' },
    { actions: ['dynamodb:UpdateItem'], resource: 'CancellationLog', conditions: onlyAttributes(...wakeUpAttributes) },
    readKey,
    // Lambda's doing, in the function's name: a run that failed.
    { actions: ['sqs:SendMessage'], resource: 'MissedRuns' },
  ],
  // Nothing but its own log lines and traces.
  'read-documentation': [],
  'simulate-plangrep': [{ actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resource: 'SandboxTable' }, readKey],
};

/** The pipe that tells of closed cancellations. */
const closedEvents: readonly Permission[] = [
  {
    actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
    resource: 'CancellationLogStream',
  },
  { actions: ['events:PutEvents'], resource: 'EventBus' },
  { actions: ['sqs:SendMessage'], resource: 'ClosedEventsDeadLetters' },
];

export type RoleName = FunctionName | SandboxFunctionName | 'closed-events';
const namesOf = <Name extends string>(definitions: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(definitions).filter((name): name is Name => name in definitions);
/** The service's. */
export const functionNames = namesOf(serviceFunctions);
export const sandboxFunctionNames = namesOf(sandboxFunctions);
/** Those of a sandbox are nowhere else. */
export const roleNames: readonly RoleName[] = [...functionNames, 'closed-events', ...sandboxFunctionNames];

/** Everything that a role may do. */
export const permissionsOf = (role: RoleName): readonly Permission[] =>
  role === 'closed-events' ? closedEvents : [...functionRoles[role], ...common];

/** Of a function's role, so that the log's own policy can name it without depending on the service's stack. */
export const roleNameOf = (environment: string, role: RoleName): string =>
  `plangrep-cancellation-${environment}-${role}`;

const may = (role: RoleName, action: string): boolean =>
  permissionsOf(role).some(({ actions, resource }) => resource === 'CancellationLog' && actions.includes(action));
/** Who may append to the cancellation log, and who may move its wake-ups: nobody else, says the table's own policy. */
export const logWriters = roleNames.filter((role) => may(role, 'dynamodb:PutItem'));
export const wakeUpMovers = roleNames.filter((role) => may(role, 'dynamodb:UpdateItem'));

/** The table of role × action × resource, for the README. */
export const renderRolesTable = (): string => {
  const rows = roleNames.flatMap((role) =>
    permissionsOf(role).map(({ actions, resource, conditions }) => [
      `\`${role}\``,
      actions.map((action) => `\`${action}\``).join(', '),
      resourceTitles[resource],
      conditions === undefined ? '' : describe(conditions),
    ]),
  );
  return [['role', 'may', 'on', 'only where'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
};

const describe = (conditions: Conditions): string =>
  Object.values(conditions)
    .flatMap((keys) => Object.entries(keys))
    .map(([key, values]) => `\`${key}\` in ${values.map((value) => `\`${value}\``).join(', ')}`)
    .join('; ');
