/**
 * The addresses of the API, each with its methods: for API Gateway, the local gateway and the OpenAPI description
 * (through `infra/blueprint/api.ts`), and for the answer to every other address and method.
 */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** `{x}` is a parameter. */
  readonly path: string;
  /** The function that serves it, by the name of its file. */
  readonly function: string;
}

/** Not under `/v1/cancellations`: there every segment is a jobId. */
export const previewPath = '/v1/cancellation-previews';

/** The partners' operations. Each needs a credential. */
export const partnerOperations = [
  { method: 'POST', path: '/v1/cancellations', function: 'request-cancellation' },
  { method: 'POST', path: previewPath, function: 'request-cancellation' },
  { method: 'GET', path: '/v1/cancellations', function: 'read-cancellations' },
  { method: 'GET', path: '/v1/cancellations/{jobId}', function: 'read-cancellations' },
  { method: 'PUT', path: '/v1/jobs/{jobId}', function: 'register-job' },
] as const satisfies readonly Operation[];

/** The documentation's pages. They need no credential and show no partner's data. */
export const documentationOperations = (
  ['/', '/openapi.json', '/docs', '/docs/{asset}', '/problems', '/problems/{code}'] as const
).map((path) => ({ method: 'GET', path, function: 'read-documentation' }) as const);

/** The methods of an address, as in `Allow` (RFC 9110, section 10.2.1). @returns none for an unknown address */
export function allowedMethods(path: string): readonly Operation['method'][] {
  const all: readonly Operation[] = [...partnerOperations, ...documentationOperations];
  return all.filter((operation) => operation.path === path).map(({ method }) => method);
}
