import { functions } from '../../../infra/blueprint/functions.ts';
import { callsPerPath, type PathCalls, requestsTo } from '../calls/calls-per-path.ts';
import { dynamoDbDollars, lambdaDollars, listPrices } from './list-prices.ts';

/** What the cold and warm parts measured of a handler, in milliseconds of a full core. */
export interface MeasuredHandler {
  /** CPU of one warm request. */
  readonly cpuMs: number;
  /** From the start of a process to its first answer. */
  readonly coldMs: number;
}

/** From one run, so that each was measured beside the other. */
export const measured = {
  /** `npm run bench -- --only cold,warm --functions request-cancellation` on two cores, Node 24.21.0. */
  on: '2026-11-24',
  ours: { cpuMs: 2.36, coldMs: 102 },
  tutorial: { cpuMs: 3.92, coldMs: 240 },
} as const satisfies Record<string, string | MeasuredHandler>;

/** What cannot be measured here, the same for every design. */
export interface Assumptions {
  /** Plangrep's round trip, for which the function waits. */
  readonly plangrepMs: number;
  /** One request to DynamoDB, from Lambda or a workflow. */
  readonly dynamoDbMs: number;
  /** Of all requests; the start of a container is billed. */
  readonly coldShare: number;
  readonly memoryMb: number;
}

/** Dollars per million cancellations that Plangrep answers at once, without API Gateway, which is the same for all. */
export interface Cost {
  /** Lambda's, or the workflow's. */
  readonly compute: number;
  readonly dynamoDb: number;
  readonly total: number;
}

const MILLION = 1e6;
const FULL_CORE_MB = 1_769;
export const MINUTES_PER_MONTH = 30 * 24 * 60;

const { cancelled, 'reconciler, nothing due': idle, 'reconciler, one is closed': cleanUp } = callsPerPath;

/** DynamoDB's part of the usual case: one cancel over HTTPS that Plangrep answers at once. */
export const unitsPerCancellation = {
  /** `requested` with its wake-up in the index, `closed`, and the reconciler's removal of the wake-up, in the index too. */
  writeUnits: cancelled.writeUnits + cleanUp.writeUnits,
  /** The directory, the reconciler's read of the stream, and a share of the index: some 50 wake-ups to a page. */
  readUnits: cancelled.readUnits + (cleanUp.readUnits - 2 * idle.readUnits) + 0.1,
  /** Two events and their keys, and what DynamoDB adds to each. */
  storedBytes: cancelled.storedBytes + cleanUp.storedBytes + 2 * listPrices.storedItemBytes,
} as const;

/** What the reconciler costs in a month without anything due: two queries of the index and some 50 ms a minute. */
export const idleReconciler = {
  lambda:
    MINUTES_PER_MONTH * (listPrices.lambdaRequest + lambdaDollars(50, functions['reconcile-cancellations'].memoryMb)),
  dynamoDb: MINUTES_PER_MONTH * dynamoDbDollars({ writeUnits: 0, readUnits: 2 * idle.readUnits }),
} as const;

/** This service, with the reconciler and its work in a month of a million cancellations. */
export function oursCost(handler: MeasuredHandler, calls: PathCalls, assumed: Assumptions): Cost {
  const { memoryMb, dynamoDbMs } = assumed;
  // The reconciler removes ten obsolete wake-ups at a time: a query and an update each.
  const wakeUpMs = (2 * dynamoDbMs) / 10 + stretched(handler.cpuMs, memoryMb) / 2;
  const wakeUp = lambdaDollars(1, memoryMb) * wakeUpMs;
  return cost(
    MILLION * (handlerDollars(handler, calls, assumed) + wakeUp) + idleReconciler.lambda,
    MILLION * dynamoDbDollars(unitsPerCancellation) + idleReconciler.dynamoDb,
  );
}

/** The tutorial stack. @param calls what its handler was seen to send to DynamoDB */
export function tutorialCost(handler: MeasuredHandler, calls: PathCalls, assumed: Assumptions): Cost {
  return cost(MILLION * handlerDollars(handler, calls, assumed), MILLION * dynamoDbDollars(calls));
}

/**
 * The same visible work as a workflow: a conditional put that makes a repeat harmless, the query for the job, whether
 * there is just one, the HTTP task, whether it is cancelled, the audit record. The start is not counted.
 */
const STATES = ['PutItem', 'Query', 'Choice', 'HTTP task', 'Choice', 'PutItem'] as const;
const workflowDynamoDb = MILLION * dynamoDbDollars({ writeUnits: 2, readUnits: 1 });

export function standardWorkflowCost(): Cost {
  return cost(MILLION * STATES.length * listPrices.stateTransition, workflowDynamoDb);
}

/** Billed by 100 ms, and by 64 MB, of which such a workflow needs one. */
export function expressWorkflowCost({ plangrepMs, dynamoDbMs }: Assumptions): Cost {
  const seconds = Math.ceil((plangrepMs + 3 * dynamoDbMs) / 100) / 10;
  const gbSeconds = seconds * (64 / 1_024);
  return cost(MILLION * (listPrices.expressRequest + gbSeconds * listPrices.expressGbSecond), workflowDynamoDb);
}

function cost(compute: number, dynamoDb: number): Cost {
  return { compute, dynamoDb, total: compute + dynamoDb };
}

/** The request, its milliseconds, and the start of a container as often as there is one, for which Lambda gives a full core. */
function handlerDollars({ cpuMs, coldMs }: MeasuredHandler, calls: PathCalls, assumed: Assumptions): number {
  const { plangrepMs, dynamoDbMs, coldShare, memoryMb } = assumed;
  const ms = plangrepMs + requestsTo(calls).dynamoDb * dynamoDbMs + stretched(cpuMs, memoryMb);
  return listPrices.lambdaRequest + lambdaDollars(ms, memoryMb) + coldShare * lambdaDollars(coldMs, memoryMb);
}

/**
 * The time that a full core's milliseconds take on the share of a core that comes with the memory.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
 */
function stretched(cpuMs: number, memoryMb: number): number {
  return cpuMs * Math.max(1, FULL_CORE_MB / memoryMb);
}
