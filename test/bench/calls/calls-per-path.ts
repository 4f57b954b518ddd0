import type { TableName } from '../../../infra/blueprint/tables.ts';

/** One kind of request that a function sends: to a table, its index, Secrets Manager or Plangrep. */
export type Outgoing =
  | `${'GetItem' | 'PutItem' | 'Query' | 'UpdateItem'} ${TableName}`
  | 'Query due-wake-ups'
  | 'GetSecretValue'
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
const lookAtOne = { 'Query due-wake-ups': 8, 'Query CancellationLog': 1 } as const;

/**
 * What every path asks of the tables, Secrets Manager and Plangrep, for names as long as those of Plangrep's documented
 * example and a short reason. The container is warm, except for "a container's first". The tests hold the real bundles on
 * the real engine to these figures (`test/service/calls.test.ts`), and the costs are calculated from them.
 */
export const callsPerPath = {
  cancelled: { requests: cancel, writeUnits: 3, readUnits: 1, storedBytes: 994 },
  "a container's first": {
    requests: { ...cancel, GetSecretValue: 1 },
    writeUnits: 3,
    readUnits: 1,
    storedBytes: 994,
  },
  pending: { requests: cancel, writeUnits: 4, readUnits: 1, storedBytes: 1049 },
  'too late': { requests: cancelAndRead, writeUnits: 3, readUnits: 1, storedBytes: 995 },
  'unknown to Plangrep': { requests: cancelAndRead, writeUnits: 3, readUnits: 1, storedBytes: 932 },
  'joined, closed': { requests: join, writeUnits: 2, readUnits: 2, storedBytes: 308 },
  'joined, open': { requests: join, writeUnits: 2, readUnits: 2, storedBytes: 308 },
  'Idempotency-Key, first': { requests: { ...cancel, ...bind }, writeUnits: 4, readUnits: 2, storedBytes: 1247 },
  'Idempotency-Key, repeat': {
    requests: { ...join, 'GetItem JobDirectory': 1 },
    writeUnits: 2,
    readUnits: 3,
    storedBytes: 308,
  },
  'one of two jobs lives': {
    requests: { ...cancel, 'Plangrep read': 2, 'UpdateItem JobDirectory': 1 },
    writeUnits: 4,
    readUnits: 1,
    storedBytes: 1017,
  },
  'found by listing': {
    requests: { ...cancel, 'GetItem Partners': 1, 'Plangrep list': 1, 'PutItem JobDirectory': 2 },
    writeUnits: 5,
    readUnits: 1.5,
    storedBytes: 1299,
  },
  'not found': {
    requests: { 'Query JobDirectory': 1, 'GetItem Partners': 1, 'PutItem CancellationLog': 1 },
    writeUnits: 1,
    readUnits: 1.5,
    storedBytes: 271,
  },
  ambiguous: {
    requests: { 'Query JobDirectory': 1, 'Plangrep read': 2, 'PutItem CancellationLog': 1 },
    writeUnits: 1,
    readUnits: 1,
    storedBytes: 279,
  },
  invalid: { requests: {}, writeUnits: 0, readUnits: 0, storedBytes: 0 },
  'event, cancelled': { requests: { ...cancel, ...bind }, writeUnits: 4, readUnits: 2, storedBytes: 1221 },
  'event, registered': { requests: { 'PutItem JobDirectory': 2 }, writeUnits: 2, readUnits: 0, storedBytes: 211 },
  'register, first': { requests: { 'PutItem JobDirectory': 2 }, writeUnits: 2, readUnits: 0, storedBytes: 211 },
  'register, repeat': {
    requests: { 'PutItem JobDirectory': 2, 'GetItem JobDirectory': 1 },
    writeUnits: 2,
    readUnits: 1,
    storedBytes: 0,
  },
  'read by jobId': { requests: { 'Query CancellationLog': 2 }, writeUnits: 0, readUnits: 2, storedBytes: 0 },
  'read by externalId': {
    requests: { 'Query JobDirectory': 1, 'Query CancellationLog': 2 },
    writeUnits: 0,
    readUnits: 3,
    storedBytes: 0,
  },
  'credential checked': { requests: { 'GetItem Partners': 1 }, writeUnits: 0, readUnits: 0.5, storedBytes: 0 },
  'reconciler, nothing due': { requests: { 'Query due-wake-ups': 4 }, writeUnits: 0, readUnits: 2, storedBytes: 0 },
  'reconciler, one is closed': {
    requests: { ...lookAtOne, 'UpdateItem CancellationLog': 1 },
    writeUnits: 2,
    readUnits: 5,
    storedBytes: -40,
  },
  'reconciler, one to poll': {
    requests: { ...lookAtOne, 'UpdateItem CancellationLog': 2, 'Plangrep read': 1, 'PutItem CancellationLog': 1 },
    writeUnits: 6,
    readUnits: 5,
    storedBytes: 379,
  },
  'reconciler, one to take over': {
    requests: {
      ...lookAtOne,
      'PutItem CancellationLog': 2,
      'UpdateItem CancellationLog': 2,
      'Plangrep read': 1,
      'Plangrep cancel': 1,
    },
    writeUnits: 7,
    readUnits: 5,
    storedBytes: 813,
  },
} as const satisfies Readonly<Record<string, PathCalls>>;
export type Path = keyof typeof callsPerPath;

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
