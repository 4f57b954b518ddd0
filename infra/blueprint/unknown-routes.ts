import type { FunctionName } from './functions.ts';

/** Takes what no route takes: 404 for an address, 405 with `Allow` for a method. */
export const unknownRouteFunction = 'answer-unknown-route' satisfies FunctionName;

export interface UnknownRoute {
  /** Every method that the address does not have by itself. */
  readonly method: 'ANY';
  /** May end in `{proxy+}`, which stands for one or more segments. */
  readonly path: string;
  readonly function: typeof unknownRouteFunction;
}

/**
 * The routes for every other address and method. Without them a REST API looks for an AWS signature: it answers 403, or,
 * to a request with a Bearer credential, that its signature is incomplete, which a caller would take for a bad credential.
 *
 * One `/{proxy+}` is not enough. It does not stand for what is under a named sibling, nor for the sibling itself, so each
 * address and each address above one gets the method ANY and a `{proxy+}` under it. Where a parameter is
 * under it, there can be no `{proxy+}` beside that, and need not be: the parameter takes every segment.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html#api-gateway-proxy-resource
 */
export function unknownRoutes(routes: readonly { readonly path: string }[]): readonly UnknownRoute[] {
  const addresses = new Set(['/', ...routes.flatMap(({ path }) => withParents(path))]);
  const hasParameter = new Set([...addresses].filter((path) => path.endsWith('}')).map(parentOf));
  const everything = [...addresses].flatMap((path) =>
    hasParameter.has(path) ? [path] : [path, `${path === '/' ? '' : path}/{proxy+}`],
  );
  return everything.map((path) => ({ method: 'ANY', path, function: unknownRouteFunction }));
}

function withParents(path: string): readonly string[] {
  return path === '/' ? [] : [path, ...withParents(parentOf(path))];
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
