import type { TableName } from '../../../infra/blueprint/tables.ts';

/** One kind of request that a function sends: to a table, its index, Secrets Manager, the wake-up queue or Plangrep. */
export type Outgoing =
  | `${'GetItem' | 'PutItem' | 'Query' | 'UpdateItem'} ${TableName}`
  | 'Query due-wake-ups'
  | 'GetSecretValue'
  | 'SendMessage'
  | 'Plangrep cancel'
  | 'Plangrep read'
  | 'Plangrep list';

/** What a path asks of its dependencies: its cost, its limits and its time follow from that. */
export interface PathCalls {
  /** How often each request is sent; a request that is not named is not sent. */
  readonly requests: Readonly<Partial<Record<Outgoing, number>>>;
  /** DynamoDB's write request units, the index's included. */
  readonly writeUnits: number;
  /** DynamoDB's read request units. */
  readonly readUnits: number;
  /** Bytes that stay in the tables, by DynamoDB's item sizes. */
  readonly storedBytes: number;
}

const cancel = { 'Query JobDirectory': 1, 'PutItem CancellationLog': 2, 'Plangrep cancel': 1 } as const;
const cancelAndRead = { ...cancel, 'Plangrep read': 1 } as const;
const join = { 'Query JobDirectory': 1, 'PutItem CancellationLog': 2, 'Query CancellationLog': 1 } as const;
const bind = { 'GetItem JobDirectory': 1, 'PutItem JobDirectory': 1 } as const;
const refuse = { 'PutItem CancellationLog': 1, 'PutItem JobDirectory': 1 } as const;
const discover = {
  'GetItem Partners': 1,
  'Plangrep list': 1,
  'GetItem JobDirectory': 1,
  'PutItem JobDirectory': 2,
} as const;
const verify = { 'Query JobDirectory': 1, 'Plangrep read': 1, 'GetItem JobDirectory': 1 } as const;
const lookAtOne = { 'Query due-wake-ups': 8, 'Query CancellationLog': 1 } as const;
const poll = { 'UpdateItem CancellationLog': 2, 'Plangrep read': 1, 'PutItem CancellationLog': 1 } as const;
const takeOver = { ...poll, 'PutItem CancellationLog': 2, 'Plangrep cancel': 1 } as const;

/**
 * What every path asks of the tables, Secrets Manager and Plangrep, for names as long as those of Plangrep's documented
 * example and a short reason. The container is warm, except for "a container's first". The tests hold the real bundles on
 * the real engine to these figures (`test/service/bundles/calls.test.ts`), and the costs are calculated from them.
 */
export const callsPerPath = {
  // Each: the requests, then write units, read units and stored bytes.
  cancelled: calls(cancel, 4, 1, 1374),
  "a container's first": calls(
    { ...cancel, GetSecretValue: 1, 'GetItem Partners': 1, 'Query JobDirectory': 2 },
    4,
    2.5,
    1374,
  ),
  "a partner's first": calls({ ...cancel, 'GetItem Partners': 1 }, 4, 1.5, 1374),
  pending: calls({ ...cancel, SendMessage: 1 }, 5, 1, 1384),
  'too late': calls(cancelAndRead, 4, 1, 1375),
  'unknown to Plangrep': calls({ ...cancelAndRead, SendMessage: 1 }, 5, 1, 1315),
  'joined, closed': calls(join, 3, 2, 585),
  'joined, open': calls(join, 3, 2, 585),
  'Idempotency-Key, first': calls({ ...cancel, ...bind }, 5, 2, 1627),
  'Idempotency-Key, repeat': calls({ ...join, 'GetItem JobDirectory': 1 }, 3, 3, 585),
  'one of two jobs lives': calls({ ...cancel, 'Plangrep read': 2, 'UpdateItem JobDirectory': 1 }, 5, 1, 1412),
  'found by listing': calls({ ...cancel, ...discover }, 6, 2.5, 1849),
  'not found': calls({ 'Query JobDirectory': 1, 'GetItem JobDirectory': 1, ...refuse }, 3, 2, 752),
  ambiguous: calls({ 'Query JobDirectory': 1, 'Plangrep read': 2, ...refuse }, 3, 1, 768),
  invalid: calls({}, 0, 0, 0),
  'event, cancelled': calls({ ...cancel, ...bind }, 5, 2, 1591),
  'event, registered': calls({ ...verify, 'PutItem JobDirectory': 2 }, 2, 2, 461),
  'register, first': calls({ ...verify, 'PutItem JobDirectory': 2 }, 2, 2, 461),
  'register, repeat': calls(verify, 0, 2, 0),
  'read by jobId': calls({ 'Query CancellationLog': 2 }, 0, 2, 0),
  'read by externalId': calls({ 'Query JobDirectory': 2, 'Query CancellationLog': 2 }, 0, 4, 0),
  'credential checked': calls({ 'GetItem Partners': 1 }, 0, 0.5, 0),
  'wake-up, one to take over': calls({ 'Query CancellationLog': 1, ...takeOver }, 7, 1, 938),
  'reconciler, nothing due': calls({ 'Query due-wake-ups': 4 }, 0, 2, 0),
  'reconciler, one is closed': calls({ ...lookAtOne, 'UpdateItem CancellationLog': 1 }, 2, 5, -40),
  'reconciler, one to poll': calls({ ...lookAtOne, ...poll }, 6, 5, 518),
  'reconciler, one to take over': calls({ ...lookAtOne, ...takeOver }, 7, 5, 938),
} as const;
export type Path = keyof typeof callsPerPath;

function calls(requests: PathCalls['requests'], writeUnits: number, readUnits: number, storedBytes: number): PathCalls {
  return { requests, writeUnits, readUnits, storedBytes };
}

export const pathNames: readonly Path[] = Object.keys(callsPerPath).filter(isPath);

function isPath(name: string): name is Path {
  return Object.hasOwn(callsPerPath, name);
}

export function isDynamoDb(request: string): boolean {
  return /^(?:GetItem|PutItem|Query|UpdateItem) /.test(request);
}

/** How many requests of a path go to each of the three. */
export function requestsTo({ requests }: PathCalls) {
  const count = (isCounted: (request: string) => boolean): number =>
    Object.entries(requests).reduce((sum, [request, times]) => sum + (isCounted(request) ? times : 0), 0);
  return {
    dynamoDb: count(isDynamoDb),
    secretsManager: requests.GetSecretValue ?? 0,
    plangrep: count((request) => request.startsWith('Plangrep ')),
  };
}

/** Whether two paths send the same requests and take the same units. */
export function areSameCalls(some: PathCalls, others: PathCalls): boolean {
  const comparable = ({ requests, writeUnits, readUnits }: PathCalls) =>
    JSON.stringify([Object.entries(requests).toSorted(([a], [b]) => (a < b ? -1 : 1)), writeUnits, readUnits]);
  return comparable(some) === comparable(others);
}
