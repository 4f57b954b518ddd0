/**
 * AWS's on-demand list prices in US dollars, us-east-1 (N. Virginia), as of November 2026, without free tiers, volume
 * tiers and discounts. A price "from memory" was not checked. Before you plan a bill, read the pricing pages.
 */
export const listPrices = {
  asOf: '2026-11',
  region: 'us-east-1',

  /** aws.amazon.com/api-gateway/pricing, REST, the first 333 million: from memory. */
  apiRequest: 3.5 / 1e6,

  /** aws.amazon.com/lambda/pricing, Arm: checked against third-party tables of 2026. */
  lambdaRequest: 0.2 / 1e6,
  /** The same page and check. Billed by the millisecond; since August 2025 with the start of a container. */
  lambdaGbSecond: 0.0000133334,

  /** aws.amazon.com/dynamodb/pricing/on-demand, since November 2024: checked against a third-party table of 2025. */
  writeUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
  /** For a month. The same page: from memory. DynamoDB adds 100 bytes to the size of each item. */
  storedGbMonth: 0.25,
  storedItemBytes: 100,

  /** aws.amazon.com/step-functions/pricing: checked against third-party tables of 2026. */
  stateTransition: 0.025 / 1e3,
  expressRequest: 1 / 1e6,
  /** The first 1,000 GB-hours' price. Billed by 100 ms and 64 MB. */
  expressGbSecond: 0.00001667,

  /** aws.amazon.com/eventbridge/pricing: checked against third-party tables of 2026. By 64 KB. */
  customEvent: 1 / 1e6,

  /** aws.amazon.com/sqs/pricing, standard and FIFO queues: from memory. By 64 KB. */
  sqsRequest: 0.4 / 1e6,
  sqsFifoRequest: 0.5 / 1e6,

  /** aws.amazon.com/s3/pricing, standard: from memory. */
  s3Put: 5 / 1e6,
  s3Get: 0.4 / 1e6,
  s3GbMonth: 0.023,

  /** aws.amazon.com/kms/pricing, asymmetric keys but RSA 2048: from memory. */
  kmsKeyMonth: 1,
  kmsRequest: 0.15 / 1e4,

  /** aws.amazon.com/secrets-manager/pricing: from memory. */
  secretCall: 0.05 / 1e4,
  secretMonth: 0.4,

  /** aws.amazon.com/cloudwatch/pricing and aws.amazon.com/xray/pricing: from memory. */
  logGb: 0.5,
  alarmMonth: 0.1,
  dashboardMonth: 3,
  trace: 5 / 1e6,

  /** aws.amazon.com/waf/pricing: from memory. */
  wafRequest: 0.6 / 1e6,
  wafAclMonth: 5,
  wafRuleMonth: 1,
} as const;

/** What one invocation costs beside its request. @param ms billed as whole milliseconds, rounded up */
export function lambdaDollars(ms: number, memoryMb: number): number {
  return (Math.ceil(ms) / 1_000) * (memoryMb / 1_024) * listPrices.lambdaGbSecond;
}

/** What DynamoDB's request units cost. */
export function dynamoDbDollars(units: { readonly writeUnits: number; readonly readUnits: number }): number {
  return units.writeUnits * listPrices.writeUnit + units.readUnits * listPrices.readUnit;
}
