import { describe, expect, test } from 'vitest';
import { renderGatewayResponse } from '../../infra/blueprint/api.ts';
import { successExamples } from '../../infra/openapi/examples.ts';
import { createAnswerJudge, type GivenAnswer, watchAnswers } from '../support/openapi/openapi-answers.ts';

const judge = createAnswerJudge();
const cancelled = successExamples['requestCancellation']?.['200']?.['cancelled']?.value as Record<string, unknown>;
const path = '/v1/cancellations';

const answer = (change: Partial<GivenAnswer> = {}, body: Record<string, unknown> = cancelled): GivenAnswer => ({
  status: 200,
  headers: {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': 'request-1',
    Location: `${path}/job_1`,
  },
  body: JSON.stringify(body),
  ...change,
});
const gatewayAnswer = (type: Parameters<typeof renderGatewayResponse>[0]): GivenAnswer => {
  const { statusCode, headers, body } = renderGatewayResponse(type, 'request-1');
  return { status: statusCode, headers, body };
};

describe('an answer', () => {
  test('as described passes, in any case of its header names', () => {
    const { headers } = answer();
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

    expect(judge('POST', path, answer())).toEqual([]);
    expect(judge('POST', path, answer({ headers: lower }))).toEqual([]);
  });

  test.each<[string, GivenAnswer, RegExp]>([
    ['an unknown field', answer({}, { ...cancelled, pages: 1 }), /body must NOT have additional properties.*"pages"/],
    ['a missing field', answer({}, { ...cancelled, outcome: undefined }), /body must have required property 'outcome'/],
    ['a field of another type', answer({}, { ...cancelled, attempts: '1' }), /body\/attempts must be integer/],
    [
      'a value that is not listed',
      answer({}, { ...cancelled, outcome: 'done' }),
      /body\/outcome must be equal to one of/,
    ],
    ['a time of another form', answer({}, { ...cancelled, requestedAt: 'today' }), /body\/requestedAt must match/],
    ['a missing header', answer({ headers: { 'Content-Type': 'application/json' } }), /no header Location/],
    ['an unknown header', answer({ headers: { ...answer().headers, 'X-Powered-By': 'us' } }), /x-powered-by is not/],
    [
      'a header of another form',
      answer({ headers: { ...answer().headers, 'Cache-Control': 'public' } }),
      /header Cache-Control must be equal to constant/,
    ],
    [
      'another media type',
      answer({ headers: { ...answer().headers, 'Content-Type': 'text/html' } }),
      /text\/html is not described/,
    ],
    ['a status that is not described', answer({ status: 418 }), /\/v1\/cancellations has no such status/],
    ['a problem under another status', { ...gatewayAnswer('UNAUTHORIZED'), status: 403 }, /body\/status must be equal/],
    [
      'a code of another status',
      { ...gatewayAnswer('UNAUTHORIZED'), status: 404 },
      /body\/code must be equal to constant/,
    ],
  ])('with %s does not', (_what, given, finding) => {
    const wrong = judge('POST', path, given);

    expect(wrong).toEqual(expect.arrayContaining([expect.stringMatching(finding)]));
  });

  test('of the gateway is judged like every other', () => {
    expect(judge('GET', `${path}/job_1`, gatewayAnswer('THROTTLED'))).toEqual([]);
    expect(judge('GET', `${path}/job_1`, { ...gatewayAnswer('THROTTLED'), headers: {} })).not.toEqual([]);
  });

  test('outside the operations must be a problem, or a page that is not under /v1', () => {
    const notFound = gatewayAnswer('MISSING_AUTHENTICATION_TOKEN');
    const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' };

    expect(judge('GET', '/v1/no-such', notFound)).toEqual([]);
    expect(judge('GET', '/v1/no-such', { ...notFound, status: 400 })).toEqual([
      expect.stringMatching('the body says 404'),
    ]);
    expect(judge('GET', '/v1/no-such', page)).toEqual([expect.stringMatching('is not a problem')]);
    expect(judge('GET', '/docs', page)).toEqual([]);
  });
});

describe('a watched run', () => {
  test('ends without an error when all answers were as described', () => {
    const { onAnswer, throwIfWrong } = watchAnswers();
    const { status: statusCode, headers, body } = answer();

    onAnswer(
      { requestId: 'r', method: 'POST', path },
      { statusCode, headers: headers as Record<string, string>, body },
    );

    expect(throwIfWrong).not.toThrow();
  });

  test.each([
    ['a field that is not described', JSON.stringify({ ...cancelled, secret: 1 })],
    ['a body that is not JSON', 'oops'],
  ])('throws at its end when one answer had %s', (_what, body) => {
    const { onAnswer, throwIfWrong } = watchAnswers();
    const { status: statusCode, headers } = answer();

    onAnswer(
      { requestId: 'r', method: 'POST', path },
      { statusCode, headers: headers as Record<string, string>, body },
    );

    expect(throwIfWrong).toThrow(/answers that are not as described:\nPOST \/v1\/cancellations, 200: /);
  });
});
