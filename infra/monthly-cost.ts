/**
 * What the service costs a month, from list prices and the requests that the tests count
 * (`test/integration/duplicates.test.ts`, `reconciler.test.ts`). An estimate to plan by, not a bill.
 */

/**
 * US dollars, AWS's on-demand list prices for us-east-1 as of November 2026, without free tiers and discounts. Sources:
 * the pricing pages of Lambda (Arm), API Gateway (REST), DynamoDB (on-demand), Secrets Manager, CloudWatch, WAF, X-Ray.
 */
const prices = {
  apiRequest: 3.5 / 1e6,
  lambdaRequest: 0.2 / 1e6,
  lambdaGbSecond: 0.0000133334,
  writeUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
  storedGbMonth: 0.25,
  logGb: 0.5,
  secretCall: 0.05 / 1e4,
  secretMonth: 0.4,
  wafRequest: 0.6 / 1e6,
  trace: 5 / 1e6,
  alarmMonth: 0.1,
  dashboardMonth: 3,
  wafAclMonth: 5,
  wafRuleMonth: 1,
} as const;

/** One cancel over HTTPS that Plangrep answers at once: the common case. */
const perCancellation = {
  /** `requested` with its wake-up in the index, `closed`, and the reconciler's removal of the wake-up, in index too. */
  writeUnits: 2 + 1 + 2,
  /** The directory and the reconciler's look at the stream, both strongly consistent, and a share of the index. */
  readUnits: 2.5,
  /** Plangrep's answer is waited for: 200 ms there and 30 ms of ours, at 512 MB; the reconciler 10 ms. */
  gbSeconds: 0.24 * 0.5,
  /** One authorizer call in ten, the others from API Gateway's cache. */
  lambdaRequests: 1.1,
  /** The functions' lines, Lambda's own and the access log. */
  logBytes: 2_500,
  /** Two events, under 1 KB each, and their keys. */
  storedBytes: 1_600,
  /** One in twenty. */
  traces: 0.05,
} as const;

/** What is there whether or not anybody calls. */
const MINUTES = 30 * 24 * 60;
const perMonth =
  prices.secretMonth +
  25 * prices.alarmMonth +
  prices.dashboardMonth +
  prices.wafAclMonth +
  3 * prices.wafRuleMonth +
  // The reconciler: eight half read units and some 50 ms a minute; the key again at most once a minute a container.
  MINUTES * (prices.lambdaRequest + 0.05 * 0.5 * prices.lambdaGbSecond + 8 * 0.5 * prices.readUnit) +
  2 * MINUTES * prices.secretCall;

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
  const { gbSeconds, lambdaRequests, writeUnits, readUnits, storedBytes, logBytes, traces } = perCancellation;
  const apiGateway = cancellations * prices.apiRequest;
  const lambda = cancellations * (lambdaRequests * prices.lambdaRequest + gbSeconds * prices.lambdaGbSecond);
  // The audit trail stays: after a year twelve months' worth is stored.
  const stored = (12 * cancellations * storedBytes * prices.storedGbMonth) / 1e9;
  const dynamoDb = cancellations * (writeUnits * prices.writeUnit + readUnits * prices.readUnit) + stored;
  const logs = (cancellations * logBytes * prices.logGb) / 1e9;
  const other = perMonth + logs + cancellations * (prices.wafRequest + traces * prices.trace);
  return { cancellations, apiGateway, lambda, dynamoDb, other, total: apiGateway + lambda + dynamoDb + other };
};

const dollars = (amount: number): string =>
  `$${amount.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: amount < 10 ? 2 : 0 })}`;

/** The table of the README. */
export const renderCostTable = (): string => {
  const rows = [1e4, 1e6, 1e8]
    .map(monthlyCost)
    .map(({ cancellations, apiGateway, lambda, dynamoDb, other, total }) => [
      cancellations.toLocaleString('en-US'),
      ...[apiGateway, lambda, dynamoDb, other, total].map(dollars),
    ]);
  const head = ['cancellations a month', 'API Gateway', 'Lambda', 'DynamoDB', 'logs, watching, firewall, key', 'total'];
  return [head, head.map(() => '---:'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
};
