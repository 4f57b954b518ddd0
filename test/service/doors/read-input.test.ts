import type { APIGatewayProxyEvent } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readByExternalIdSchema } from '../../../functions/contract/page-request.ts';
import { cancelRequestSchema, jobPathSchema, registerJobSchema } from '../../../functions/contract/requests.ts';
import { check, readBody } from '../../../functions/doors/http/read-input.ts';

const eventWith = (body: string | null, contentType?: string, isBase64Encoded = false): APIGatewayProxyEvent => ({
  httpMethod: 'POST',
  path: '/v1/cancellations',
  resource: '/v1/cancellations',
  headers: {},
  multiValueHeaders: contentType === undefined ? {} : { 'content-TYPE': [contentType] },
  queryStringParameters: null,
  multiValueQueryStringParameters: null,
  pathParameters: null,
  stageVariables: null,
  // Not looked at here.
  requestContext: {} as APIGatewayProxyEvent['requestContext'],
  body,
  isBase64Encoded,
});
const read = (body: string | null, contentType = 'application/json') =>
  readBody(eventWith(body, contentType), cancelRequestSchema);
const readBytes = (bytes: Buffer) =>
  readBody(eventWith(bytes.toString('base64'), 'application/json', true), cancelRequestSchema);
const errorsOf = (body: string | null) => {
  const input = read(body);
  return input.kind === 'problem' ? [input.code, input.extra?.['errors']] : input;
};

describe('a body', () => {
  test('is accepted when it matches the contract', () => {
    expect(read('{"externalId":"order-7890","reason":"wrong plan"}')).toEqual({
      kind: 'input',
      value: { externalId: 'order-7890', reason: 'wrong plan' },
    });
  });

  test.each(['application/json', 'Application/JSON; charset=utf-8', ' application/json ;charset=utf-8'])(
    'may be sent as %s',
    (contentType) => {
      expect(read('{"externalId":"a"}', contentType).kind).toBe('input');
    },
  );

  test.each(['text/plain', '', 'application/jsonp', 'application/problem+json'])('may not be sent as "%s"', (type) => {
    expect(read('{"externalId":"a"}', type)).toMatchObject({ code: 'unsupported_media_type' });
  });

  test('needs a content type', () => {
    expect(readBody(eventWith('{}'), cancelRequestSchema)).toMatchObject({ code: 'unsupported_media_type' });
  });

  test('may be base64, as API Gateway forwards binary types', () => {
    const encoded = Buffer.from('{"externalId":"ü"}').toString('base64');

    expect(readBody(eventWith(encoded, 'application/json', true), cancelRequestSchema)).toMatchObject({
      value: { externalId: 'ü' },
    });
  });

  test('has at most 8 KiB, counted in bytes', () => {
    const bodyOf = (bytes: number) => `{"externalId":"a"${' '.repeat(bytes - 18)}}`;

    expect(Buffer.byteLength(bodyOf(8192))).toBe(8192);
    expect(read(bodyOf(8192)).kind).toBe('input');
    expect(read(bodyOf(8193))).toMatchObject({ code: 'body_too_large' });
    expect(read(`{"externalId":"${'ü'.repeat(4096)}"}`)).toMatchObject({ code: 'body_too_large' });
  });

  test.each([
    ['nothing', null],
    ['an empty text', ''],
    ['no JSON', '{"externalId":'],
  ])('is rejected when it is %s', (_, body) => {
    expect(errorsOf(body)).toEqual(['invalid_request', [{ path: '', message: 'is not JSON' }]]);
  });

  test('is rejected with a byte order mark, which the message names, as text and as base64', () => {
    const withMark = '\ufeff{"externalId":"a"}';
    const errors = [{ path: '', message: 'begins with a byte order mark (U+FEFF): send UTF-8 without one' }];

    expect(errorsOf(withMark)).toEqual(['invalid_request', errors]);
    expect(readBytes(Buffer.from(withMark))).toMatchObject({ code: 'invalid_request', extra: { errors } });
  });

  test.each([
    ['externalId', '{"externalId":"commande-é"}'],
    ['reason', '{"externalId":"a","reason":"déjà vu"}'],
  ])('in Latin-1 is rejected with the path of the field: %s', (path, json) => {
    const bytes = Buffer.from(json, 'latin1');
    const message = 'must not contain U+FFFD, which stands for bytes that are not valid UTF-8: send the text as UTF-8';

    expect(errorsOf(bytes.toString())).toEqual(['invalid_request', [{ path, message }]]);
    expect(readBytes(bytes)).toMatchObject({ code: 'invalid_request', extra: { errors: [{ path, message }] } });
  });

  test('in Latin-1 is rejected where no field is to blame, too', () => {
    const [key, space] = ['{"externalId":"a","é":1}', '{"externalId":"a"}\u00a0'];
    const unknown = { path: '\ufffd', message: 'is not a field of this request' };

    expect(readBytes(Buffer.from(key, 'latin1'))).toMatchObject({ extra: { errors: [unknown] } });
    expect(readBytes(Buffer.from(space, 'latin1'))).toMatchObject({
      extra: { errors: [{ path: '', message: 'is not valid UTF-8' }] },
    });
  });

  test('in UTF-16 is rejected as what it is not', () => {
    const bytes = Buffer.from('\ufeff{"externalId":"a"}', 'utf16le');

    expect(readBytes(bytes)).toMatchObject({ extra: { errors: [{ path: '', message: 'is not valid UTF-8' }] } });
  });

  test.each(['iso-8859-1', '"ISO-8859-15"', 'utf-16', ''])('may name the charset %s only for ASCII', (charset) => {
    const contentType = `application/json; a=b; charset=${charset}`;
    const errors = [{ path: 'Content-Type', message: 'must not name another charset than UTF-8' }];

    expect(read('{"externalId":"a"}', contentType).kind).toBe('input');
    expect(read('{"externalId":"é"}', contentType)).toMatchObject({ code: 'invalid_request', extra: { errors } });
  });

  test.each(['utf-8', 'UTF8', '"utf-8"'])('may name the charset %s for any text', (charset) => {
    expect(read('{"externalId":"é"}', `application/json;charset=${charset}`).kind).toBe('input');
  });

  test('in base64 is counted by its bytes, not by what they decode to', () => {
    const bytes = Buffer.concat([Buffer.from('{"externalId":"'), Buffer.alloc(8000, 0xe9), Buffer.from('"}')]);

    expect(readBytes(bytes)).toMatchObject({ code: 'invalid_request' });
    expect(readBytes(Buffer.alloc(8193, ' '))).toMatchObject({ code: 'body_too_large' });
  });

  test.each(['[]', '[{"externalId":"a"}]', '"a"', '1', 'null', 'true', '['.repeat(3000) + ']'.repeat(3000)])(
    'is rejected when it is not an object: %.20s',
    (body) => {
      expect(errorsOf(body)).toEqual(['invalid_request', [{ path: '', message: 'must be a JSON object' }]]);
    },
  );

  test('has nothing in an optional field that is null', () => {
    const errors = [{ path: 'externalId', message: 'must be a string' }];

    expect(read('{"externalId":"a","jobId":null,"reason":null}')).toEqual({
      kind: 'input',
      value: { externalId: 'a' },
    });
    expect(readBody(eventWith('{"externalId":"a","projectId":null}', 'application/json'), registerJobSchema)).toEqual({
      kind: 'input',
      value: { externalId: 'a' },
    });
    expect(errorsOf('{"externalId":null,"jobId":null}')).toEqual(['invalid_request', errors]);
    expect(errorsOf('{"externalId":"a","other":null}')).toMatchObject(['invalid_request', [{ path: 'other' }]]);
  });

  test('names every unknown field, also __proto__ and similar names', () => {
    for (const name of ['extra', '__proto__', 'constructor', 'toString', 'partnerId']) {
      expect(errorsOf(`{"externalId":"a","${name}":{"x":1}}`), name).toEqual([
        'invalid_request',
        [{ path: name, message: 'is not a field of this request' }],
      ]);
    }
  });

  test('names every field that is given twice, however it is written', () => {
    expect(errorsOf('{"externalId":"a", "external\\u0049d" : "b","reason":"c"}')).toEqual([
      'invalid_request',
      [{ path: 'externalId', message: 'is given more than once' }],
    ]);
    expect(read('{"externalId":"externalId\\":","reason":"\\"externalId\\":1"}').kind).toBe('input');
  });

  test.each([
    ['{}', 'externalId', 'is required'],
    ['{"externalId":null}', 'externalId', 'must be a string'],
    ['{"externalId":7890}', 'externalId', 'must be a string'],
    ['{"externalId":""}', 'externalId', 'must not be empty'],
    [JSON.stringify({ externalId: 'a'.repeat(181) }), 'externalId', 'must be at most 180 characters'],
    ['{"externalId":"a\\u0000b"}', 'externalId', 'must not contain control characters'],
    ['{"externalId":"a\\u0085b"}', 'externalId', 'must not contain control characters'],
    [
      '{"externalId":"a\\ufffd"}',
      'externalId',
      'must not contain U+FFFD, which stands for bytes that are not valid UTF-8: send the text as UTF-8',
    ],
    ['{"externalId":"\\ud83d"}', 'externalId', 'must be well-formed Unicode: it contains half of a surrogate pair'],
    ['{"externalId":"a","jobId":".."}', 'jobId', 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -'],
    ['{"externalId":"a","jobId":"a/b"}', 'jobId', 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -'],
    ['{"externalId":"a","jobId":"%2e%2e"}', 'jobId', 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -'],
    ['{"externalId":"a","jobId":"job_1\\n"}', 'jobId', 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -'],
    [JSON.stringify({ externalId: 'a', reason: 'r'.repeat(501) }), 'reason', 'must be at most 500 characters'],
  ])('says which field is wrong and why: %.40s', (body, path, message) => {
    expect(errorsOf(body)).toEqual(['invalid_request', [{ path, message }]]);
  });

  test('is counted in characters, not in code units, and may contain any Unicode', () => {
    expect(read(JSON.stringify({ externalId: '😀'.repeat(180) })).kind).toBe('input');
    expect(read(JSON.stringify({ externalId: '😀'.repeat(181) })).kind).toBe('problem');
  });

  test('lists at most 20 errors', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`field${n}`, n]));

    expect(read(JSON.stringify({ externalId: 'a', ...many }))).toMatchObject({ extra: { errors: { length: 20 } } });
  });

  test('never causes an exception, whatever it contains', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        (body) => {
          const input = read(body);
          if (input.kind === 'problem') JSON.stringify(input);
          else expect(Object.keys(input.value)).toContain('externalId');
        },
      ),
    );
  });
});

describe('path parameters', () => {
  test.each(['..', 'a/b', '%2e%2e', 'job_1%00', 'job_%E9', 'job_\ufffd', 'job_é', '', 'x'.repeat(129)])(
    'reject the jobId "%.20s"',
    (jobId) => {
      expect(check({ jobId }, jobPathSchema)).toMatchObject({ code: 'invalid_request' });
    },
  );
});

describe('a query', () => {
  test.each(['commande-\ufffd', '\ufffd', 'a\ud800'])('that names “%s” is rejected', (externalId) => {
    expect(check({ externalId }, readByExternalIdSchema)).toMatchObject({
      code: 'invalid_request',
      extra: { errors: [{ path: 'externalId' }] },
    });
  });
});
