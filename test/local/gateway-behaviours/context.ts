import { expect } from 'vitest';
import { type Behaviour, pages } from './behaviour.ts';

/** What a function gets of what is around a request. */
export const context: readonly Behaviour[] = [
  {
    id: 'context-names',
    given: 'GET /open/a',
    documented: 'requestContext has account, API, stage, resource, method, protocol and a request id',
    source: pages.input,
    play: async ({ event }) => {
      const { requestContext } = await event('/open/a');
      expect(requestContext).toMatchObject({
        accountId: expect.stringMatching(/^\d{12}$/),
        apiId: 'local',
        stage: 'local',
        resourceId: expect.any(String),
        resourcePath: '/open/{proxy+}',
        httpMethod: 'GET',
        protocol: 'HTTP/1.1',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
    },
  },
  {
    id: 'context-time',
    given: 'a request at 2026-02-20 23:48:57 UTC',
    documented: 'requestTime is in the Common Log Format, requestTimeEpoch in milliseconds',
    source: pages.context,
    play: async ({ event }) => {
      const { requestContext } = await event('/open/a');
      const { requestTime, requestTimeEpoch } = requestContext;
      expect(requestTime).toMatch(/^\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:48:57 \+0000$/);
      const [, day = '', month = '', year = '', time = ''] =
        /^(\d+)\/(\w+)\/(\d+):(.*)$/.exec(String(requestTime)) ?? [];
      expect(Date.parse(`${day} ${month} ${year} ${time}`)).toBe(requestTimeEpoch);
    },
  },
  {
    id: 'context-source-ip',
    given: 'a request with X-Forwarded-For: 203.0.113.9',
    documented: 'sourceIp is the address of the TCP connection',
    source: pages.context,
    play: async ({ event }) => {
      const { identity } = (await event('/open/a', { headers: { 'X-Forwarded-For': '203.0.113.9' } })).requestContext;
      expect(identity).toMatchObject({ sourceIp: '127.0.0.1' });
    },
  },
  {
    id: 'context-user-agent',
    given: 'a request with a User-Agent',
    documented: 'identity.userAgent is that header',
    source: pages.context,
    play: async ({ event }) => {
      const { identity } = (await event('/open/a', { headers: { 'User-Agent': 'test/1' } })).requestContext;
      expect(identity).toMatchObject({ userAgent: 'test/1', user: null, apiKey: null });
    },
  },
  {
    id: 'context-without-authorizer',
    given: 'a request to a method without an authorizer',
    documented: 'there are no $context.authorizer properties',
    source: pages.input,
    play: async ({ event }) => {
      expect((await event('/open/a')).requestContext).not.toHaveProperty('authorizer');
    },
  },
  {
    id: 'context-of-the-domain',
    given: 'GET /open/a',
    documented: 'requestContext has extendedRequestId, domainName and domainPrefix too',
    source: pages.context,
    differs:
      '`requestContext` has no `extendedRequestId`, `domainName`, `domainPrefix` and `deploymentId`. No function reads them.',
    play: async ({ event }) => {
      expect((await event('/open/a')).requestContext).not.toHaveProperty('domainName');
    },
  },
];
