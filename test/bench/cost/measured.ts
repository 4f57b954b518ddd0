/**
 * What the cold and warm parts measured, for the costs: those of one run, so that each was taken beside the other. Times
 * are a full core's; on Lambda a function has the share of one that its memory brings.
 */
export interface MeasuredHandler {
  /** CPU milliseconds of one warm request. */
  readonly cpuMs: number;
  /** Milliseconds from the start of a process to its first answer. */
  readonly coldMs: number;
}

export const measured = {
  /** `npm run bench -- --only cold,warm --functions request-cancellation` on two cores, Node 24.21.0. */
  on: '2026-11-24',
  ours: { cpuMs: 2.36, coldMs: 102 },
  tutorial: { cpuMs: 3.92, coldMs: 240 },
} as const satisfies Record<string, string | MeasuredHandler>;
