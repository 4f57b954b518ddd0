import type { FunctionName } from './functions.ts';

/** A route of the REST API, defined once for the stack and the local gateway. `{x}` in a path is a parameter. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly function: FunctionName;
}

/** The partners' operations: each wants a credential. */
export const routes: readonly Route[] = [
  { method: 'POST', path: '/v1/cancellations', function: 'request-cancellation' },
  { method: 'GET', path: '/v1/cancellations', function: 'read-cancellations' },
  { method: 'GET', path: '/v1/cancellations/{jobId}', function: 'read-cancellations' },
  { method: 'PUT', path: '/v1/jobs/{jobId}', function: 'register-job' },
];

const documentationPaths = ['/openapi.json', '/docs', '/docs/{asset}', '/problems', '/problems/{code}'];
/** The documentation's pages: they want none, and hold nothing that is anybody's. */
export const documentationRoutes: readonly Route[] = documentationPaths.map((path) => ({
  method: 'GET',
  path,
  function: 'read-documentation',
}));

/** Bytes from which an answer is compressed for whoever takes that: a page's script, the description, a long list. */
export const compressFromBytes = 10_000;
