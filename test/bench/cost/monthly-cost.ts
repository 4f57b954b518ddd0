import { alarms } from '../../../infra/blueprint/alarms.ts';
import { functionNames, functions } from '../../../infra/blueprint/functions.ts';
import { versionSigns } from '../../../infra/blueprint/rollout/version-alarms.ts';
import { markdownTable } from '../part.ts';
import { auditDollars } from './audit-cost.ts';
import { idleReconciler, MINUTES_PER_MONTH, unitsPerCancellation } from './cost-model.ts';
import { dynamoDbDollars, lambdaDollars, listPrices } from './list-prices.ts';

/** What a cancellation takes besides its units. */
const perCancellation = {
  /** Plangrep's answer is waited for: 200 ms there and 30 ms here; the reconciler 10 ms. */
  lambdaMs: 240,
  /** One authorizer call in ten; the others come from API Gateway's cache. */
  lambdaRequests: 1.1,
  /** To put one event on the bus; a batch of several takes not much longer. */
  announceMs: 25,
  /** The functions' lines, Lambda's own and the access log. */
  logBytes: 3_000,
  /** One in twenty. */
  traces: 0.05,
} as const;

/** To tell a partner about a cancellation: a message is sent, received and deleted, each by a request of the queue. */
const perCallback = {
  messages: 3,
  /** The log's stream is read, and where the partner's callbacks go: both strongly consistent. */
  units: { readUnits: 2, writeUnits: 1 },
  /** The endpoint's answer is waited for: 200 ms. */
  lambdaMs: 230,
  /** The attempt's record. */
  storedBytes: 500 + listPrices.storedItemBytes,
} as const;

/** What a month costs without a single request. */
const perMonth =
  2 * listPrices.secretMonth +
  // Of a canary, two alarms look at each function's version.
  (alarms.length + functionNames.length * versionSigns.length) * listPrices.alarmMonth +
  listPrices.dashboardMonth +
  listPrices.wafAclMonth +
  3 * listPrices.wafRuleMonth +
  idleReconciler.lambda +
  idleReconciler.dynamoDb +
  // What finds callbacks that are due looks as the reconciler does.
  idleReconciler.lambda +
  idleReconciler.dynamoDb +
  // Lambda asks each of three queues for messages, five times every 20 s.
  3 * 5 * 3 * MINUTES_PER_MONTH * listPrices.sqsRequest +
  // Plangrep's key, at most once a minute in each busy container.
  2 * MINUTES_PER_MONTH * listPrices.secretCall;

/**
 * What the service costs in a month, from list prices and the requests that the tests count: an estimate to plan by, not
 * a bill. docs/costs.md shows it. A sandbox, which only dev has, adds nothing without requests.
 */
export function renderCostTable(): string {
  const head = [
    'cancellations a month',
    'API Gateway',
    'Lambda',
    'DynamoDB',
    'archive, digests, seal key',
    'callbacks',
    'events, logs, watching, firewall, key',
    'total',
  ];
  const rows = [1e4, 1e6, 1e8].map((cancellations) => [
    cancellations.toLocaleString('en-US'),
    ...monthlyDollars(cancellations).map(inWholeDollars),
  ]);
  return markdownTable(head, rows, 0);
}

/** @returns API Gateway, Lambda, DynamoDB, the archive, callbacks, the rest, the total */
function monthlyDollars(cancellations: number): number[] {
  const { lambdaMs, lambdaRequests, announceMs, logBytes, traces } = perCancellation;
  const { memoryMb } = functions['request-cancellation'];
  const announced = listPrices.lambdaRequest + lambdaDollars(announceMs, functions['announce-cancellations'].memoryMb);
  const apiGateway = cancellations * listPrices.apiRequest;
  const lambda =
    cancellations * (lambdaRequests * listPrices.lambdaRequest + lambdaDollars(lambdaMs, memoryMb) + announced);
  // The audit trail stays: after a year twelve months of it are stored.
  const stored = (12 * cancellations * unitsPerCancellation.storedBytes * listPrices.storedGbMonth) / 1e9;
  const dynamoDb = cancellations * dynamoDbDollars(unitsPerCancellation) + stored;
  const logs = (cancellations * logBytes * listPrices.logGb) / 1e9;
  // Each closed cancellation. Lambda's reads of the stream are free.
  const events = cancellations * listPrices.customEvent;
  const other = perMonth + logs + events + cancellations * (listPrices.wafRequest + traces * listPrices.trace);
  const parts = [apiGateway, lambda, dynamoDb, auditDollars(cancellations), callbackDollars(cancellations), other];
  return [...parts, parts.reduce((sum, part) => sum + part, 0)];
}

/** Where every partner has callbacks, and each arrives at the first attempt. */
function callbackDollars(cancellations: number): number {
  const { messages, units, lambdaMs, storedBytes } = perCallback;
  const { memoryMb } = functions['deliver-callbacks'];
  const each =
    messages * listPrices.sqsFifoRequest +
    dynamoDbDollars(units) +
    listPrices.lambdaRequest +
    lambdaDollars(lambdaMs, memoryMb);
  const stored = (12 * cancellations * storedBytes * listPrices.storedGbMonth) / 1e9;
  return cancellations * each + stored;
}

function inWholeDollars(amount: number): string {
  return `$${amount.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: amount < 10 ? 2 : 0 })}`;
}
