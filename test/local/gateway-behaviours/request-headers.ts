import { expect } from 'vitest';
import { type Behaviour, pages } from './behaviour.ts';

const passedToFunctions = [
  ['Accept', 'application/json'],
  ['Accept-Charset', 'utf-8'],
  ['Accept-Encoding', 'identity'],
  ['Age', '1'],
  ['Authorization', 'Bearer x'],
  ['Content-Type', 'text/plain'],
  ['Date', 'Tue, 20 Feb 2018 22:48:57 GMT'],
  ['Pragma', 'no-cache'],
  ['Range', 'bytes=0-1'],
  ['Referer', 'https://example.com/'],
  ['User-Agent', 'test/1'],
  ['Via', '1.1 proxy'],
  ['Warn', 'x'],
] as const;
const droppedFromRequests = [
  ['Connection', 'close'],
  ['Content-MD5', 'x'],
  ['Expect', '100-continue'],
  ['Max-Forwards', '1'],
  ['Proxy-Authenticate', 'Basic'],
  ['Server', 'x'],
  ['TE', 'trailers'],
  ['Trailer', 'X-A'],
  ['Upgrade', 'h2c'],
  ['WWW-Authenticate', 'Bearer'],
] as const;
/** What becomes of a client's headers on their way to a function: AWS's table, row by row, and what is around it. */
export const requestHeaders: readonly Behaviour[] = [
  ...passedToFunctions.map(
    ([name, value]): Behaviour => ({
      id: `request-${name.toLowerCase()}`,
      given: `${name}: ${value}`,
      documented: 'passthrough to a function',
      source: pages.notes,
      play: async ({ event }) => {
        expect((await event('/open/a', { headers: { [name]: value } })).headers).toMatchObject({ [name]: value });
      },
    }),
  ),
  ...droppedFromRequests.map(
    ([name, value]): Behaviour => ({
      id: `request-${name.toLowerCase()}`,
      given: `${name}: ${value}`,
      documented: 'dropped on the way to a function',
      source: pages.notes,
      play: async ({ raw }) => {
        const answer = await raw(
          `GET /open/a HTTP/1.1\r\nHost: a\r\n${name}: ${value}\r\nX-Other: kept\r\n${name === 'Connection' ? '' : 'Connection: close\r\n'}\r\n`,
        );
        const seen = Object.keys(JSON.parse(answer.slice(answer.lastIndexOf('\r\n\r\n'))).headers);
        expect(seen).toContain('X-Other');
        expect(seen).not.toContain(name);
      },
    }),
  ),
  {
    id: 'request-aws-signature',
    given: 'Authorization: AWS4-HMAC-SHA256 …, to a method without an authorizer',
    documented: 'Authorization is dropped if it contains a Signature Version 4 signature',
    source: pages.notes,
    play: async ({ event }) => {
      const { headers: seen } = await event('/open/a', { headers: { Authorization: 'AWS4-HMAC-SHA256 Credential=x' } });
      expect(seen).not.toHaveProperty('Authorization');
    },
  },
  {
    id: 'request-chunked',
    given: 'a body with Transfer-Encoding: chunked',
    documented: 'an exception, for a Lambda integration',
    source: pages.notes,
    differs: 'A body with `Transfer-Encoding: chunked` is read. AWS documents an exception: send `Content-Length`.',
    play: async ({ event }) => {
      const seen = await event('/open/a', {
        method: 'POST',
        headers: { 'Transfer-Encoding': 'chunked' },
        body: 'text',
      });
      expect(seen.body).toBe('text');
      expect(seen.headers).not.toHaveProperty('Transfer-Encoding');
    },
  },
  {
    id: 'request-header-case',
    given: 'X-Custom and x-other',
    documented: 'header names are passed on case-sensitively',
    source: pages.notes,
    play: async ({ event }) => {
      const { headers: seen } = await event('/open/a', { headers: { 'X-Custom': 'One', 'x-other': 'two' } });
      expect(seen).toMatchObject({ 'X-Custom': 'One', 'x-other': 'two' });
    },
  },
  {
    id: 'request-header-several-values',
    given: 'X-Two: a and X-Two: b',
    documented: 'multiValueHeaders has all values of a header, headers one',
    source: pages.input,
    play: async ({ event }) => {
      const seen = await event('/open/a', { headers: { 'X-Two': ['a', 'b'] } });
      expect(seen.multiValueHeaders).toMatchObject({ 'X-Two': ['a', 'b'] });
      expect(seen.headers['X-Two']).toBe('b');
    },
  },
  {
    id: 'request-single-value-in-both',
    given: 'X-One: a',
    documented: 'multiValueHeaders has single values too',
    source: pages.input,
    play: async ({ event }) => {
      expect((await event('/open/a', { headers: { 'X-One': 'a' } })).multiValueHeaders).toMatchObject({
        'X-One': ['a'],
      });
    },
  },
  {
    id: 'request-host',
    given: 'Host: api.example.com',
    documented: 'the event has the Host that the client sent',
    source: pages.input,
    play: async ({ event }) => {
      expect((await event('/open/a', { headers: { Host: 'api.example.com' } })).headers).toMatchObject({
        Host: 'api.example.com',
      });
    },
  },
  {
    id: 'request-forwarded-for',
    given: 'X-Forwarded-For: 203.0.113.9',
    documented: 'one X-Forwarded-For: what was sent, and behind it the address of the connection',
    source: pages.input,
    play: async ({ event }) => {
      const seen = await event('/open/a', { headers: { 'X-Forwarded-For': '203.0.113.9' } });
      expect(seen.multiValueHeaders['X-Forwarded-For']).toEqual(['203.0.113.9, 127.0.0.1']);
    },
  },
  {
    id: 'request-forwarded-port',
    given: 'a request',
    documented: 'X-Forwarded-Port is 443 and X-Forwarded-Proto https',
    source: pages.input,
    differs: '`X-Forwarded-Proto` is `http` and `X-Forwarded-Port` the local port: there is no TLS.',
    play: async ({ event }) => {
      const { headers: seen } = await event('/open/a');
      expect(seen).toMatchObject({ 'X-Forwarded-Proto': 'http', 'X-Forwarded-Port': expect.stringMatching(/^\d+$/) });
    },
  },
  {
    id: 'request-trace-id-added',
    given: 'a request without X-Amzn-Trace-Id',
    documented: 'API Gateway adds one: Root=1-, 8 hexadecimal digits of the time, 24 others',
    source: pages.xray,
    play: async ({ event }) => {
      expect((await event('/open/a')).headers['X-Amzn-Trace-Id']).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    },
  },
  {
    id: 'request-trace-id-kept',
    given: 'X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793',
    documented: 'API Gateway adds one only to a request that has none',
    source: pages.xray,
    play: async ({ event }) => {
      const traceId = 'Root=1-5759e988-bd862e3fe1be46a994272793';
      const seen = await event('/open/a', { headers: { 'x-amzn-trace-id': traceId } });
      expect(Object.entries(seen.headers).filter(([name]) => /^x-amzn-trace-id$/i.test(name))).toEqual([
        ['x-amzn-trace-id', traceId],
      ]);
    },
  },
];
