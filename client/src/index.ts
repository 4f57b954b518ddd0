export type * from './callback.ts';
export type {
  ManyOptions,
  ManyProgress,
  ManyResult,
  Order,
  Planned,
  PlannedOrder,
  RunOptions,
  SavedPlan,
} from './cancel-many.ts';
export { CancellationClient } from './client.ts';
export type * from './contract.ts';
export type * from './results.ts';
export type { ClientOptions } from './read-options.ts';
export type { CallOptions, Clock, Fetch } from './send.ts';
export { type CallbackHeaders, type CallbackProblem, InvalidCallbackError, verifyCallback } from './verify-callback.ts';
