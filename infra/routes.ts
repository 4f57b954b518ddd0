import type { FunctionName } from './functions.ts';

/** The REST API's routes, defined once for the stack and the local gateway. `{x}` is a path parameter. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly function: FunctionName;
}

export const routes: readonly Route[] = [
  { method: 'POST', path: '/v1/cancellations', function: 'request-cancellation' },
  { method: 'GET', path: '/v1/cancellations', function: 'read-cancellations' },
  { method: 'GET', path: '/v1/cancellations/{jobId}', function: 'read-cancellations' },
  { method: 'PUT', path: '/v1/jobs/{jobId}', function: 'register-job' },
];
