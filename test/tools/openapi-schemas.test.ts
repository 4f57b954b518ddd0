import { describe, expect, it } from 'vitest';
import { compareSchemas, type Side } from '../../infra/openapi/compare-schemas.ts';
import type { Schema } from '../../infra/openapi/document.ts';
import { readDescription } from '../support/openapi-answers.ts';

const document = readDescription();
const compare = (side: Side, before: Schema, after: Schema) =>
  compareSchemas(side, { document, schema: before }, { document, schema: after }, 'it');

const text: Schema = { type: 'string' };
const whole: Schema = { type: 'integer' };
const open: Schema = { type: 'object', properties: { a: text } };
const closed: Schema = { ...open, additionalProperties: false };
const jobId: Schema = { $ref: '#/components/schemas/JobId' };
const small: Schema = { type: 'integer', minimum: 1, maximum: 5 };

/** Two schemas of which the first takes more: a request may go from the second to the first, an answer the other way. */
const widerThan: readonly (readonly [string, Schema, Schema])[] = [
  ['a number and a whole number', { type: 'number' }, whole],
  ['two types and one', { type: ['string', 'null'] }, text],
  ['any of two and one', { anyOf: [text, whole] }, whole],
  ['one of two and one', { oneOf: [text, whole] }, text],
  ['a reference or null, and the reference', { anyOf: [jobId, { type: 'null' }] }, jobId],
  ['any text and a reference to a text of a form', text, jobId],
  ['a type and that type with a list of values', text, { type: 'string', enum: ['a'] }],
  ['two values and one', { enum: ['a', 'b'] }, { const: 'a' }],
  ['wider and narrower bounds', { type: 'integer', minimum: 0, maximum: 9 }, small],
  ['no bounds and bounds', whole, small],
  ['an optional and a required field', open, { ...open, required: ['a'] }],
  ['an open and a closed object', open, closed],
  ['a list of anything and a list of texts', { type: 'array', items: {} }, { type: 'array', items: text }],
  ['a list and a list of some length', { type: 'array', items: text }, { type: 'array', items: text, maxItems: 3 }],
  ['one part and both', open, { allOf: [open, { properties: { a: { enum: ['x'] } } }] }],
];

describe('of two schemas, the one that takes more:', () => {
  it.each(widerThan)('%s', (_what, wide, narrow) => {
    expect(compare('request', narrow, wide)).toEqual([]);
    expect(compare('answer', wide, narrow)).toEqual([]);
    expect(compare('request', wide, narrow)).not.toEqual([]);
    expect(compare('answer', narrow, wide)).not.toEqual([]);
  });
});

it.each<[string, Schema, Schema]>([
  ['a reference and what it leads to', jobId, document.components.schemas['JobId'] ?? {}],
  [
    'parts and their whole',
    { allOf: [{ type: 'object', properties: { a: text } }, { required: ['a'] }] },
    { ...open, required: ['a'] },
  ],
  ['a constant and a list of one', { const: 'a' }, { enum: ['a'] }],
  ['texts about it', { ...text, description: 'old' }, { ...text, description: 'new', examples: ['a'] }],
])('the same by other words is no change: %s', (_what, one, other) => {
  for (const side of ['request', 'answer'] as const) {
    expect(compare(side, one, other)).toEqual([]);
    expect(compare(side, other, one)).toEqual([]);
  }
});

it.each<[string, Schema, Schema]>([
  ['another pattern', { ...text, pattern: '^a' }, { ...text, pattern: '^b' }],
  ['another type', text, whole],
  ['a keyword that is not known here', { ...text, not: { const: 'a' } }, { ...text, not: { const: 'b' } }],
])('what cannot be judged breaks both ways: %s', (_what, one, other) => {
  for (const side of ['request', 'answer'] as const) {
    expect(compare(side, one, other)).not.toEqual([]);
    expect(compare(side, other, one)).not.toEqual([]);
  }
});

describe('a field that is added', () => {
  const more: Schema = { ...open, properties: { a: text, b: text } };

  it('may be in an answer, unless that was closed', () => {
    expect(compare('answer', open, more)).toEqual([]);
    expect(compare('answer', closed, { ...more, additionalProperties: false })).toEqual([
      'it.b: is new in a closed object',
    ]);
  });

  it('may be in a request, unless it is required', () => {
    expect(compare('request', closed, { ...more, additionalProperties: false })).toEqual([]);
    expect(compare('request', open, { ...more, required: ['b'] })).toEqual(['it.b: is required now']);
  });

  it('may not be taken away again', () => {
    expect(compare('answer', more, open)).toEqual(['it.b: is removed']);
    expect(compare('request', more, open)).toEqual(['it.b: is removed']);
  });
});

describe('an enumeration of an answer', () => {
  const states: Schema = { type: 'string', enum: ['open', 'closed'] };
  const more: Schema = { type: 'string', enum: ['open', 'closed', 'paused'] };

  it('gets a value only if that was announced', () => {
    expect(compare('answer', states, more)).toEqual(['it: paused is a new value']);
    expect(compare('answer', { ...states, 'x-may-grow': true }, { ...more, 'x-may-grow': true })).toEqual([]);
  });

  it('keeps its type, announced or not', () => {
    expect(compare('answer', { ...states, 'x-may-grow': true }, whole)).toEqual(['it: is integer now, not string']);
  });
});
