export { CancellationClient, type ClientOptions } from './client.ts';
export type * from './contract.ts';
export type { CallOptions, Clock, Fetch } from './send.ts';
