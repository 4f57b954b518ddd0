import { describe, expect, it } from 'vitest';
import { compareDocuments } from '../../infra/openapi/compare-documents.ts';
import { readDescription } from '../support/openapi-answers.ts';

/** A document that a test may change as it likes. */
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;

const description = readDescription();
const afterEdit = (edit: (document: Loose) => void): readonly string[] => {
  const edited: Loose = structuredClone(description);
  edit(edited);
  return compareDocuments(description, edited);
};

const cancel = (document: Loose): Loose => document.paths['/v1/cancellations'].post;
const list = (document: Loose): Loose => document.paths['/v1/cancellations'].get;
const schema = (document: Loose, name: string): Loose => document.components.schemas[name];
const field = (document: Loose, name: string, of: string): Loose => schema(document, name).properties[of];
const without = (names: string[], name: string): string[] => names.filter((other) => other !== name);

const breaking: readonly (readonly [string, (document: Loose) => void, RegExp])[] = [
  ['a path is removed', (d) => delete d.paths['/v1/jobs/{jobId}'], /^PUT \/v1\/jobs\/\{jobId\}: is removed$/],
  ['an operation is removed', (d) => delete d.paths['/v1/cancellations'].get, /^GET .*: is removed$/],
  ['an operation gets another name', (d) => (cancel(d).operationId = 'cancelJob'), /is called cancelJob now/],
  [
    'an operation needs another scope',
    (d) => cancel(d).security[0].partnerCredential.push('jobs:write'),
    /needs jobs:write now/,
  ],
  ['the server moves', (d) => (d.servers[0].url = '/api'), /the server \/: is removed/],
  [
    'the credential is sent another way',
    (d) => (d.components.securitySchemes.partnerCredential.scheme = 'basic'),
    /the credential partnerCredential: is another/,
  ],

  ['a parameter is removed', (d) => cancel(d).parameters.pop(), /Idempotency-Key: is removed/],
  [
    'a parameter becomes required',
    (d) => (cancel(d).parameters[0].required = true),
    /Idempotency-Key: is required now/,
  ],
  [
    'a required parameter is added',
    (d) => list(d).parameters.push({ name: 'limit', in: 'query', required: true, schema: { type: 'integer' } }),
    /limit: is new and required/,
  ],
  [
    'a parameter takes less',
    (d) => (schema(d, 'IdempotencyKey').pattern = '^[a-z]{1,255}$'),
    /Idempotency-Key: pattern is stricter/,
  ],

  ['a body is removed', (d) => delete cancel(d).requestBody, /body: is removed/],
  [
    'a media type is no longer taken',
    (d) => {
      const { content } = cancel(d).requestBody;
      content['application/cbor'] = content['application/json'];
      delete content['application/json'];
    },
    /application\/json is no longer taken/,
  ],
  [
    "a request's field is removed",
    (d) => delete schema(d, 'CancelRequest').properties.reason,
    /body\.reason: is removed/,
  ],
  [
    "a request's field becomes required",
    (d) => schema(d, 'CancelRequest').required.push('reason'),
    /body\.reason: is required now/,
  ],
  [
    'a required field is added to a request',
    (d) => {
      schema(d, 'CancelRequest').properties.urgent = { type: 'boolean' };
      schema(d, 'CancelRequest').required.push('urgent');
    },
    /body\.urgent: is required now/,
  ],
  ["a request's text must be shorter", (d) => (schema(d, 'Reason').maxLength = 100), /body\.reason: maxLength/],
  ["a request's text must be longer", (d) => (schema(d, 'ExternalId').minLength = 2), /externalId: minLength/],
  ["a request's text gets a bound", (d) => (schema(d, 'Reason').minLength = 1), /body\.reason: minLength/],
  ["a request's text gets a format", (d) => (schema(d, 'ProjectId').format = 'uuid'), /projectId: format/],
  [
    "a request's field gets another type",
    (d) => (d.components.schemas.Reason = { type: 'integer' }),
    /body\.reason: is integer now, not string/,
  ],
  [
    "a request's field takes only some values",
    (d) => (schema(d, 'Reason').enum = ['duplicate', 'mistake']),
    /body\.reason: any is no longer taken/,
  ],

  ['a success is removed', (d) => delete cancel(d).responses['202'], /, 202: is removed/],
  ['a problem is removed', (d) => delete cancel(d).responses['409'], /, 409: is removed/],
  [
    'an answer is of another media type',
    (d) => {
      const { content } = cancel(d).responses['200'];
      content['application/cbor'] = content['application/json'];
      delete content['application/json'];
    },
    /, 200: (may be application\/cbor now|is no longer application\/json)/,
  ],
  ['a header is removed', (d) => delete cancel(d).responses['202'].headers.Location, /, 202, Location: is removed/],
  [
    'a header is no longer always sent',
    (d) => (d.components.headers['Retry-After'].required = false),
    /Retry-After: is no longer always there/,
  ],
  [
    'a header may be anything',
    (d) => delete d.components.headers['Retry-After'].schema.pattern,
    /Retry-After: pattern is looser/,
  ],
  [
    "an answer's field is removed",
    (d) => {
      delete schema(d, 'Cancellation').properties.pageCount;
      schema(d, 'Cancellation').required = without(schema(d, 'Cancellation').required, 'pageCount');
    },
    /, 200\.pageCount: is removed/,
  ],
  ["an answer's optional field is removed", (d) => delete schema(d, 'Problem').properties.errors, /errors: is removed/],
  [
    "an answer's field is not always there",
    (d) => (schema(d, 'Cancellation').required = without(schema(d, 'Cancellation').required, 'outcome')),
    /, 200\.outcome: is no longer always there/,
  ],
  [
    "an answer's field may be null",
    (d) => (field(d, 'Cancellation', 'attempts').type = ['integer', 'null']),
    /, 200\.attempts: is null now, not integer/,
  ],
  [
    "an answer's reference may be null",
    (d) =>
      (schema(d, 'Cancellation').properties.jobId = { anyOf: [field(d, 'Cancellation', 'jobId'), { type: 'null' }] }),
    /, 200\.jobId: is null now, not string/,
  ],
  [
    "an answer's whole number may have decimals",
    (d) => (field(d, 'Cancellation', 'attempts').type = 'number'),
    /attempts: is number now, not integer/,
  ],
  [
    "an answer's enumeration gets a value that was not announced",
    (d) => schema(d, 'Outcome').enum.push('expired'),
    /, 200\.outcome: expired is a new value/,
  ],
  [
    "an answer's enumeration becomes any text",
    (d) => delete field(d, 'Cancellation', 'state').enum,
    /, 200\.state: any is a new value/,
  ],
  [
    "an answer's enumeration may grow from now on",
    (d) => (schema(d, 'Outcome')['x-may-grow'] = true),
    /, 200\.outcome: may grow from now on/,
  ],
  ["an answer's text loses its form", (d) => delete schema(d, 'Timestamp').pattern, /requestedAt: pattern is looser/],
  [
    'a field deep in an answer changes',
    (d) => (field(d, 'TimelineEntry', 'httpStatus').type = 'string'),
    /cancellations\[\]\.timeline\[\]\.httpStatus: is string now, not integer/,
  ],
];

const additive: readonly (readonly [string, (document: Loose) => void])[] = [
  ['nothing', () => undefined],
  ['an operation is added', (d) => (d.paths['/v1/cancellations'].delete = structuredClone(list(d)))],
  [
    'an optional parameter is added',
    (d) => list(d).parameters.push({ name: 'limit', in: 'query', required: false, schema: { type: 'integer' } }),
  ],
  ['a parameter becomes optional', (d) => (list(d).parameters[0].required = false)],
  ['an operation needs no scope any more', (d) => (cancel(d).security[0].partnerCredential = [])],
  [
    'an optional field is added to a request',
    (d) => (schema(d, 'CancelRequest').properties.urgent = { type: 'boolean' }),
  ],
  ["a request's field becomes optional", (d) => (schema(d, 'RegisterJobRequest').required = [])],
  ["a request's text may be longer", (d) => (schema(d, 'Reason').maxLength = 1000)],
  [
    "a request's field may be null, too",
    (d) =>
      (schema(d, 'CancelRequest').properties.reason = {
        anyOf: [field(d, 'CancelRequest', 'reason'), { type: 'null' }],
      }),
  ],
  [
    'a media type is taken, too',
    (d) =>
      (cancel(d).requestBody.content['application/cbor'] = structuredClone(
        cancel(d).requestBody.content['application/json'],
      )),
  ],
  ['a problem is added', (d) => (cancel(d).responses['410'] = structuredClone(cancel(d).responses['409']))],
  ['a problem code is added', (d) => field(d, 'Problem', 'code').enum.push('job_paused')],
  [
    "a problem code is added to an operation's status",
    (d) => {
      field(d, 'Problem', 'code').enum.push('job_paused');
      cancel(d).responses['409'].content['application/problem+json'].schema.allOf[1].properties.code.enum.push(
        'job_paused',
      );
    },
  ],
  ['a field is added to an answer', (d) => (schema(d, 'Cancellation').properties.pagesLeft = { type: 'integer' })],
  ['a field of an answer is always there', (d) => schema(d, 'TimelineEntry').required.push('seq')],
  ["an answer's field is no longer null", (d) => (field(d, 'Cancellation', 'pageCount').type = 'integer')],
  ["an answer's enumeration that may grow grows", (d) => field(d, 'TimelineEntry', 'type').enum.push('paused')],
  ["an answer's enumeration loses a value", (d) => field(d, 'Cancellation', 'state').enum.pop()],
  [
    'a header is added',
    (d) => (cancel(d).responses['200'].headers['X-New'] = { required: true, schema: { type: 'string' } }),
  ],
  [
    'texts and examples change',
    (d) => {
      cancel(d).description = 'Better words.';
      schema(d, 'ExternalId').examples = ['order-1'];
      schema(d, 'Cancellation').properties.attempts.description = 'Better words.';
    },
  ],
  ['a shared answer is written out', (d) => (list(d).responses['401'] = d.components.responses.Unauthorized)],
  ['a schema is written out', (d) => (schema(d, 'Cancellation').properties.jobId = schema(d, 'JobId'))],
  ['a version is added to', (d) => (d.info.version = '9.9.9')],
];

describe('a change breaks callers when', () => {
  it.each(breaking)('%s', (_what, edit, finding) => {
    expect(afterEdit(edit)).toEqual(expect.arrayContaining([expect.stringMatching(finding)]));
  });
});

describe('a change breaks no caller when', () => {
  it.each(additive)('%s', (_what, edit) => {
    expect(afterEdit(edit)).toEqual([]);
  });
});
