import { deflateSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { type Behaviour, pages } from './behaviour.ts';

const post = { method: 'POST' };

/** What a function gets of a request's query and body. Headers have their own table. */
export const requests: readonly Behaviour[] = [
  {
    id: 'query-single',
    given: '?name=me',
    documented: 'a single value is in queryStringParameters and, as a list, in multiValueQueryStringParameters',
    source: pages.input,
    play: async ({ event }) => {
      expect(await event('/open/a?name=me')).toMatchObject({
        queryStringParameters: { name: 'me' },
        multiValueQueryStringParameters: { name: ['me'] },
      });
    },
  },
  {
    id: 'query-several-values',
    given: '?name=you&name=me',
    documented: 'all values are in multiValueQueryStringParameters, the last one in queryStringParameters',
    source: pages.input,
    play: async ({ event }) => {
      expect(await event('/open/a?name=you&name=me')).toMatchObject({
        queryStringParameters: { name: 'me' },
        multiValueQueryStringParameters: { name: ['you', 'me'] },
      });
    },
  },
  {
    id: 'query-case',
    given: '?Name=a&name=b',
    documented: 'names of query parameters are case-sensitive',
    source: pages.notes,
    play: async ({ event }) => {
      expect((await event('/open/a?Name=a&name=b'))['queryStringParameters']).toEqual({ Name: 'a', name: 'b' });
    },
  },
  {
    id: 'query-semicolon',
    given: '?externalId=a;b=c;d',
    documented: 'a raw semicolon is not supported and splits the data',
    source: pages.notes,
    play: async ({ event }) => {
      expect((await event('/open/a?externalId=a;b=c;d'))['queryStringParameters']).toEqual({
        externalId: 'a',
        b: 'c',
        d: '',
      });
    },
  },
  {
    id: 'query-encoded-semicolon-and-pipe',
    given: '?externalId=a%3Bb%7Cc',
    documented: 'a semicolon and a pipe must be URL-encoded',
    source: pages.notes,
    play: async ({ event }) => {
      expect((await event('/open/a?externalId=a%3Bb%7Cc'))['queryStringParameters']).toEqual({ externalId: 'a;b|c' });
    },
  },
  {
    id: 'query-pipe',
    given: '?externalId=a|b',
    documented: 'a raw pipe is not supported (the answer is not documented: here 400)',
    source: pages.notes,
    play: async ({ raw, invoked }) => {
      const answer = await raw('GET /open/a?externalId=a|b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(invoked).toEqual([]);
    },
  },
  {
    id: 'body-as-text',
    given: 'a JSON body, in an API without binary media types',
    documented: 'the body is a UTF-8 string, and isBase64Encoded is false',
    source: pages.encodings,
    play: async ({ event }) => {
      const headers = { 'Content-Type': 'application/json' };
      expect(await event('/open/a', { ...post, headers, body: '{\r\n\t"a": "é"\r\n}' })).toMatchObject({
        body: '{\r\n\t"a": "é"\r\n}',
        isBase64Encoded: false,
      });
    },
  },
  {
    id: 'body-of-any-type',
    given: 'a body of image/png, in an API without binary media types',
    documented: 'whatever the content type, the body is a UTF-8 string',
    source: pages.encodings,
    play: async ({ event }) => {
      const headers = { 'Content-Type': 'image/png' };
      expect(await event('/open/a', { ...post, headers, body: 'PNG' })).toMatchObject({
        body: 'PNG',
        isBase64Encoded: false,
      });
    },
  },
  {
    id: 'body-gzip',
    given: 'a gzip body with Content-Encoding: gzip',
    documented: 'API Gateway decompresses the body before it passes it on',
    source: pages.compressed,
    play: async ({ event }) => {
      const headers = { 'Content-Encoding': 'gzip' };
      expect((await event('/open/a', { ...post, headers, body: gzipSync('{"a":1}') })).body).toBe('{"a":1}');
    },
  },
  {
    id: 'body-deflate',
    given: 'a deflate body with Content-Encoding: deflate',
    documented: 'gzip, deflate and identity are supported',
    source: pages.compressed,
    play: async ({ event }) => {
      const headers = { 'Content-Encoding': 'deflate' };
      expect((await event('/open/a', { ...post, headers, body: deflateSync('{"a":1}') })).body).toBe('{"a":1}');
    },
  },
  {
    id: 'body-unsupported-coding',
    given: 'Content-Encoding: br',
    documented: '415 for a coding that is not supported',
    source: pages.compressed,
    play: async ({ call, invoked }) => {
      const answer = await call('/open/a', { ...post, headers: { 'Content-Encoding': 'br' }, body: 'x' });
      expect(answer).toMatchObject({ status: 415, refused: 'UNSUPPORTED_MEDIA_TYPE' });
      expect(invoked).toEqual([]);
    },
  },
  {
    id: 'body-not-in-its-coding',
    given: 'plain text with Content-Encoding: gzip',
    documented: '415 for a body that is not compressed with the named coding',
    source: pages.compressed,
    play: async ({ call }) => {
      const answer = await call('/open/a', { ...post, headers: { 'Content-Encoding': 'gzip' }, body: '{"a":1}' });
      expect(answer.refused).toBe('UNSUPPORTED_MEDIA_TYPE');
    },
  },
  {
    id: 'body-over-10-mb',
    given: '10 MB and one byte',
    documented: 'a payload has at most 10 MB; REQUEST_TOO_LARGE is 413',
    source: pages.quotas,
    play: async ({ call }) => {
      const answer = await call('/open/a', { ...post, body: Buffer.alloc(10 * 1024 * 1024 + 1, 'a') });
      expect(answer).toMatchObject({ status: 413, refused: 'REQUEST_TOO_LARGE' });
    },
  },
  {
    id: 'body-over-6-mb',
    given: '7 MB',
    documented: 'an invocation of a function has at most 6 MB (the answer of API Gateway is not documented: here 413)',
    source: pages.lambdaQuotas,
    play: async ({ call, invoked }) => {
      const answer = await call('/open/a', { ...post, body: Buffer.alloc(7 * 1024 * 1024, 'a') });
      expect(answer.refused).toBe('REQUEST_TOO_LARGE');
      expect(invoked).toEqual([]);
    },
  },
  {
    id: 'too-large-is-not-customized',
    given: '10 MB and one byte',
    documented: 'the response for REQUEST_TOO_LARGE cannot be customized',
    source: pages.notes,
    differs:
      'A body of over 10 MB gets our problem `body_too_large`. AWS sends a 413 in its own form. (Over 8 KiB, the functions send the problem.)',
    play: async ({ call }) => {
      const answer = await call('/open/a', { ...post, body: Buffer.alloc(10 * 1024 * 1024 + 1, 'a') });
      expect(answer.headers['x-response-type']).toBe('REQUEST_TOO_LARGE');
    },
  },
  {
    id: 'query-decoded-once',
    given: '?externalId=x%2By+z%2525, and bytes that are not UTF-8',
    documented: undefined,
    source: pages.input,
    play: async ({ event }) => {
      expect((await event('/open/a?a=x%2By+z%2525&b=%E9'))['queryStringParameters']).toEqual({
        a: 'x+y z%25',
        b: '\ufffd',
      });
    },
  },
  {
    id: 'nothing-is-null',
    given: 'no query and no body',
    documented: undefined,
    source: pages.input,
    play: async ({ event }) => {
      expect(await event('/elsewhere')).toMatchObject({
        queryStringParameters: null,
        multiValueQueryStringParameters: null,
        stageVariables: null,
        body: null,
      });
    },
  },
  {
    id: 'body-that-is-not-utf-8',
    given: 'a body in Latin-1, in an API without binary media types',
    documented: undefined,
    source: pages.encodings,
    play: async ({ event }) => {
      const body = Buffer.from('"commande-é"', 'latin1');
      expect((await event('/open/a', { ...post, body })).body).toBe('"commande-\ufffd"');
    },
  },
];
