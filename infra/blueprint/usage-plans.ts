/** What one partner may send, with all its credentials together. */
export interface UsagePlan {
  /** On average. */
  readonly ratePerSecond: number;
  /** How many requests may come at once above that. */
  readonly burst: number;
  readonly requestsPerDay: number;
}

/** The plan of a partner for which no other was chosen. Every environment has it. */
export const defaultPlan = 'standard';

/** In API Gateway, where `ops` finds a plan by its name. */
export const usagePlanName = (environment: string, plan: string): string =>
  `plangrep-cancellation-${environment}-${plan}`;

/** The name of a partner's API key. */
export const usageKeyName = (environment: string, partnerId: string): string =>
  `plangrep-cancellation-${environment}.${partnerId}`;

/** The period over which the firewall counts: WAF's default. */
export const firewallWindowSeconds = 300;

/** How often the firewall lets a credential, and an address, send what a plan allows: it is for floods, not for shares. */
export const firewallMargin = 2;

/** The most requests that a plan lets through in one period of the firewall. */
export function mostInWindow({ ratePerSecond, burst }: UsagePlan): number {
  return ratePerSecond * firewallWindowSeconds + burst;
}

/**
 * Of the local run. `standard` is as good as no limit, as high as API Gateway's own for an account; `small` shows what a
 * plan does.
 */
export const localPlans = {
  standard: { ratePerSecond: 10_000, burst: 5_000, requestsPerDay: 1_000_000_000 },
  small: { ratePerSecond: 1, burst: 5, requestsPerDay: 100 },
} as const satisfies Record<string, UsagePlan>;
