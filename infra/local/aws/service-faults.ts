/** How a part of this very service misbehaves; Plangrep's own faults are in `plangrep/plangrep-faults.ts`. */
export type ServiceFault =
  /** The gateway lets through so many partners' requests, as a stage's throttle does. */
  | { readonly kind: 'throttled'; readonly ratePerSecond: number; readonly burst: number }
  /** Connections from the functions to DynamoDB are cut. */
  | { readonly kind: 'tables_down' }
  /** The process of a partner's request is killed as soon as it has the request. */
  | { readonly kind: 'functions_crash' }
  /** A partner's request reaches its function this much later, and the gateway waits only so long. */
  | { readonly kind: 'functions_late'; readonly delayMs: number; readonly gatewayWaitsMs: number };

/** The one that is on: the gateway, the tables and the functions' runtime each look here. */
export interface ServiceFaults {
  current(): ServiceFault | undefined;
  /** In the place of the one before. */
  set(fault: ServiceFault): void;
  clear(): void;
}

export const createServiceFaults = (): ServiceFaults => {
  let current: ServiceFault | undefined;
  return {
    current: () => current,
    set(fault) {
      current = fault;
    },
    clear() {
      current = undefined;
    },
  };
};
