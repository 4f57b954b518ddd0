import { expect } from 'vitest';
import { type Behaviour, pages } from './behaviour.ts';

const passedToClients = [
  ['Age', '1'],
  ['Accept', 'x'],
  ['Content-Type', 'text/plain'],
  ['Pragma', 'no-cache'],
  ['Warn', 'x'],
] as const;
const remapped = ['Authorization', 'Connection', 'Content-MD5', 'Max-Forwards', 'User-Agent', 'WWW-Authenticate'];
const overwritten = ['Date', 'Server'];
const droppedFromAnswers = [
  'Expect',
  'Host',
  'Proxy-Authenticate',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Via',
];

/** What becomes of a function's headers on their way to the client: AWS's table, row by row. */
export const answerHeaders: readonly Behaviour[] = [
  ...passedToClients.map(
    ([name, value]): Behaviour => ({
      id: `answer-${name.toLowerCase()}`,
      given: `a function that answers ${name}: ${value}`,
      documented: 'passthrough to the client',
      source: pages.notes,
      play: async ({ wish }) => {
        const answer = await wish({ answer: { statusCode: 200, headers: { [name]: value } } });
        expect(answer.headers[name.toLowerCase()]).toBe(value);
      },
    }),
  ),
  ...remapped.map(
    (name): Behaviour => ({
      id: `answer-${name.toLowerCase()}`,
      given: `a function that answers ${name}`,
      documented: 'remapped to X-Amzn-Remapped-…',
      source: pages.notes,
      play: async ({ wish }) => {
        const answer = await wish({ answer: { statusCode: 200, headers: { [name]: 'mine' } } });
        expect(answer.headers[`x-amzn-remapped-${name.toLowerCase()}`]).toBe('mine');
        expect(answer.headers[name.toLowerCase()]).not.toBe('mine');
      },
    }),
  ),
  ...overwritten.map(
    (name): Behaviour => ({
      id: `answer-${name.toLowerCase()}`,
      given: `a function that answers ${name}`,
      documented: 'remapped to X-Amzn-Remapped-…, and overwritten',
      source: pages.notes,
      play: async ({ wish }) => {
        const answer = await wish({ answer: { statusCode: 200, headers: { [name]: 'mine' } } });
        expect(answer.headers).toHaveProperty([`x-amzn-remapped-${name.toLowerCase()}`]);
        expect(answer.headers[name.toLowerCase()]).not.toBe('mine');
      },
    }),
  ),
  ...droppedFromAnswers.map(
    (name): Behaviour => ({
      id: `answer-${name.toLowerCase()}`,
      given: `a function that answers ${name}`,
      documented: 'dropped',
      source: pages.notes,
      play: async ({ wish }) => {
        const answer = await wish({ answer: { statusCode: 200, headers: { [name]: 'mine', 'X-Other': 'kept' } } });
        expect(answer.headers).toMatchObject({ 'x-other': 'kept' });
        expect(JSON.stringify(answer.headers)).not.toContain('mine');
      },
    }),
  ),
  {
    id: 'answer-content-length',
    given: 'a function that answers Content-Length: 3 and five bytes',
    documented: 'generated based on the body',
    source: pages.notes,
    play: async ({ wish }) => {
      const answer = await wish({ answer: { statusCode: 200, headers: { 'Content-Length': '3' }, body: '12345' } });
      expect([answer.headers['content-length'], answer.body]).toEqual(['5', '12345']);
    },
  },
];
