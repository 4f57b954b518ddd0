import { describe, expect, test } from 'vitest';
import type { OpenApiDocument, Schema } from '../../infra/openapi/document.ts';
import { readDescription } from '../support/openapi/openapi-answers.ts';
import { findBreakingChangesOfEach } from '../support/openapi/redocly.ts';

const description = readDescription();
const { schemas } = description.components;

const text: Schema = { type: 'string' };
const whole: Schema = { type: 'integer' };
const open: Schema = { type: 'object', properties: { a: text } };
const closed: Schema = { ...open, additionalProperties: false };
const more: Schema = { ...open, properties: { a: text, b: text } };
const jobId: Schema = { $ref: '#/components/schemas/JobId' };
const small: Schema = { type: 'integer', minimum: 1, maximum: 5 };
const states: Schema = { type: 'string', enum: ['open', 'closed'] };
const moreStates: Schema = { type: 'string', enum: ['open', 'closed', 'paused'] };
const grows = (schema: Schema): Schema => ({ ...schema, 'x-may-grow': true });

type Pair = readonly [string, Schema, Schema];

/** Two schemas of which the first takes more: a request may go from the second to the first, an answer the other way. */
const widerThan: readonly Pair[] = [
  ['a number and a whole number', { type: 'number' }, whole],
  ['two types and one', { type: ['string', 'null'] }, text],
  ['any text and a reference to a text of a form', text, jobId],
  ['a type and that type with a list of values', text, { type: 'string', enum: ['a'] }],
  ['two values and one', { enum: ['a', 'b'] }, { enum: ['a'] }],
  ['wider and narrower bounds', { type: 'integer', minimum: 0, maximum: 9 }, small],
  ['no bounds and bounds', whole, small],
  ['an optional and a required field', open, { ...open, required: ['a'] }],
  ['an open and a closed object', open, closed],
  ['a list of anything and a list of texts', { type: 'array', items: {} }, { type: 'array', items: text }],
  ['a list and a list of some length', { type: 'array', items: text }, { type: 'array', items: text, maxItems: 3 }],
];

const same: readonly Pair[] = [
  ['a reference and what it leads to', jobId, schemas['JobId'] ?? {}],
  ['texts about it', { ...text, description: 'old' }, { ...text, description: 'new', examples: ['a'] }],
];

/** The same by other words, or more by one word: what Redocly cannot judge of a request. */
const unjudged: readonly Pair[] = [
  ['another pattern', { ...text, pattern: '^a' }, { ...text, pattern: '^b' }],
  ['another type', text, whole],
  ['another of what is excluded', { ...text, not: { const: 'a' } }, { ...text, not: { const: 'b' } }],
];
/** The first takes more, or both take the same; of requests neither is judged. */
const composed: readonly (readonly [...Pair, 'more' | 'same'])[] = [
  ['any of two and one', { anyOf: [text, whole] }, whole, 'more'],
  ['one of two and one', { oneOf: [text, whole] }, text, 'more'],
  ['a reference or null, and the reference', { anyOf: [jobId, { type: 'null' }] }, jobId, 'more'],
  ['a reference or null, and null', { anyOf: [jobId, { type: 'null' }] }, { type: 'null' }, 'more'],
  ['one part and both', open, { allOf: [open, { properties: { a: { enum: ['x'] } } }] }, 'more'],
  [
    'parts and their whole',
    { allOf: [{ type: 'object', properties: { a: text } }, { required: ['a'] }] },
    { ...open, required: ['a'] },
    'same',
  ],
  ['a constant and a list of one', { const: 'a' }, { enum: ['a'] }, 'same'],
  ['a list of values and one of one constant each', states, { oneOf: [{ ...text, const: 'open' }] }, 'more'],
];

type Side = 'request' | 'answer';
type Change = readonly [string, Side, Schema, Schema];

const allowed: readonly Change[] = [
  ...widerThan.flatMap(([what, wide, narrow]): Change[] => [
    [`${what}: to the wider`, 'request', narrow, wide],
    [`${what}: to the narrower`, 'answer', wide, narrow],
  ]),
  ...same.flatMap(([what, one, other]): Change[] => [
    [what, 'request', one, other],
    [`${what}, the other way round`, 'request', other, one],
    [what, 'answer', one, other],
    [`${what}, the other way round`, 'answer', other, one],
  ]),
  ...composed.flatMap(([what, one, other, takes]): Change[] => [
    [what, 'answer', one, other],
    ...(takes === 'same' ? [[`${what}, the other way round`, 'answer', other, one] as const] : []),
  ]),
  ['a field is added to an open object', 'answer', open, more],
  ['a field is added to a closed object', 'request', closed, { ...more, additionalProperties: false }],
  ['an enumeration gets a value that was announced', 'answer', grows(states), grows(moreStates)],
];

const refused: readonly Change[] = [
  ...widerThan.flatMap(([what, wide, narrow]): Change[] => [
    [`${what}: to the narrower`, 'request', wide, narrow],
    [`${what}: to the wider`, 'answer', narrow, wide],
  ]),
  ...unjudged.flatMap(([what, one, other]): Change[] => [
    [what, 'request', one, other],
    [`${what}, the other way round`, 'request', other, one],
    [what, 'answer', one, other],
    [`${what}, the other way round`, 'answer', other, one],
  ]),
  ...composed.flatMap(([what, one, other, takes]): Change[] => [
    [what, 'request', one, other],
    [`${what}, the other way round`, 'request', other, one],
    ...(takes === 'more' ? [[`${what}, the other way round`, 'answer', other, one] as const] : []),
  ]),
  ['a field is added to a closed object', 'answer', closed, { ...more, additionalProperties: false }],
  ['a required field is added', 'request', open, { ...more, required: ['b'] }],
  ['a field is taken away again', 'answer', more, open],
  ['a field of a closed object is taken away again', 'request', { ...more, additionalProperties: false }, closed],
  ['an enumeration gets a value that was not announced', 'answer', states, moreStates],
  ['an enumeration that may grow gets another type', 'answer', grows(states), whole],
];

/** The description with one operation alone, which takes or answers this. */
const withSchema = (side: Side, schema: Schema): OpenApiDocument => {
  const content = { 'application/json': { schema, examples: {} } };
  const operation = {
    operationId: 'operation',
    tags: [],
    summary: '',
    description: '',
    security: [],
    ...(side === 'request' && { requestBody: { required: true, description: '', content } }),
    responses: { 200: { description: '', headers: {}, content: side === 'answer' ? content : {} } },
  };
  return { ...description, paths: { '/': { post: operation } } };
};
const changes = [...allowed, ...refused];
const found = await findBreakingChangesOfEach(
  changes.map(([, side, before, after]) => ({ before: withSchema(side, before), after: withSchema(side, after) })),
);

describe('a schema may change:', () => {
  test.each(allowed.map((change) => ({ what: change[0], side: change[1], change })))('$side, $what', ({ change }) => {
    expect(found[changes.indexOf(change)]).toEqual([]);
  });
});

describe('a change of a schema breaks callers:', () => {
  test.each(refused.map((change) => ({ what: change[0], side: change[1], change })))('$side, $what', ({ change }) => {
    expect(found[changes.indexOf(change)]).not.toEqual([]);
  });
});
