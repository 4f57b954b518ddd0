import type { Route } from '../../../blueprint/api.ts';

export interface MatchedRoute {
  readonly route: Route;
  /** As in the address: a REST API does not decode them. Null when the route has none. */
  readonly pathParameters: Readonly<Record<string, string>> | null;
}

const parameterOf = (segment: string): string | undefined => /^\{(\w+)\}$/.exec(segment)?.[1];

/**
 * The route of a request, as a REST API finds it: segment by segment, a trailing slash is another address.
 * @param path raw, without the query
 */
export const matchRoute = (routes: readonly Route[], method: string, path: string): MatchedRoute | undefined => {
  const segments = path.split('/');
  for (const route of routes) {
    const template = route.path.split('/');
    if (route.method !== method || template.length !== segments.length) continue;
    const parameters: [string, string][] = [];
    const fits = template.every((expected, position) => {
      const given = segments[position] ?? '';
      const name = parameterOf(expected);
      if (name === undefined) return given === expected;
      parameters.push([name, given]);
      return given !== '';
    });
    if (fits) return { route, pathParameters: parameters.length > 0 ? Object.fromEntries(parameters) : null };
  }
  return undefined;
};
