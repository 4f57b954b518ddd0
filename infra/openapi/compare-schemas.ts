import { isDeepStrictEqual } from 'node:util';
import { type OpenApiDocument, type Schema, schemaOf } from './document.ts';

/** Who writes what the schema describes: the caller, or the service. */
export type Side = 'request' | 'answer';

/** A schema with the document that its references lead into. */
export interface Placed {
  readonly document: OpenApiDocument;
  readonly schema: Schema;
}

/**
 * What of a changed schema breaks a caller, one line each. A request that was taken must still be taken; an answer must
 * still be one that was promised, but for new fields of open objects and new values of enumerations that may grow. What
 * cannot be judged, such as another pattern, counts as breaking.
 */
export const compareSchemas = (side: Side, before: Placed, after: Placed, where: string): readonly string[] =>
  side === 'request' ? beyond(side, after, before, where) : beyond(side, before, after, where);

/** Where `inner` has values that `outer` has not; nothing when all of its values are `outer`'s, too. */
const beyond = (side: Side, outer: Placed, inner: Placed, where: string): readonly string[] => {
  const outerOnes = alternativesOf(outer);
  return alternativesOf(inner).flatMap((innerOne) => {
    const sameType = outerOnes.filter(({ type }) => type === innerOne.type);
    const candidates = sameType.length > 0 ? sameType : outerOnes;
    const findings = candidates.map((outerOne) =>
      beyondOne(
        side,
        { document: outer.document, schema: outerOne },
        { document: inner.document, schema: innerOne },
        where,
      ),
    );
    return findings.toSorted((one, other) => one.length - other.length)[0] ?? [`${where}: is something else now`];
  });
};

/** One schema for each type that a value may have, without references, `allOf`, `anyOf` and `oneOf`. */
const alternativesOf = ({ document, schema }: Placed): readonly Schema[] => {
  const { allOf = [], anyOf, oneOf, ...own } = schemaOf(document, schema);
  const among = (ones: readonly Schema[]) => ones.flatMap((one) => alternativesOf({ document, schema: one }));
  const types: readonly (string | undefined)[] = [own.type].flat();
  return [...allOf.map((part) => [part]), anyOf, oneOf]
    .filter((choice) => choice !== undefined)
    .map(among)
    .reduce<readonly Schema[]>(
      (all, choice) => all.flatMap((one) => choice.flatMap((other) => merge(one, other))),
      types.map((type) => (type === undefined ? own : { ...own, type })),
    );
};

/** What is both; nothing when that cannot be. */
const merge = (one: Schema, other: Schema): readonly Schema[] => {
  const type = one.type === 'integer' && other.type === 'number' ? 'integer' : (other.type ?? one.type);
  if (one.type !== undefined && type !== one.type && !(one.type === 'number' && type === 'integer')) return [];
  const names = new Set([...Object.keys(one.properties ?? {}), ...Object.keys(other.properties ?? {})]);
  const properties = [...names].map((name): [string, Schema] => {
    const parts = [one.properties?.[name], other.properties?.[name]].filter((part) => part !== undefined);
    return [name, parts.length === 1 ? { ...parts[0] } : { allOf: parts }];
  });
  const values = (schema: Schema) => (schema.const === undefined ? schema.enum : [schema.const]);
  const [ones, others] = [values(one), values(other)];
  const shared = ones && others ? ones.filter((value) => others.includes(value)) : (ones ?? others);
  const { const: _, ...rest } = { ...one, ...other };
  const merged = {
    ...rest,
    ...(type !== undefined && { type }),
    ...(names.size > 0 && { properties: Object.fromEntries(properties) }),
    ...(shared && { enum: shared }),
    ...((one.required ?? other.required) && { required: [...(one.required ?? []), ...(other.required ?? [])] }),
  };
  return [merged];
};

const lowerBounds = new Set(['minLength', 'minItems', 'minProperties', 'minimum', 'exclusiveMinimum']);
const upperBounds = new Set(['maxLength', 'maxItems', 'maxProperties', 'maximum', 'exclusiveMaximum']);
const annotations = ['title', 'description', 'examples', 'example', 'default', 'deprecated', 'x-may-grow'];
const comparedApart = ['type', 'enum', 'const', 'properties', 'required', 'additionalProperties', 'items'];
const skipped = new Set([...annotations, ...comparedApart]);

const beyondOne = (side: Side, outer: Placed, inner: Placed, where: string): readonly string[] => [
  ...beyondValues(side, outer.schema, inner.schema, where),
  ...beyondFields(side, outer, inner, where),
  ...beyondItems(side, outer, inner, where),
];

const beyondValues = (side: Side, outer: Schema, inner: Schema, where: string): readonly string[] => {
  const said: string[] = [];
  const isSameType = outer.type === undefined || outer.type === inner.type;
  if (!isSameType && !(outer.type === 'number' && inner.type === 'integer')) {
    const [before, after] = side === 'request' ? [inner, outer] : [outer, inner];
    said.push(`${where}: is ${String(after.type)} now, not ${String(before.type)}`);
  }
  const [outers, inners] = [outer, inner].map((schema) => (schema.const === undefined ? schema.enum : [schema.const]));
  const mayGrow = side === 'answer' && outer['x-may-grow'] === true;
  if (outers !== undefined && !mayGrow) {
    const more = inners?.filter((value) => !outers.includes(value)) ?? ['any'];
    const end = side === 'request' ? 'is no longer taken' : 'is a new value';
    said.push(...more.map((value) => `${where}: ${String(value)} ${end}`));
    if (side === 'answer' && inner['x-may-grow'] === true) said.push(`${where}: may grow from now on`);
  }
  for (const [keyword, limit] of Object.entries(outer)) {
    if (skipped.has(keyword)) continue;
    const given = inner[keyword];
    const areNumbers = typeof limit === 'number' && typeof given === 'number';
    const isWithin =
      (areNumbers && lowerBounds.has(keyword) && given >= limit) ||
      (areNumbers && upperBounds.has(keyword) && given <= limit) ||
      isDeepStrictEqual(given, limit);
    if (!isWithin) said.push(`${where}: ${keyword} is ${side === 'request' ? 'stricter' : 'looser'}, or another`);
  }
  return said;
};

const beyondFields = (side: Side, outer: Placed, inner: Placed, where: string): readonly string[] => {
  const { properties: outers = {}, required = [], additionalProperties } = outer.schema;
  const { properties: inners = {} } = inner.schema;
  const isClosed = additionalProperties !== undefined && additionalProperties !== true;
  const [before, after] = side === 'request' ? [inners, outers] : [outers, inners];
  return [
    ...Object.keys(before)
      .filter((name) => !Object.hasOwn(after, name))
      .map((name) => `${where}.${name}: is removed`),
    ...required
      .filter(
        (name) => !(inner.schema.required ?? []).includes(name) && (side === 'request' || Object.hasOwn(inners, name)),
      )
      .map((name) => `${where}.${name}: is ${side === 'request' ? 'required now' : 'no longer always there'}`),
    ...(isClosed && !isDeepStrictEqual(inner.schema.additionalProperties, additionalProperties)
      ? [`${where}: unknown fields are ${side === 'request' ? 'refused now' : 'possible now'}`]
      : []),
    ...(isClosed && side === 'answer'
      ? Object.keys(inners)
          .filter((name) => !Object.hasOwn(outers, name))
          .map((name) => `${where}.${name}: is new in a closed object`)
      : []),
    ...Object.entries(outers).flatMap(([name, schema]) => {
      const its = inners[name];
      return its === undefined ? [] : beyond(side, { ...outer, schema }, { ...inner, schema: its }, `${where}.${name}`);
    }),
  ];
};

const beyondItems = (side: Side, outer: Placed, inner: Placed, where: string): readonly string[] => {
  const { items } = outer.schema;
  if (items === undefined) return [];
  return beyond(side, { ...outer, schema: items }, { ...inner, schema: inner.schema.items ?? {} }, `${where}[]`);
};
