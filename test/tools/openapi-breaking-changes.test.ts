import { describe, expect, test } from 'vitest';
import type { OpenApiDocument } from '../../infra/openapi/document.ts';
import { readDescription } from '../support/openapi/openapi-answers.ts';
import { findBreakingChanges, findBreakingChangesOfEach } from '../support/openapi/redocly.ts';

/** A document that a case may change as it likes. */
// oxlint-disable-next-line typescript/no-explicit-any
type Loose = any;
type Edit = (document: Loose) => unknown;

const description = readDescription();
const cancel = (document: Loose): Loose => document.paths['/v1/cancellations'].post;
const list = (document: Loose): Loose => document.paths['/v1/cancellations'].get;
const schema = (document: Loose, name: string): Loose => document.components.schemas[name];
const field = (document: Loose, name: string, of: string): Loose => schema(document, name).properties[of];
const reason = (document: Loose): Loose => field(document, 'CancelRequest', 'reason');
const parameter = (required: boolean) => ({ name: 'limit', in: 'query', required, schema: { type: 'integer' } });
function makeOptional(document: Loose, name: string, of: string): void {
  const { required } = schema(document, name);
  required.splice(required.indexOf(of), 1);
}
function replaceJson(content: Loose): void {
  content['application/cbor'] = content['application/json'];
  delete content['application/json'];
}

/** @param union the problems of a status */
function addProblem(document: Loose, union: Loose, code: string): void {
  const added = structuredClone(schema(document, 'TooManyJobsProblem'));
  added.properties.code.const = code;
  document.components.schemas['AddedProblem'] = added;
  union.oneOf.push({ $ref: '#/components/schemas/AddedProblem' });
}

const breaking: readonly (readonly [string, Edit, RegExp])[] = [
  ['a path is removed', (d) => delete d.paths['/v1/jobs/{jobId}'], /: Path `.*\/v1\/jobs\/\{jobId\}` was removed/],
  ['an operation is removed', (d) => delete d.paths['/v1/cancellations'].get, /: Operation `GET .*` was removed/],
  ['an operation gets another name', (d) => (cancel(d).operationId = 'cancelJob'), /`operationId`.*to 'cancelJob'/],
  [
    'an operation needs another scope',
    (d) => cancel(d).security[0].partnerCredential.push('jobs:write'),
    /requires new scopes: 'jobs:write'/,
  ],
  ['a parameter is removed', (d) => cancel(d).parameters.shift(), /`Idempotency-Key` header parameter was removed/],
  ['a parameter becomes required', (d) => (cancel(d).parameters[0].required = true), /`Idempotency-Key` .* required/],
  [
    'a required parameter is added',
    (d) => list(d).parameters.push(parameter(true)),
    /Required `limit` query parameter/,
  ],
  ['a parameter takes less', (d) => (schema(d, 'IdempotencyKey').pattern = '^[a-z]*$'), /parameters.*: `pattern` of/],

  ['a body is removed', (d) => delete cancel(d).requestBody, /: Request body was removed/],
  [
    'a media type is no longer taken',
    (d) => replaceJson(cancel(d).requestBody.content),
    /requestBody.*: Media type `application\/json` became/,
  ],
  [
    "a request's field is removed",
    (d) => delete schema(d, 'CancelRequest').properties.reason,
    /: Property `reason` of .* was removed/,
  ],
  [
    "a request's field becomes required",
    (d) => schema(d, 'CancelRequest').required.push('reason'),
    /: Properties of .* became required: `reason`/,
  ],
  [
    'a required field is added to a request',
    (d) => {
      schema(d, 'CancelRequest').properties.urgent = { type: 'boolean' };
      schema(d, 'CancelRequest').required.push('urgent');
    },
    /: Properties of .* became required: `urgent`/,
  ],
  ["a request's text must be shorter", (d) => (reason(d).maxLength = 100), /reason.*: `maxLength` of/],
  ["a request's text must be longer", (d) => (schema(d, 'ExternalId').minLength = 2), /: `minLength` of/],
  ["a request's text gets a bound", (d) => (reason(d).minLength = 1), /reason.*: `minLength` .* was set to/],
  [
    "a request's text gets a format",
    (d) => (field(d, 'RegisterJobRequest', 'projectId').format = 'uuid'),
    /projectId.*: `format` of/,
  ],
  [
    "a request's field gets another type",
    (d) => (reason(d).type = ['integer', 'null']),
    /reason.*: Type of .* narrowed from 'string \| null' to 'integer \| null'/,
  ],
  [
    "a request's field takes only some values",
    (d) => (reason(d).enum = ['duplicate', 'mistake']),
    /reason.*: Enum of .* was set to 'duplicate', 'mistake'/,
  ],
  ['a success is removed', (d) => delete cancel(d).responses['202'], /: Response `202` was removed/],
  ['a problem is removed', (d) => delete cancel(d).responses['409'], /: Response `409` was removed/],
  [
    'an answer is of another media type',
    (d) => replaceJson(cancel(d).responses['200'].content),
    /responses\/200.*: Media type `application\/json` became/,
  ],
  [
    'an answer may be of another media type, too',
    (d) => (cancel(d).responses['200'].content['application/cbor'] = { schema: {} }),
    /responses\/200.*: Media type was added/,
  ],
  ['a header is removed', (d) => delete cancel(d).responses['202'].headers.Location, /header `Location` was removed/],
  [
    'a header is no longer always sent',
    (d) => (d.components.headers['Retry-After'].required = false),
    /Retry-After: Header became optional/,
  ],
  [
    'a header may be anything',
    (d) => delete d.components.headers['Retry-After'].schema.pattern,
    /Retry-After.*: `pattern` was removed/,
  ],
  [
    "an answer's field is removed",
    (d) => {
      delete schema(d, 'ClosedCancellation').properties.pageCount;
      makeOptional(d, 'ClosedCancellation', 'pageCount');
    },
    /200.*: Property `pageCount` was removed/,
  ],
  [
    "an answer's optional field is removed",
    (d) => delete schema(d, 'InvalidRequestProblem').properties.errors,
    /: Property `errors`/,
  ],
  [
    "an answer's field is not always there",
    (d) => makeOptional(d, 'ClosedCancellation', 'outcome'),
    /200.*: No longer required: outcome/,
  ],
  [
    "an answer's field may be null",
    (d) => (field(d, 'ClosedCancellation', 'attempts').type = ['integer', 'null']),
    /attempts: Type widened by null/,
  ],
  [
    "an answer's reference may be null",
    (d) =>
      (schema(d, 'ClosedCancellation').properties.jobId = {
        anyOf: [field(d, 'ClosedCancellation', 'jobId'), { type: 'null' }],
      }),
    /jobId: Type widened by null/,
  ],
  [
    "an answer's whole number may have decimals",
    (d) => (field(d, 'ClosedCancellation', 'attempts').type = 'number'),
    /attempts: Type widened by number/,
  ],
  [
    "an answer's enumeration gets a value that was not announced",
    (d) => schema(d, 'Outcome').enum.push('expired'),
    /outcome: Enum gained values: expired/,
  ],
  ["an answer's enumeration becomes any text", (d) => delete schema(d, 'Outcome').enum, /outcome: Enum was removed/],
  [
    "an answer's enumeration may grow from now on",
    (d) => (schema(d, 'Outcome')['x-may-grow'] = true),
    /outcome: May grow from now on/,
  ],
  ["an answer's text loses its form", (d) => delete schema(d, 'Timestamp').pattern, /: `pattern` was removed/],
  [
    'an alternative is added that was not announced',
    (d) => {
      const added = structuredClone(schema(d, 'OpenCancellationWithTimeline'));
      added.properties.state.const = 'paused';
      d.components.schemas['Paused'] = added;
      schema(d, 'CancellationWithTimeline').oneOf.push({ $ref: '#/components/schemas/Paused' });
    },
    /state: Enum gained values: paused/,
  ],
  [
    'a problem that was described says something else',
    (d) => (field(d, 'AmbiguousExternalIdProblem', 'candidates').items.properties.jobStatus.type = 'integer'),
    /409.*jobStatus: Type widened by integer/,
  ],
  [
    'a problem has no longer what its code promises',
    (d) => makeOptional(d, 'AmbiguousExternalIdProblem', 'candidates'),
    /409.*: No longer required: candidates/,
  ],
  [
    'a field deep in an answer changes',
    (d) => (field(d, 'TimelineEntry', 'httpStatus').type = 'string'),
    /timeline\/items\/.*httpStatus: Type widened by string/,
  ],
];

const additive: readonly (readonly [string, Edit])[] = [
  ['nothing', () => undefined],
  ['an operation is added', (d) => (d.paths['/v1/cancellations'].delete = structuredClone(list(d)))],
  ['an optional parameter is added', (d) => list(d).parameters.push(parameter(false))],
  ['a parameter becomes optional', (d) => (list(d).parameters[0].required = false)],
  ['an operation needs no scope any more', (d) => (cancel(d).security[0].partnerCredential = [])],
  [
    'an optional field is added to a request',
    (d) => (schema(d, 'CancelRequest').properties.urgent = { type: 'boolean' }),
  ],
  ["a request's field becomes optional", (d) => (schema(d, 'RegisterJobRequest').required = [])],
  ["a request's text may be longer", (d) => (reason(d).maxLength = 1000)],
  [
    "a request's field may be null, too",
    (d) =>
      (schema(d, 'CancelRequest').properties.externalId = { ...schema(d, 'ExternalId'), type: ['string', 'null'] }),
  ],
  [
    'a media type is taken, too',
    (d) => (cancel(d).requestBody.content['application/cbor'] = cancel(d).requestBody.content['application/json']),
  ],
  ['a problem is added', (d) => (cancel(d).responses['410'] = structuredClone(cancel(d).responses['409']))],
  ['a problem code is added', (d) => addProblem(d, schema(d, 'Problem'), 'job_paused')],
  [
    "a problem code is added to an operation's status",
    (d) => addProblem(d, cancel(d).responses['409'].content['application/problem+json'].schema, 'job_paused'),
  ],
  [
    'a field is added to an answer',
    (d) => (schema(d, 'ClosedCancellation').properties.pagesLeft = { type: 'integer' }),
  ],
  ['a field of an answer is always there', (d) => schema(d, 'TimelineEntry').required.push('seq')],
  ["an answer's field is no longer null", (d) => (field(d, 'ClosedCancellation', 'pageCount').type = 'integer')],
  ["an answer's enumeration that may grow grows", (d) => field(d, 'TimelineEntry', 'type').enum.push('paused')],
  ["an answer's enumeration loses a value", (d) => schema(d, 'Outcome').enum.pop()],
  ["an answer's alternative is not sent any more", (d) => schema(d, 'CancellationWithTimeline').oneOf.pop()],
  [
    'a header is added',
    (d) => (cancel(d).responses['200'].headers['X-New'] = { required: true, schema: { type: 'string' } }),
  ],
  [
    'texts and examples change',
    (d) => {
      cancel(d).description = 'Better words.';
      schema(d, 'ExternalId').examples = ['order-1'];
      schema(d, 'ClosedCancellation').properties.attempts.description = 'Better words.';
    },
  ],
  ['a shared answer is written out', (d) => (list(d).responses['401'] = d.components.responses.Unauthorized)],
  ['a schema is written out', (d) => (schema(d, 'ClosedCancellation').properties.jobId = schema(d, 'JobId'))],
];

const edited = (edit: Edit): OpenApiDocument => {
  const document = structuredClone(description);
  edit(document);
  return document;
};
const cases = [...breaking, ...additive].map(([what, edit]) => ({ what, before: description, after: edited(edit) }));
const found = await findBreakingChangesOfEach(cases);
const foundWhere = (what: string) => found[cases.findIndex((one) => one.what === what)];

describe('a change breaks callers when', () => {
  test.each(breaking)('%s', (what, _edit, finding) => {
    expect(foundWhere(what)).toEqual(expect.arrayContaining([expect.stringMatching(finding)]));
  });

  test.each<[string, Edit, RegExp]>([
    ['the server moves', (d) => (d.servers[0].url = '/api'), /Server `\/` became `\/api`/],
    [
      'the credential is sent another way',
      (d) => (d.components.securitySchemes.partnerCredential.scheme = 'basic'),
      /`scheme` of security scheme `partnerCredential` changed from 'bearer' to 'basic'/,
    ],
  ])('%s', async (_what, edit, finding) => {
    const changes = await findBreakingChanges(description, edited(edit));

    expect(changes).toEqual([expect.stringMatching(finding)]);
  });
});

describe('a change breaks no caller when', () => {
  test.each(additive)('%s', (what) => {
    expect(foundWhere(what)).toEqual([]);
  });

  test('a version is added to', async () => {
    const newer = edited((d) => (d.info.version = '9.9.9'));

    const changes = await findBreakingChanges(description, newer);

    expect(changes).toEqual([]);
  });
});
