import { expect } from 'vitest';
import { type Behaviour, pages } from './behaviour.ts';
import type { TestedGateway } from './given-gateway.ts';

const ask = ({ call, bearer }: TestedGateway, keyId: string, path = '/things') =>
  call(path, { headers: bearer(keyId) });
const seenBy = async ({ event, bearer }: TestedGateway) =>
  (await event('/things', { headers: bearer('good') })).requestContext['authorizer'];

/** Who may call. */
export const authorizer: readonly Behaviour[] = [
  {
    id: 'authorizer-input',
    given: 'GET /things with a token',
    documented: 'a TOKEN authorizer gets type, authorizationToken and methodArn',
    source: pages.authorizerInput,
    play: async (gateway) => {
      expect(JSON.parse(((await seenBy(gateway)) as { seen: string }).seen)).toEqual({
        type: 'TOKEN',
        authorizationToken: gateway.bearer('good')['Authorization'],
        methodArn: expect.stringMatching(/^arn:aws:execute-api:[a-z0-9-]+:\d{12}:local\/local\/GET\/things$/),
      });
    },
  },
  {
    id: 'authorizer-context',
    given: 'an authorizer that answers a text, a number and a boolean as context',
    documented: 'the values are stringified; principalId stands beside them',
    source: pages.authorizerOutput,
    play: async (gateway) => {
      expect(await seenBy(gateway)).toMatchObject({ principalId: 'acme', text: 'value', number: '1', yes: 'true' });
    },
  },
  {
    id: 'no-token',
    given: 'no Authorization',
    documented: 'without its identity source a request is a 401; the function is not called',
    source: pages.authorizerApi,
    play: async ({ call, invoked }) => {
      expect(await call('/things')).toMatchObject({ status: 401, refused: 'UNAUTHORIZED' });
      expect(invoked).toEqual([]);
    },
  },
  {
    id: 'empty-token',
    given: 'an empty Authorization',
    documented: 'an empty token is the same as an unauthorized one: 401',
    source: pages.authorizerInput,
    play: async ({ call }) => {
      expect((await call('/things', { headers: { Authorization: '' } })).refused).toBe('UNAUTHORIZED');
    },
  },
  {
    id: 'token-of-another-form',
    given: 'a token that identityValidationExpression does not match',
    documented: '401 without a call of the function',
    source: pages.authorizerApi,
    play: async ({ call, bearer, invoked }) => {
      for (const token of ['Basic YTpi', `${bearer('good')['Authorization']} x`]) {
        expect((await call('/things', { headers: { Authorization: token } })).refused).toBe('UNAUTHORIZED');
      }
      expect(invoked).toEqual([]);
    },
  },
  {
    id: 'authorizer-says-unauthorized',
    given: 'an authorizer that fails with "Unauthorized"',
    documented: '401',
    source: pages.authorizer,
    play: async (gateway) => {
      expect(await ask(gateway, 'wrong')).toMatchObject({ status: 401, refused: 'UNAUTHORIZED' });
    },
  },
  {
    id: 'authorizer-fails',
    given: 'an authorizer that fails with another message',
    documented: '500',
    source: pages.authorizer,
    play: async (gateway) => {
      expect(await ask(gateway, 'broken')).toMatchObject({ status: 500, refused: 'AUTHORIZER_FAILURE' });
    },
  },
  {
    id: 'policy-denies',
    given: 'a policy with Deny',
    documented: '403 ACCESS_DENIED',
    source: pages.authorizer,
    play: async (gateway) => {
      expect(await ask(gateway, 'denied')).toMatchObject({ status: 403, refused: 'ACCESS_DENIED' });
      expect(gateway.invoked).toEqual(['authorizer']);
    },
  },
  {
    id: 'policy-wildcard',
    given: 'a policy for …/local/*',
    documented: 'a wildcard in Resource stands for any method and path',
    source: pages.authorizerOutput,
    play: async (gateway) => {
      expect((await ask(gateway, 'good')).status).toBe(200);
      expect((await ask(gateway, 'good', '/things/1')).status).toBe(200);
    },
  },
  {
    id: 'policy-for-one-method',
    given: 'a policy for GET /things alone, and POST /things',
    documented: 'a policy names verb and resource; what it does not allow is denied',
    source: pages.authorizerOutput,
    play: async ({ call, bearer }) => {
      const answer = await call('/things', { method: 'POST', headers: bearer('getonly') });
      expect(answer).toMatchObject({ status: 403, refused: 'ACCESS_DENIED' });
    },
  },
  {
    id: 'policy-is-cached',
    given: 'two requests with one token within the TTL, and one after it',
    documented: 'the policy is cached for authorizerResultTtlInSeconds, and the function not called meanwhile',
    source: pages.authorizer,
    play: async (gateway) => {
      await ask(gateway, 'good');
      gateway.wait(59_999);
      await ask(gateway, 'good');
      expect(gateway.invoked.filter((name) => name === 'authorizer')).toHaveLength(1);
      gateway.wait(1);
      await ask(gateway, 'good');
      expect(gateway.invoked.filter((name) => name === 'authorizer')).toHaveLength(2);
    },
  },
  {
    id: 'cached-policy-for-other-methods',
    given: 'GET /things, then GET /things/1 with a policy for the first alone',
    documented: 'a cached policy holds for every method, and is evaluated for each',
    source: pages.authorizer,
    play: async (gateway) => {
      expect((await ask(gateway, 'getonly')).status).toBe(200);
      expect((await ask(gateway, 'getonly', '/things/1')).refused).toBe('ACCESS_DENIED');
      expect(gateway.invoked.filter((name) => name === 'authorizer')).toHaveLength(1);
    },
  },
  {
    id: 'method-without-authorizer',
    given: 'GET /open/a with a token',
    documented: 'API Gateway calls an authorizer only if one is configured for the method',
    source: pages.authorizer,
    play: async (gateway) => {
      expect((await ask(gateway, 'denied', '/open/a')).status).toBe(200);
      expect(gateway.invoked).toEqual(['echo']);
    },
  },
  {
    id: 'no-policy',
    given: 'an authorizer that answers no policy',
    documented: undefined,
    source: pages.authorizerOutput,
    play: async (gateway) => {
      expect(await ask(gateway, 'nopolicy')).toMatchObject({ status: 500, refused: 'AUTHORIZER_CONFIGURATION_ERROR' });
    },
  },
  {
    id: 'allow-and-deny',
    given: 'a policy with Allow and Deny for one method, and one without statements',
    documented: undefined,
    source: pages.authorizerOutput,
    play: async (gateway) => {
      expect((await ask(gateway, 'both')).refused).toBe('ACCESS_DENIED');
      expect((await ask(gateway, 'silent')).refused).toBe('ACCESS_DENIED');
    },
  },
  {
    id: 'refusals-are-not-cached',
    given: 'two requests with a token for which the authorizer fails',
    documented: undefined,
    source: pages.authorizer,
    play: async (gateway) => {
      await ask(gateway, 'wrong');
      await ask(gateway, 'wrong');
      expect(gateway.invoked).toEqual(['authorizer', 'authorizer']);
    },
  },
];
