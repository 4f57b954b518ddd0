import { unknownRoutes } from '../../infra/blueprint/api.ts';
import { describe, expect, test } from 'vitest';
import { matchRoute } from '../../infra/local/aws/gateway/match-route.ts';

const routes = [
  { method: 'GET', path: '/a', function: 'a' },
  { method: 'ANY', path: '/a', function: 'any-a' },
  { method: 'GET', path: '/a/b', function: 'a-b' },
  { method: 'GET', path: '/a/{x}/c', function: 'a-x-c' },
  { method: 'ANY', path: '/{rest+}', function: 'rest' },
];
const found = (method: string, path: string) => {
  const match = matchRoute(routes, method, path);
  return match === undefined ? undefined : [match.route.function, match.pathParameters];
};

describe('finds a route as a REST API does', () => {
  test.each([
    ['a name', 'GET', '/a/b', ['a-b', null]],
    ['a method before ANY', 'GET', '/a', ['a', null]],
    ['ANY for every other method', 'PATCH', '/a', ['any-a', null]],
    ['a slash at the end', 'GET', '/a/', ['a', null]],
    ['a parameter in the middle', 'GET', '/a/1/c', ['a-x-c', { x: '1' }]],
    ['{x+} for one segment', 'PUT', '/other', ['rest', { rest: 'other' }]],
    ['{x+} for several, empty ones too', 'PUT', '/other//more', ['rest', { rest: 'other//more' }]],
    ['an empty first segment', 'GET', '//a', ['rest', { rest: '/a' }]],
  ])('%s', (_what, method, path, expected) => {
    expect(found(method, path)).toEqual(expected);
  });

  test.each([
    ['a resource without a method', 'GET', '/a/1'],
    ['what is under a named sibling of {x+}', 'GET', '/a/b/c'],
    ['a method that the resource does not have', 'POST', '/a/b'],
    ['a method that ANY does not stand for', 'TRACE', '/other'],
    ['an empty segment for a parameter', 'GET', '/a//c'],
    ['the root for {x+}', 'GET', '/'],
    ['what is not a path', 'OPTIONS', '*'],
  ])('does not find %s', (_what, method, path) => {
    expect(found(method, path)).toBeUndefined();
  });
});

describe('the routes for everything else', () => {
  const given = [
    { method: 'GET', path: '/v1/things/{id}', function: 'show' },
    { method: 'POST', path: '/v1/things', function: 'make' },
  ];

  test('are each address, each above it, and a greedy child where there is no parameter', () => {
    expect(unknownRoutes(given).map(({ path }) => path)).toEqual([
      '/',
      '/{proxy+}',
      '/v1/things/{id}',
      '/v1/things/{id}/{proxy+}',
      '/v1/things',
      '/v1',
      '/v1/{proxy+}',
    ]);
  });

  test.each(['/', '/x', '/v1', '/v1/x', '/v1/x/y', '/v1/things/1/x', '/v1/things/1/x/y'])('take %s', (path) => {
    for (const method of ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']) {
      expect(matchRoute([...given, ...unknownRoutes(given)], method, path)?.route.method).toBe('ANY');
    }
  });
});
