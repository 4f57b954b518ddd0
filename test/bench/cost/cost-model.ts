import { dynamoDbDollars, lambdaDollars, listPrices } from './list-prices.ts';
import { reconcilerPerMonth, unitsPerCancellation } from './monthly-cost.ts';
import type { PathCalls } from '../calls/calls-per-path.ts';
import { requestsTo } from '../calls/calls.ts';
import type { MeasuredHandler } from './measured.ts';

/** What nobody here can measure, taken alike for all. */
export interface Assumptions {
  /** Plangrep's round trip, waited for. */
  readonly plangrepMs: number;
  /** One request to DynamoDB, from Lambda or a workflow. */
  readonly dynamoDbMs: number;
  /** Of all requests; the start of a container is billed. */
  readonly coldShare: number;
  readonly memoryMb: number;
}

/** Dollars per million cancellations that Plangrep answers at once. API Gateway, the same for all, is no part of it. */
export interface Cost {
  /** Lambda's, or the workflow's. */
  readonly compute: number;
  readonly dynamoDb: number;
  readonly total: number;
}

const MILLION = 1e6;
const FULL_CORE_MB = 1_769;

/**
 * A core's time stretched to the share of a core that the memory brings.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
 */
const stretched = (cpuMs: number, memoryMb: number): number => cpuMs * Math.max(1, FULL_CORE_MB / memoryMb);

const cost = (compute: number, dynamoDb: number): Cost => ({ compute, dynamoDb, total: compute + dynamoDb });

/** A function's part: its request, its milliseconds, and now and then its start, which Lambda gives a full core. */
const handlerDollars = (
  { cpuMs, coldMs }: MeasuredHandler,
  dynamoDbRequests: number,
  { plangrepMs, dynamoDbMs, coldShare, memoryMb }: Assumptions,
): number => {
  const ms = plangrepMs + dynamoDbRequests * dynamoDbMs + stretched(cpuMs, memoryMb);
  return listPrices.lambdaRequest + lambdaDollars(ms, memoryMb) + coldShare * lambdaDollars(coldMs, memoryMb);
};

/** The reconciler takes ten spent wake-ups at a time: a query and an update each. */
const wakeUpMs = ({ dynamoDbMs, memoryMb }: Assumptions, { cpuMs }: MeasuredHandler): number =>
  (2 * dynamoDbMs) / 10 + stretched(cpuMs, memoryMb) / 2;

/** This service, the reconciler and what it does in a month of a million cancellations included. */
export const oursCost = (handler: MeasuredHandler, calls: PathCalls, assumed: Assumptions): Cost =>
  cost(
    MILLION *
      (handlerDollars(handler, requestsTo(calls).dynamoDb, assumed) +
        lambdaDollars(1, assumed.memoryMb) * wakeUpMs(assumed, handler)) +
      reconcilerPerMonth.lambda,
    MILLION * dynamoDbDollars(unitsPerCancellation) + reconcilerPerMonth.dynamoDb,
  );

/** The tutorial stack: what its handler was seen to ask of DynamoDB. */
export const tutorialCost = (handler: MeasuredHandler, calls: PathCalls, assumed: Assumptions): Cost =>
  cost(MILLION * handlerDollars(handler, requestsTo(calls).dynamoDb, assumed), MILLION * dynamoDbDollars(calls));

/**
 * The same visible work as a workflow: a conditional put that makes a repeat harmless, the query for the job, whether
 * there is just one, the HTTP task, whether it is cancelled, the audit record. The start is not counted.
 */
const STATES = ['PutItem', 'Query', 'Choice', 'HTTP task', 'Choice', 'PutItem'] as const;
const workflowDynamoDb = MILLION * dynamoDbDollars({ writeUnits: 2, readUnits: 1 });

export const standardWorkflowCost = (): Cost =>
  cost(MILLION * STATES.length * listPrices.stateTransition, workflowDynamoDb);

/** Billed by 100 ms, and by 64 MB, of which such a workflow needs one. */
export const expressWorkflowCost = ({ plangrepMs, dynamoDbMs }: Assumptions): Cost => {
  const seconds = Math.ceil((plangrepMs + 3 * dynamoDbMs) / 100) / 10;
  const gbSeconds = seconds * (64 / 1_024);
  return cost(MILLION * (listPrices.expressRequest + gbSeconds * listPrices.expressGbSecond), workflowDynamoDb);
};
