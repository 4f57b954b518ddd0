import { gunzipSync, inflateSync } from 'node:zlib';
import { expect } from 'vitest';
import { type Behaviour, pages } from './behaviour.ts';

const long = JSON.stringify({ text: 'x'.repeat(2_000) });
const answering = (answer: unknown) => ({ answer });

/** Which answers are compressed. */
export const compression: readonly Behaviour[] = [
  {
    id: 'compressed-gzip',
    given: 'Accept-Encoding: gzip, and an answer of minimumCompressionSize and more',
    documented: 'the answer is compressed, with Content-Encoding: gzip',
    source: pages.compression,
    play: async ({ wish }) => {
      const answer = await wish(answering({ statusCode: 200, body: long }), { 'Accept-Encoding': 'gzip' });
      expect(answer.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(answer.bytes).toString()).toBe(long);
    },
  },
  {
    id: 'compressed-deflate',
    given: 'Accept-Encoding: deflate',
    documented: 'deflate is supported',
    source: pages.compression,
    play: async ({ wish }) => {
      const answer = await wish(answering({ statusCode: 200, body: long }), { 'Accept-Encoding': 'deflate' });
      expect(answer.headers['content-encoding']).toBe('deflate');
      expect(inflateSync(answer.bytes).toString()).toBe(long);
    },
  },
  {
    id: 'not-compressed-if-small',
    given: 'Accept-Encoding: gzip, and a smaller answer',
    documented: 'an answer of less than minimumCompressionSize is not compressed',
    source: pages.compression,
    play: async ({ wish }) => {
      const answer = await wish(answering({ statusCode: 200, body: 'short' }), { 'Accept-Encoding': 'gzip' });
      expect(answer.headers).not.toHaveProperty('content-encoding');
    },
  },
  ...[undefined, '*', 'identity', 'br'].map(
    (accepted): Behaviour => ({
      id: `not-compressed-for-${accepted ?? 'nothing'}`,
      given: accepted === undefined ? 'no Accept-Encoding' : `Accept-Encoding: ${accepted}`,
      documented: 'without a supported coding that is named, the answer is not compressed',
      source: pages.compression,
      play: async ({ wish }) => {
        const headers: Record<string, string> = accepted === undefined ? {} : { 'Accept-Encoding': accepted };
        const answer = await wish(answering({ statusCode: 200, body: long }), headers);
        expect(answer.headers).not.toHaveProperty('content-encoding');
        expect(answer.body).toBe(long);
      },
    }),
  ),
  {
    id: 'not-compressed-twice',
    given: 'a function that answers Content-Encoding: x',
    documented: 'an answer with Content-Encoding counts as compressed',
    source: pages.compression,
    play: async ({ wish }) => {
      const wished = { statusCode: 200, headers: { 'Content-Encoding': 'x' }, body: long };
      const answer = await wish(answering(wished), { 'Accept-Encoding': 'gzip' });
      expect([answer.headers['content-encoding'], answer.body]).toEqual(['x', long]);
    },
  },
];
