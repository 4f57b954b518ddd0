import { expect } from 'vitest';
import { type Behaviour, pages } from './behaviour.ts';

const failed = { status: 502, refused: 'DEFAULT_5XX' };
const answering = (answer: unknown) => ({ answer });

const malformed: readonly { readonly id: string; readonly what: string; readonly answer: unknown }[] = [
  { id: 'no-status', what: 'no statusCode', answer: { body: 'x' } },
  { id: 'text-alone', what: 'a text', answer: 'results' },
  { id: 'nothing', what: 'null', answer: null },
  { id: 'a-list', what: 'a list', answer: [{ statusCode: 200 }] },
  { id: 'body-that-is-not-text', what: 'an object as body', answer: { statusCode: 200, body: { a: 1 } } },
  { id: 'headers-that-are-text', what: 'a text as headers', answer: { statusCode: 200, headers: 'X-A: 1' } },
];

/** What the client gets of a function's answer, or in its place. Headers have their own table. */
export const answers: readonly Behaviour[] = [
  {
    id: 'status-headers-body',
    given: 'a function that answers 202, a header and a body',
    documented: 'they are the answer',
    source: pages.output,
    play: async ({ wish }) => {
      const answer = await wish(answering({ statusCode: 202, headers: { 'X-A': 'one' }, body: '{"é":1}' }));
      expect(answer).toMatchObject({ status: 202, body: '{"é":1}', headers: { 'x-a': 'one' } });
    },
  },
  {
    id: 'error-status',
    given: 'a function that answers 400 and X-Amzn-ErrorType',
    documented: "a function's 4XX and 5XX are passed on with their headers and body",
    source: pages.lambdaErrors,
    play: async ({ wish }) => {
      const headers = { 'X-Amzn-ErrorType': 'InvalidParameterException' };
      const answer = await wish(answering({ statusCode: 400, headers, body: 'Missing parameters' }));
      expect(answer).toMatchObject({ status: 400, body: 'Missing parameters', refused: undefined });
      expect(answer.headers['x-amzn-errortype']).toBe('InvalidParameterException');
    },
  },
  {
    id: 'no-headers',
    given: 'a function that answers a status and a body alone',
    documented: 'headers and multiValueHeaders can be unspecified',
    source: pages.output,
    play: async ({ wish }) => {
      expect(await wish(answering({ statusCode: 200, body: 'results' }))).toMatchObject({
        status: 200,
        body: 'results',
      });
    },
  },
  {
    id: 'default-content-type',
    given: 'a function that answers no Content-Type',
    documented: 'API Gateway includes a Content-Type: application/json by default',
    source: pages.notes,
    play: async ({ wish }) => {
      const answer = await wish(answering({ statusCode: 200, body: 'results' }));
      expect(answer.headers['content-type']).toBe('application/json');
    },
  },
  {
    id: 'several-values',
    given: 'multiValueHeaders with Set-Cookie twice',
    documented: 'every value is sent',
    source: pages.multiValues,
    play: async ({ wish }) => {
      const answer = await wish(answering({ statusCode: 200, multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] } }));
      expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    },
  },
  {
    id: 'single-value-in-multi-value-headers',
    given: 'multiValueHeaders with one value',
    documented: 'multiValueHeaders can have single values too',
    source: pages.output,
    play: async ({ wish }) => {
      const answer = await wish(answering({ statusCode: 200, multiValueHeaders: { 'X-A': ['one'] } }));
      expect(answer.headers['x-a']).toBe('one');
    },
  },
  {
    id: 'both-kinds-of-headers',
    given: 'X-A in headers, X-B in multiValueHeaders',
    documented: 'they are merged',
    source: pages.output,
    play: async ({ wish }) => {
      const answer = await wish(
        answering({ statusCode: 200, headers: { 'X-A': '1' }, multiValueHeaders: { 'X-B': ['2'] } }),
      );
      expect(answer.headers).toMatchObject({ 'x-a': '1', 'x-b': '2' });
    },
  },
  {
    id: 'one-header-in-both',
    given: 'X-A in headers and in multiValueHeaders',
    documented: 'only the values of multiValueHeaders are sent',
    source: pages.output,
    play: async ({ wish }) => {
      const wished = { statusCode: 200, headers: { 'X-A': 'no' }, multiValueHeaders: { 'X-A': ['1', '2'] } };
      expect((await wish(answering(wished))).headers['x-a']).toBe('1, 2');
    },
  },
  {
    id: 'base64-without-binary-types',
    given: 'isBase64Encoded: true, in an API without binary media types',
    documented: 'the body is sent as the text that it is: to be decoded it needs a binary media type too',
    source: pages.output,
    play: async ({ wish }) => {
      const body = Buffer.from('bytes').toString('base64');
      expect((await wish(answering({ statusCode: 200, isBase64Encoded: true, body }))).body).toBe(body);
    },
  },
  ...malformed.map(
    ({ id, what, answer }): Behaviour => ({
      id: `malformed-${id}`,
      given: `a function that answers ${what}`,
      documented: 'output of a different format is a 502 Bad Gateway',
      source: pages.output,
      play: async ({ wish }) => {
        expect(await wish({ answer })).toMatchObject(failed);
      },
    }),
  ),
  {
    id: 'function-throws',
    given: 'a function that throws',
    documented: '502, and nothing of the error in the answer',
    source: pages.lambdaErrors,
    play: async ({ wish }) => {
      const answer = await wish({ fail: 'secret thing' });
      expect(answer).toMatchObject(failed);
      expect(answer.body).not.toContain('secret thing');
    },
  },
  {
    id: 'function-crashes',
    given: 'a function whose process ends',
    documented: '502: a function error is an internal error',
    source: pages.lambdaErrors,
    play: async ({ wish }) => {
      expect(await wish({ crash: true })).toMatchObject(failed);
    },
  },
  {
    id: 'function-times-out',
    given: 'a function that reaches its own timeout',
    documented: '502: a function error is an internal error',
    source: pages.lambdaErrors,
    play: async ({ wish }) => {
      expect(await wish({ hang: true })).toMatchObject(failed);
    },
  },
  {
    id: 'function-is-not-retried',
    given: 'a function that throws',
    documented: 'API Gateway does not retry an invocation',
    source: pages.lambdaErrors,
    play: async ({ wish, invoked }) => {
      await wish({ fail: 'once' });
      expect(invoked).toEqual(['echo']);
    },
  },
  {
    id: 'answer-over-6-mb',
    given: 'a function that answers 7 MB',
    documented: 'an answer of a function has at most 6 MB; more is a function error, so a 502',
    source: pages.lambdaQuotas,
    play: async ({ wish }) => {
      expect(await wish({ bytes: 7 * 1024 * 1024 })).toMatchObject(failed);
    },
  },
  {
    id: 'integration-timeout',
    given: 'a function that answers after the integration timeout (29 s; here shortened)',
    documented: 'INTEGRATION_TIMEOUT, 504',
    source: pages.responses,
    play: async ({ call, bearer, fault }) => {
      fault({ kind: 'functions_late', delayMs: 2_000, gatewayWaitsMs: 50 });
      expect(await call('/things', { headers: bearer('good') })).toMatchObject({
        status: 504,
        refused: 'INTEGRATION_TIMEOUT',
      });
    },
  },
  {
    id: 'number-as-header',
    given: 'a number and a boolean as header values',
    documented: undefined,
    source: pages.output,
    play: async ({ wish }) => {
      const answer = await wish(answering({ statusCode: 200, headers: { 'X-Number': 5, 'X-Yes': true } }));
      expect(answer.headers).toMatchObject({ 'x-number': '5', 'x-yes': 'true' });
    },
  },
  {
    id: 'status-below-200',
    given: 'a function that answers 101',
    documented: undefined,
    source: pages.output,
    play: async ({ wish }) => {
      expect(await wish(answering({ statusCode: 101 }))).toMatchObject(failed);
    },
  },
];
