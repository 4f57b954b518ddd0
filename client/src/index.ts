export { CancellationClient } from './client.ts';
export type { Clock } from './clock.ts';
export type * from './contract.ts';
export type { CallOptions, ClientOptions, Fetch } from './options.ts';
export type * from './results.ts';
