/** A method of the API. In a path `{x}` is a parameter, and `{x+}` at its end stands for one or more segments. */
export interface Route {
  /** `ANY` stands for each method that the path does not have by itself. */
  readonly method: string;
  readonly path: string;
  readonly function: string;
}

export interface MatchedRoute<Of extends Route = Route> {
  readonly route: Of;
  /** As in the URL: a REST API does not decode them. Null when the route has no parameter. */
  readonly pathParameters: Readonly<Record<string, string>> | null;
}

/** Where a request goes. Both parts are as received. */
export interface RequestTarget {
  readonly path: string;
  readonly query: string;
}

/** Splits a request target. The absolute form (RFC 9112, section 3.2.2) counts as its path. */
export function readTarget(url: string): RequestTarget {
  const origin = /^https?:\/\/[^/?]*/i.exec(url)?.[0] ?? '';
  const [path = '', ...query] = url.slice(origin.length).split('?');
  return { path: path === '' ? '/' : path, query: query.join('?') };
}

/** What `ANY` stands for. */
const methods = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);

/**
 * Finds the route of a request as a REST API does. It first finds the resource, segment by segment: a name goes before a
 * parameter, and that before `{x+}`; what is under a name belongs to no `{x+}` beside it. Only then it looks for the
 * method. One slash at the end of the path makes no difference.
 * @param path raw, without the query
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html#api-gateway-proxy-resource
 */
export function matchRoute<Of extends Route>(
  routes: readonly Of[],
  method: string,
  path: string,
): MatchedRoute<Of> | undefined {
  const found = findResource(routes, path);
  if (found === undefined) return undefined;
  const { resource, parameters } = found;
  const own = routes.filter((route) => route.path === resource);
  const route =
    own.find((one) => one.method === method) ?? own.find((one) => one.method === 'ANY' && methods.has(method));
  if (route === undefined) return undefined;
  return { route, pathParameters: parameters.length > 0 ? Object.fromEntries(parameters) : null };
}

interface Resource {
  readonly resource: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

function findResource(routes: readonly Route[], path: string): Resource | undefined {
  if (!path.startsWith('/')) return undefined;
  const segments = segmentsOf(path.replace(/(?<=.)\/$/, ''));
  const templates = routes.map((route) => segmentsOf(route.path));
  const resource: string[] = [];
  const parameters: [string, string][] = [];
  for (const [depth, segment] of segments.entries()) {
    const under = templates.filter((template) => resource.every((part, index) => template[index] === part));
    const children = new Set(under.flatMap((template) => template[depth] ?? []));
    const child = children.has(segment) ? segment : [...children].find((one) => stands(one, segment));
    if (child === undefined) return undefined;
    resource.push(child);
    const name = nameOf(child);
    const isGreedy = child.endsWith('+}');
    if (name !== undefined) parameters.push([name, isGreedy ? segments.slice(depth).join('/') : segment]);
    if (isGreedy) break;
  }
  return { resource: `/${resource.join('/')}`, parameters };
}

const segmentsOf = (path: string): readonly string[] => (path === '/' ? [] : path.slice(1).split('/'));
const nameOf = (template: string): string | undefined => /^\{(\w+)\+?\}$/.exec(template)?.[1];

/** A resource has one child at most that is a parameter of either kind. Only `{x+}` takes an empty segment. */
function stands(template: string, segment: string): boolean {
  return nameOf(template) !== undefined && (segment !== '' || template.endsWith('+}'));
}
