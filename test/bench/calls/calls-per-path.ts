import type { TableName } from '../../../infra/blueprint/tables.ts';

/** One kind of request that a function sends: to a table, its index, Secrets Manager or Plangrep. */
export type Outgoing =
  | `${'GetItem' | 'PutItem' | 'Query' | 'UpdateItem'} ${TableName}`
  | 'Query due-wake-ups'
  | 'GetSecretValue'
  | 'Plangrep cancel'
  | 'Plangrep read'
  | 'Plangrep list';

/** What a path asks of the world: the costs, the limits and the time that it takes follow from these. */
export interface PathCalls {
  /** How often each request is sent; one that is not named is not sent. */
  readonly requests: Readonly<Partial<Record<Outgoing, number>>>;
  /** DynamoDB's write request units, the index's included. */
  readonly writeUnits: number;
  /** DynamoDB's read request units. */
  readonly readUnits: number;
  /** Bytes that stay in the tables, by DynamoDB's item sizes. */
  readonly storedBytes: number;
}

/**
 * What every path asks of the tables, Secrets Manager and Plangrep, for names as long as the documented example's and
 * a short reason. The tests hold the real bundles on the real engine to it (`test/service/calls.test.ts`), and the
 * costs are worked out from it. Where nothing else is said the container is warm.
 */
export const callsPerPath = {
  cancelled: {
    requests: { 'Query JobDirectory': 1, 'PutItem CancellationLog': 2, 'Plangrep cancel': 1 },
    writeUnits: 3,
    readUnits: 1,
    storedBytes: 994,
  },
  "a container's first": {
    requests: { 'Query JobDirectory': 1, 'PutItem CancellationLog': 2, GetSecretValue: 1, 'Plangrep cancel': 1 },
    writeUnits: 3,
    readUnits: 1,
    storedBytes: 994,
  },
  pending: {
    requests: { 'Query JobDirectory': 1, 'PutItem CancellationLog': 2, 'Plangrep cancel': 1 },
    writeUnits: 4,
    readUnits: 1,
    storedBytes: 1049,
  },
  'too late': {
    requests: { 'Query JobDirectory': 1, 'PutItem CancellationLog': 2, 'Plangrep cancel': 1, 'Plangrep read': 1 },
    writeUnits: 3,
    readUnits: 1,
    storedBytes: 995,
  },
  'unknown to Plangrep': {
    requests: { 'Query JobDirectory': 1, 'PutItem CancellationLog': 2, 'Plangrep cancel': 1, 'Plangrep read': 1 },
    writeUnits: 3,
    readUnits: 1,
    storedBytes: 932,
  },
  'joined, closed': {
    requests: { 'Query JobDirectory': 1, 'PutItem CancellationLog': 2, 'Query CancellationLog': 1 },
    writeUnits: 2,
    readUnits: 2,
    storedBytes: 308,
  },
  'joined, open': {
    requests: { 'Query JobDirectory': 1, 'PutItem CancellationLog': 2, 'Query CancellationLog': 1 },
    writeUnits: 2,
    readUnits: 2,
    storedBytes: 308,
  },
  'Idempotency-Key, first': {
    requests: {
      'GetItem JobDirectory': 1,
      'Query JobDirectory': 1,
      'PutItem JobDirectory': 1,
      'PutItem CancellationLog': 2,
      'Plangrep cancel': 1,
    },
    writeUnits: 4,
    readUnits: 2,
    storedBytes: 1247,
  },
  'Idempotency-Key, repeat': {
    requests: {
      'GetItem JobDirectory': 1,
      'Query JobDirectory': 1,
      'PutItem CancellationLog': 2,
      'Query CancellationLog': 1,
    },
    writeUnits: 2,
    readUnits: 3,
    storedBytes: 308,
  },
  'one of two jobs lives': {
    requests: {
      'Query JobDirectory': 1,
      'Plangrep read': 2,
      'UpdateItem JobDirectory': 1,
      'PutItem CancellationLog': 2,
      'Plangrep cancel': 1,
    },
    writeUnits: 4,
    readUnits: 1,
    storedBytes: 1017,
  },
  'found by listing': {
    requests: {
      'Query JobDirectory': 1,
      'GetItem Partners': 1,
      'Plangrep list': 1,
      'PutItem JobDirectory': 2,
      'PutItem CancellationLog': 2,
      'Plangrep cancel': 1,
    },
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
  'event, cancelled': {
    requests: {
      'GetItem JobDirectory': 1,
      'Query JobDirectory': 1,
      'PutItem JobDirectory': 1,
      'PutItem CancellationLog': 2,
      'Plangrep cancel': 1,
    },
    writeUnits: 4,
    readUnits: 2,
    storedBytes: 1221,
  },
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
    requests: { 'Query due-wake-ups': 8, 'Query CancellationLog': 1, 'UpdateItem CancellationLog': 1 },
    writeUnits: 2,
    readUnits: 5,
    storedBytes: -40,
  },
  'reconciler, one to poll': {
    requests: {
      'Query due-wake-ups': 8,
      'Query CancellationLog': 1,
      'UpdateItem CancellationLog': 2,
      'Plangrep read': 1,
      'PutItem CancellationLog': 1,
    },
    writeUnits: 6,
    readUnits: 5,
    storedBytes: 379,
  },
  'reconciler, one to take over': {
    requests: {
      'Query due-wake-ups': 8,
      'Query CancellationLog': 1,
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
