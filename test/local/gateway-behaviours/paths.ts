import { expect } from 'vitest';
import { type Behaviour, pages } from './behaviour.ts';

const methods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

/** Which resource and which method a request means. */
export const paths: readonly Behaviour[] = [
  {
    id: 'name-before-parameter',
    given: 'GET /things/named, beside /things/{id}',
    documented: 'a specific resource goes before a generic one at the same level',
    source: pages.resources,
    play: async ({ event, bearer }) => {
      expect((await event('/things/named', { headers: bearer('good') })).resource).toBe('/things/named');
    },
  },
  {
    id: 'parameter-is-one-segment',
    given: 'GET /things/1',
    documented: '{custom} stands for one path segment, which is passed in pathParameters',
    source: pages.proxy,
    play: async ({ event, bearer }) => {
      expect(await event('/things/1', { headers: bearer('good') })).toMatchObject({
        resource: '/things/{id}',
        path: '/things/1',
        pathParameters: { id: '1' },
      });
    },
  },
  {
    id: 'parameter-is-not-two-segments',
    given: 'GET /things/1/2',
    documented: '{custom} stands for one path segment only',
    source: pages.proxy,
    play: async ({ call }) => {
      expect(await call('/things/1/2')).toMatchObject({ status: 403, refused: 'MISSING_AUTHENTICATION_TOKEN' });
    },
  },
  {
    id: 'greedy-takes-one',
    given: 'PUT /open/a, which /open/{proxy+} takes',
    documented: '{proxy+} stands for any resource below its parent; the path is in pathParameters.proxy',
    source: pages.resources,
    play: async ({ event }) => {
      expect(await event('/open/a', { method: 'PUT' })).toMatchObject({
        resource: '/open/{proxy+}',
        pathParameters: { proxy: 'a' },
      });
    },
  },
  {
    id: 'greedy-takes-several',
    given: 'GET /open/a/b/c',
    documented: '{proxy+} stands for a whole path hierarchy',
    source: pages.proxy,
    play: async ({ event }) => {
      expect(await event('/open/a/b/c')).toMatchObject({ pathParameters: { proxy: 'a/b/c' }, path: '/open/a/b/c' });
    },
  },
  {
    id: 'greedy-is-not-its-parent',
    given: 'GET /open, which has only POST, beside /open/{proxy+} and /{proxy+}',
    documented: '/parent/{proxy+} stands for /parent/*; /{proxy+} excludes its named siblings',
    source: pages.resources,
    play: async ({ call }) => {
      expect(await call('/open')).toMatchObject({ status: 403, refused: 'MISSING_AUTHENTICATION_TOKEN' });
    },
  },
  {
    id: 'greedy-excludes-what-is-under-siblings',
    given: 'GET /things/named/more, beside /{proxy+}',
    documented: '/{proxy+} refers to any resource but /parent[/*], where /parent is a named sibling',
    source: pages.resources,
    play: async ({ call }) => {
      expect((await call('/things/named/more')).refused).toBe('MISSING_AUTHENTICATION_TOKEN');
    },
  },
  {
    id: 'several-greedy-resources',
    given: 'GET /elsewhere and GET /open/x',
    documented: 'an API can have /{proxy+} and /parent/{proxy+}: each takes its own part',
    source: pages.resources,
    play: async ({ event }) => {
      expect((await event('/elsewhere')).resource).toBe('/{proxy+}');
      expect((await event('/open/x')).resource).toBe('/open/{proxy+}');
    },
  },
  {
    id: 'any-stands-for-seven-methods',
    given: `${methods.join(', ')} to a resource with ANY`,
    documented: 'ANY is DELETE, GET, HEAD, OPTIONS, PATCH, POST and PUT',
    source: pages.methods,
    play: async ({ call }) => {
      for (const method of methods) expect((await call('/open/a', { method })).status).toBe(200);
    },
  },
  {
    id: 'any-passes-the-method-on',
    given: 'PATCH to a resource with ANY',
    documented: 'the method is supplied at run time; the event has it in httpMethod',
    source: pages.methods,
    play: async ({ event }) => {
      expect(await event('/open/a', { method: 'PATCH' })).toMatchObject({
        httpMethod: 'PATCH',
        requestContext: { httpMethod: 'PATCH', resourcePath: '/open/{proxy+}' },
      });
    },
  },
  {
    id: 'any-beside-a-method',
    given: 'GET and PUT to a resource with GET and ANY',
    documented: 'ANY takes each method that was not explicitly declared',
    source: pages.anyMethod,
    play: async ({ call }) => {
      expect((await call('/open/mixed')).body).toBe('the method itself');
      expect((await call('/open/mixed', { method: 'PUT' })).body).toContain('"httpMethod":"PUT"');
    },
  },
  {
    id: 'unsupported-method',
    given: 'TRACE to a resource with ANY',
    documented: 'MISSING_AUTHENTICATION_TOKEN, 403, for an unsupported method',
    source: pages.responses,
    play: async ({ call }) => {
      expect(await call('/open/a', { method: 'TRACE' })).toMatchObject({
        status: 403,
        refused: 'MISSING_AUTHENTICATION_TOKEN',
      });
    },
  },
  {
    id: 'method-that-a-resource-lacks',
    given: 'DELETE /things, which has GET and POST',
    documented: 'MISSING_AUTHENTICATION_TOKEN, 403, for a method that is not set up',
    source: pages.responses,
    play: async ({ call, invoked }) => {
      expect((await call('/things', { method: 'DELETE' })).refused).toBe('MISSING_AUTHENTICATION_TOKEN');
      expect(invoked).toEqual([]);
    },
  },
  {
    id: 'resource-that-an-api-lacks',
    given: 'GET / in an API without methods there',
    documented: 'MISSING_AUTHENTICATION_TOKEN, 403, for an unsupported resource',
    source: pages.responses,
    play: async ({ call }) => {
      expect(await call('/')).toMatchObject({ status: 403, refused: 'MISSING_AUTHENTICATION_TOKEN' });
    },
  },
  {
    id: 'method-override',
    given: 'POST with X-HTTP-Method-Override: PATCH',
    documented: 'API Gateway overrides the method',
    source: pages.notes,
    play: async ({ event }) => {
      const headers = { 'X-HTTP-Method-Override': 'PATCH' };
      expect((await event('/open/a', { method: 'POST', headers })).httpMethod).toBe('PATCH');
    },
  },
  {
    id: 'method-override-is-not-passed-on',
    given: 'POST with X-HTTP-Method-Override: PATCH',
    documented: 'the header reaches the backend only if it is added to the integration request',
    source: pages.notes,
    play: async ({ event }) => {
      const headers = { 'X-HTTP-Method-Override': 'PATCH' };
      expect((await event('/open/a', { method: 'POST', headers })).headers).not.toHaveProperty(
        'X-HTTP-Method-Override',
      );
    },
  },
  {
    id: 'long-method-arn',
    given: 'GET /things/ and 1,600 characters, to a method with an authorizer',
    documented: 'an ARN of over 1,600 bytes is a 414; a customized DEFAULT_4XX gives it another status',
    source: pages.authorizerOutput,
    play: async ({ call, bearer, invoked }) => {
      const answer = await call(`/things/${'a'.repeat(1600)}`, { headers: bearer('good') });
      expect(answer.refused).toBe('DEFAULT_4XX');
      expect(invoked).toEqual([]);
    },
  },
  {
    id: 'stage-in-the-address',
    given: 'GET /open/a',
    documented: 'the default address has the stage before the path, and requestContext.path has it too',
    source: pages.context,
    differs: 'There is no stage in the address, as with a custom domain: `/v1/…`, not `/live/v1/…`.',
    play: async ({ event }) => {
      expect((await event('/open/a')).requestContext).toMatchObject({ path: '/open/a' });
    },
  },
  {
    id: 'reserved-paths',
    given: 'GET /ping',
    documented: '/ping and /sping are reserved for a health check and do not work with a custom domain',
    source: pages.notes,
    differs:
      '`/ping` and `/sping` are unknown addresses like any other. With a custom domain, AWS answers them itself.',
    play: async ({ event }) => {
      expect((await event('/ping')).resource).toBe('/{proxy+}');
    },
  },
  {
    id: 'trailing-slash',
    given: 'GET /things/named/',
    documented: undefined,
    source: pages.resources,
    play: async ({ event, bearer }) => {
      const seen = await event('/things/named/', { headers: bearer('good') });
      expect([seen.resource, seen.path]).toEqual(['/things/named', '/things/named/']);
    },
  },
  {
    id: 'empty-segments',
    given: 'GET /open//a and GET //open/a',
    documented: undefined,
    source: pages.resources,
    play: async ({ event }) => {
      expect(await event('/open//a')).toMatchObject({ pathParameters: { proxy: '/a' } });
      expect((await event('//open/a')).resource).toBe('/{proxy+}');
    },
  },
  {
    id: 'unknown-with-a-credential',
    given: 'DELETE /things with a Bearer credential',
    documented: undefined,
    source: pages.responses,
    play: async ({ call, bearer }) => {
      const answer = await call('/things', { method: 'DELETE', headers: bearer('good') });
      expect(answer).toMatchObject({ status: 403, refused: 'INVALID_SIGNATURE' });
    },
  },
  {
    id: 'path-is-not-decoded',
    given: 'GET /things/a%2Fb and GET /open/%2e%2e/%zz',
    documented: undefined,
    source: pages.input,
    play: async ({ event, bearer }) => {
      expect(await event('/things/a%2Fb', { headers: bearer('good') })).toMatchObject({
        pathParameters: { id: 'a%2Fb' },
      });
      expect(await event('/open/%2e%2e/%zz')).toMatchObject({ pathParameters: { proxy: '%2e%2e/%zz' } });
    },
  },
];
