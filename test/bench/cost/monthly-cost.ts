import { callsPerPath } from '../calls/calls-per-path.ts';
import { functions } from '../../../infra/blueprint/functions.ts';
import { dynamoDbDollars, lambdaDollars, listPrices } from './list-prices.ts';

/**
 * What the service costs a month, from list prices and the requests that the tests count (`calls-per-path.ts`). An
 * estimate to plan by, not a bill. A sandbox, which is dev's alone, adds nothing that stands: it costs by the request.
 */

const { cancelled } = callsPerPath;
const { 'reconciler, nothing due': idle, 'reconciler, one is closed': spent } = callsPerPath;
const { memoryMb } = functions['request-cancellation'];

/** One cancel over HTTPS that Plangrep answers at once, the common case: DynamoDB's part of it. */
export const unitsPerCancellation = {
  /** `requested` with its wake-up in the index, `closed`, and the reconciler's removal of the wake-up, in index too. */
  writeUnits: cancelled.writeUnits + spent.writeUnits,
  /** The directory, the reconciler's look at the stream, and a share of the index: some 50 wake-ups to a page. */
  readUnits: cancelled.readUnits + (spent.readUnits - 2 * idle.readUnits) + 0.1,
  /** Two events and their keys, and what DynamoDB adds to each. */
  storedBytes: cancelled.storedBytes + spent.storedBytes + 2 * listPrices.storedItemBytes,
} as const;

/** The rest of it. */
const perCancellation = {
  /** Plangrep's answer is waited for: 200 ms there and 30 ms of ours; the reconciler 10 ms. */
  lambdaMs: 240,
  /** One authorizer call in ten, the others from API Gateway's cache. */
  lambdaRequests: 1.1,
  /** The functions' lines, Lambda's own and the access log. */
  logBytes: 2_500,
  /** One in twenty. */
  traces: 0.05,
} as const;

/** What the reconciler takes a month whether or not anything is due: two looks at the index and some 50 ms a minute. */
const MINUTES = 30 * 24 * 60;
export const reconcilerPerMonth = {
  lambda: MINUTES * (listPrices.lambdaRequest + lambdaDollars(50, functions['reconcile-cancellations'].memoryMb)),
  dynamoDb: MINUTES * dynamoDbDollars({ writeUnits: 0, readUnits: 2 * idle.readUnits }),
} as const;

/** What is there whether or not anybody calls. */
const perMonth =
  listPrices.secretMonth +
  25 * listPrices.alarmMonth +
  listPrices.dashboardMonth +
  listPrices.wafAclMonth +
  3 * listPrices.wafRuleMonth +
  reconcilerPerMonth.lambda +
  reconcilerPerMonth.dynamoDb +
  // The key, again at most once a minute in each container that is busy.
  2 * MINUTES * listPrices.secretCall;

export interface MonthlyCost {
  readonly cancellations: number;
  /** US dollars. */
  readonly apiGateway: number;
  readonly lambda: number;
  readonly dynamoDb: number;
  readonly other: number;
  readonly total: number;
}

export const monthlyCost = (cancellations: number): MonthlyCost => {
  const { lambdaMs, lambdaRequests, logBytes, traces } = perCancellation;
  const apiGateway = cancellations * listPrices.apiRequest;
  const lambda = cancellations * (lambdaRequests * listPrices.lambdaRequest + lambdaDollars(lambdaMs, memoryMb));
  // The audit trail stays: after a year twelve months' worth is stored.
  const stored = (12 * cancellations * unitsPerCancellation.storedBytes * listPrices.storedGbMonth) / 1e9;
  const dynamoDb = cancellations * dynamoDbDollars(unitsPerCancellation) + stored;
  const logs = (cancellations * logBytes * listPrices.logGb) / 1e9;
  // Each closed cancellation goes out by the pipe, as an event.
  const events = cancellations * (listPrices.pipeRequest + listPrices.customEvent);
  const other = perMonth + logs + events + cancellations * (listPrices.wafRequest + traces * listPrices.trace);
  return { cancellations, apiGateway, lambda, dynamoDb, other, total: apiGateway + lambda + dynamoDb + other };
};

const dollars = (amount: number): string =>
  `$${amount.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: amount < 10 ? 2 : 0 })}`;

/** The table of docs/costs.md. */
export const renderCostTable = (): string => {
  const rows = [1e4, 1e6, 1e8]
    .map(monthlyCost)
    .map(({ cancellations, apiGateway, lambda, dynamoDb, other, total }) => [
      cancellations.toLocaleString('en-US'),
      ...[apiGateway, lambda, dynamoDb, other, total].map(dollars),
    ]);
  const head = [
    'cancellations a month',
    'API Gateway',
    'Lambda',
    'DynamoDB',
    'events, logs, watching, firewall, key',
    'total',
  ];
  return [head, head.map(() => '---:'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
};
