import { listOf, type Part, partOf, partsOf, textOf } from './openapi-document.ts';

/** A field of a body, as a reader needs it. */
export interface Field {
  readonly name: string;
  /** In words: `string or null`. */
  readonly type: string;
  readonly isRequired: boolean;
  /** Markdown. */
  readonly text: string;
  readonly fields: readonly Field[];
}

/** Deeper fields are left to the description itself. */
const DEPTH = 3;

/** The fields of an object. Where it is one of several, a field is required if each of them has it so. */
export function fieldsOf(schema: Part, depth = DEPTH): readonly Field[] {
  if (depth === 0) return [];
  const variants = variantsOf(schema);
  const own = partsOf(schema['properties']).map(([name, field]) => readField(name, field, isIn(schema, name), depth));
  const always = listOf(schema['allOf']).flatMap((part) => fieldsOf(part, depth));
  const either = variants.map((part) => fieldsOf(part, depth));
  const inEach = (name: string): boolean =>
    either.every((fields) => fields.some((one) => one.name === name && one.isRequired));
  const varied = either.flat().map((field) => ({ ...field, isRequired: inEach(field.name) }));
  return mergeByName([...own, ...always, ...varied]);
}

const isIn = ({ required }: Part, name: string): boolean => Array.isArray(required) && required.includes(name);

const variantsOf = (schema: Part): readonly Part[] =>
  [...listOf(schema['oneOf']), ...listOf(schema['anyOf'])].filter(({ type }) => type !== 'null');

/** Where variants say different things of a field, its types are joined and its first text counts. */
function mergeByName(fields: readonly Field[]): readonly Field[] {
  const merged = new Map<string, Field>();
  for (const field of fields) {
    const known = merged.get(field.name);
    if (known === undefined) merged.set(field.name, field);
    else {
      merged.set(field.name, {
        ...known,
        type: joinTypes([known.type, field.type]),
        text: known.text || field.text,
        isRequired: known.isRequired || field.isRequired,
        fields: mergeByName([...known.fields, ...field.fields]),
      });
    }
  }
  return [...merged.values()];
}

function readField(name: string, schema: Part, isRequired: boolean, depth: number): Field {
  const isList = schema['items'] !== undefined;
  const fields = fieldsOf(isList ? partOf(schema['items']) : schema, depth - 1);
  return { name, type: typeOf(schema), isRequired, text: textOf(schema['description']), fields };
}

/** A schema's type in words. */
export function typeOf(schema: Part): string {
  if (schema['const'] !== undefined) return JSON.stringify(schema['const']);
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' or ');
  const options = [...listOf(schema['oneOf']), ...listOf(schema['anyOf'])];
  if (options.length > 0) return joinTypes(options.map(typeOf));
  if (schema['items'] !== undefined) return `list of ${typeOf(partOf(schema['items']))}`;
  const types = [schema['type']].flat().filter((type) => typeof type === 'string');
  return types.join(' or ') || 'object';
}

function joinTypes(types: readonly string[]): string {
  return [...new Set(types.flatMap((type) => type.split(' or ')))].join(' or ');
}

/** The problems' codes that a schema allows: those of each of its variants, and of its parts those that all of them allow. */
export function codesOf(schema: Part): readonly string[] {
  const { const: constant, enum: values } = partOf(partOf(schema['properties'])['code']);
  const own = [constant, values].flat().filter((value) => typeof value === 'string');
  const variants = [...listOf(schema['oneOf']), ...listOf(schema['anyOf'])].flatMap(codesOf);
  const sets = [own, variants, ...listOf(schema['allOf']).map(codesOf)].filter((codes) => codes.length > 0);
  return [...new Set(sets.flat())].filter((code) => sets.every((codes) => codes.includes(code)));
}
