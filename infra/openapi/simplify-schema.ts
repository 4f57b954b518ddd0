import type { Schema } from './document.ts';

/** What the reference to a schema begins with. */
export const prefix = '#/components/schemas/';

/** A field that may be null gets the schema itself, not a reference: what judges changes of requests cannot judge `anyOf`. */
export function spellOutNullable(request: Schema, described: Readonly<Record<string, Schema>>): Schema {
  const properties = Object.entries(request.properties ?? {}).map(([name, { anyOf, description, ...field }]) => {
    const referred = described[anyOf?.[0]?.$ref?.slice(prefix.length) ?? ''];
    if (referred === undefined) return [name, { description, ...field }] as const;
    const both = `${String(description)} ${String(referred['description'])}`;
    return [name, { ...referred, description: both, type: [String(referred.type), 'null'] }] as const;
  });
  return { ...request, properties: Object.fromEntries(properties) };
}

/**
 * Zod's schema without what only its own parser needs: the bounds of a safe integer, a union where two types are enough,
 * a whole constant as any number.
 * An answer's objects are open: a caller that rejected unknown fields would break with the first addition.
 */
export function simplify(schema: Schema, isOpen: boolean): Schema {
  const { minimum, maximum, additionalProperties, properties, items, anyOf, ...kept } = schema;
  const alternatives = anyOf?.map((one) => simplify(one, isOpen));
  const [one, other, ...more] = alternatives ?? [];
  const isNullable = other?.type === 'null' && more.length === 0;
  if (isNullable && typeof one?.type === 'string' && one.enum === undefined)
    return { ...one, type: [one.type, 'null'] };
  return {
    ...kept,
    ...(Number.isInteger(kept.const) && { type: 'integer' }),
    ...(minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && { minimum }),
    ...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
    ...(alternatives && { anyOf: alternatives }),
    ...(items && { items: simplify(items, isOpen) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, simplify(of, isOpen)])),
    }),
    ...(additionalProperties !== undefined && !isOpen && { additionalProperties }),
  };
}

/** Schemas that a member tells apart: the name of each by its value of the member. */
export function describeUnion(
  propertyName: string,
  names: readonly (readonly [value: string, name: string])[],
): Schema {
  const mapping = Object.fromEntries(names.map(([value, name]) => [value, `${prefix}${name}`]));
  return { oneOf: Object.values(mapping).map(($ref) => ({ $ref })), discriminator: { propertyName, mapping } };
}
