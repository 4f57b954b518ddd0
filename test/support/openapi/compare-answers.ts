import type { Operation, OpenApiDocument, Reference, Schema } from '../../../infra/openapi/document.ts';
import { answerOf } from './openapi-answers.ts';

/**
 * What of new answers, and of new bodies of callbacks, breaks a caller who reads them by the old description: each new value
 * must be one that the old schema allows. Redocly judges no `oneOf`, `anyOf`, `allOf` or `const`, which answers are made of.
 */
export function findBrokenAnswers(before: OpenApiDocument, after: OpenApiDocument): readonly string[] {
  const old = contentsOf(before);
  const compare = createComparison(before, after);
  return contentsOf(after)
    .entries()
    .flatMap(([place, schema]) => {
      const known = old.get(place);
      return known === undefined ? [] : compare(known, schema).map(({ at, what }) => `${place}${at}: ${what}`);
    })
    .toArray();
}

/** The schemas of all answers and callbacks, by their place. */
function contentsOf(document: OpenApiDocument): ReadonlyMap<string, Schema> {
  const found = new Map<string, Schema>();
  const add = (place: string, content: NonNullable<Operation['requestBody']>['content'] = {}) => {
    for (const [type, { schema }] of Object.entries(content))
      found.set(`${place}/content/${escape(type)}/schema`, schema);
  };
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      for (const [status, part] of Object.entries(responses)) {
        add(`#/paths/${escape(path)}/${method}/responses/${status}`, answerOf(document, part).content);
      }
    }
  }
  // The released description may be older than callbacks.
  for (const [type, { post }] of Object.entries(document.webhooks ?? {})) {
    add(`#/webhooks/${escape(type)}/post/requestBody`, post.requestBody?.content);
  }
  return found;
}

function escape(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}

interface Finding {
  readonly at: string;
  readonly what: string;
}
type Comparison = (old: Schema, made: Schema) => readonly Finding[];

/** Keywords that a new schema must have unchanged, where it can still be of the type that they are about. */
const unchanged: Readonly<Record<string, string>> = { pattern: 'string', format: 'string', uniqueItems: 'array' };
const least: Readonly<Record<string, string>> = { minimum: 'number', minLength: 'string', minItems: 'array' };
const most: Readonly<Record<string, string>> = { maximum: 'number', maxLength: 'string', maxItems: 'array' };
const structure = [
  'type',
  'enum',
  'const',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'oneOf',
  'anyOf',
];
const annotations = ['description', 'title', 'examples', 'default', 'discriminator', 'x-may-grow'];
const known = new Set([...structure, ...annotations, ...Object.keys({ ...unchanged, ...least, ...most })]);

function createComparison(before: OpenApiDocument, after: OpenApiDocument): Comparison {
  /** Members that some alternative of the union has: one that an alternative lacks was never promised for it. */
  type Siblings = ReadonlySet<string>;
  const members = membersOfUnions(after);

  return (old, made) => compare(old, made, '', new Set());

  function compare(oldSchema: Schema, madeSchema: Schema, at: string, siblings: Siblings): readonly Finding[] {
    const [old, made] = [resolve(before, oldSchema), resolve(after, madeSchema)];
    const say = (what: string): Finding => ({ at, what });
    const mayGrow = old['x-may-grow'] === true;
    if (!mayGrow && made['x-may-grow'] === true && ['enum', 'oneOf'].some((kind) => kind in old)) {
      return [say('May grow from now on.')];
    }
    const alternatives = made.oneOf ?? made.anyOf;
    if (alternatives !== undefined) {
      return alternatives.flatMap((one) => compare(old, one, at, members.get(one.$ref) ?? siblings));
    }
    const oldAlternatives = old.oneOf ?? old.anyOf;
    if (oldAlternatives !== undefined) {
      const results = oldAlternatives.map((one) => compare(one, made, at, siblings));
      const best = results.toSorted((a, b) => a.length - b.length)[0] ?? [];
      return best.length === 0 || (mayGrow && isNewAlternative(old, made)) ? [] : best;
    }
    return [...compareValues(old, made, say), ...compareParts(old, made, at, siblings)];
  }

  /** Whether no old alternative has this value of the member that tells them apart. */
  function isNewAlternative(old: Schema, made: Schema): boolean {
    const { propertyName = '', mapping = {} } = (old['discriminator'] ?? {}) as Readonly<Record<string, never>>;
    const value: unknown = made.properties?.[propertyName]?.const;
    return typeof value === 'string' && !Object.hasOwn(mapping, value);
  }

  function compareParts(old: Schema, made: Schema, at: string, siblings: Siblings): readonly Finding[] {
    const findings: Finding[] = [];
    const unknown = [...Object.keys(old), ...Object.keys(made)].filter((keyword) => !known.has(keyword));
    for (const keyword of unknown) findings.push({ at, what: `\`${keyword}\` is not judged.` });
    for (const [name, of] of Object.entries(old.properties ?? {})) {
      const now = made.properties?.[name];
      if (now !== undefined) findings.push(...compare(of, now, `${at}/properties/${name}`, new Set()));
      const isRequired = old.required?.includes(name) === true;
      if (now === undefined && (isRequired || !siblings.has(name))) {
        findings.push({ at, what: `Property \`${name}\` was removed.` });
      }
    }
    const optional = (old.required ?? []).filter((name) => made.required?.includes(name) !== true);
    if (optional.length > 0) findings.push({ at, what: `No longer required: ${optional.join(', ')}.` });
    if (old.items && typesOf(made).has('array')) {
      findings.push(...compare(old.items, made.items ?? {}, `${at}/items`, new Set()));
    }
    if (old.additionalProperties === false && typesOf(made).has('object')) {
      const more = Object.keys(made.properties ?? {}).filter((name) => old.properties?.[name] === undefined);
      const isClosed = made.additionalProperties === false && more.length === 0;
      if (!isClosed) findings.push({ at, what: 'Has other properties.' });
    }
    return findings;
  }
}

/** The schema that a reference leads to, with its parts of `allOf` put together. */
function resolve(document: OpenApiDocument, schema: Schema): Schema {
  const { $ref, allOf = [], ...own } = schema;
  const parts = [...($ref === undefined ? [] : [componentOf(document, { $ref })]), ...allOf];
  return parts.map((part) => resolve(document, part)).reduceRight(narrowedBy, own);
}

function componentOf({ components }: OpenApiDocument, { $ref }: Reference): Schema {
  const found = components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)];
  if (found === undefined) throw new Error(`no component has the name ${$ref}`);
  return found;
}

/** Both at once, where the second narrows the first: as `allOf` is used here. */
function narrowedBy(narrower: Schema, schema: Schema): Schema {
  const names = new Set([...Object.keys(schema.properties ?? {}), ...Object.keys(narrower.properties ?? {})]);
  const both = (name: string) => narrowedBy(narrower.properties?.[name] ?? {}, schema.properties?.[name] ?? {});
  const required = new Set([...(schema.required ?? []), ...(narrower.required ?? [])]);
  return {
    ...schema,
    ...narrower,
    ...(names.size > 0 && { properties: Object.fromEntries([...names].map((name) => [name, both(name)])) }),
    ...(required.size > 0 && { required: [...required] }),
  };
}

/** For each alternative of a component's union, by its reference: the members that it or another one has. */
function membersOfUnions(document: OpenApiDocument): ReadonlyMap<string | undefined, ReadonlySet<string>> {
  const unions = Object.values(document.components.schemas).map(({ oneOf = [] }) => oneOf);
  return new Map(
    unions.flatMap((union) => {
      const members = new Set(union.flatMap((one) => Object.keys(resolve(document, one).properties ?? {})));
      return union.map(({ $ref }) => [$ref, members] as const);
    }),
  );
}

const everyType = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];
function typesOf({ type = everyType }: Schema): ReadonlySet<string> {
  return new Set(typeof type === 'string' ? [type] : type);
}

/** The values of an enumeration, or the one constant. @returns undefined where any value may come */
function valuesOf(schema: Schema): readonly unknown[] | undefined {
  if ('const' in schema) return [schema.const];
  return schema.enum ?? (schema.type === 'null' ? [null] : undefined);
}

function compareValues(old: Schema, made: Schema, say: (what: string) => Finding): readonly Finding[] {
  const findings: Finding[] = [];
  const [oldTypes, types] = [typesOf(old), typesOf(made)];
  const isTaken = (type: string) => oldTypes.has(type) || (type === 'integer' && oldTypes.has('number'));
  const more = [...types].filter((type) => !isTaken(type));
  if (more.length > 0) findings.push(say(`Type widened by ${more.join(', ')}.`));
  const [oldValues, values] = [valuesOf(old), valuesOf(made)];
  if (oldValues !== undefined && values === undefined) findings.push(say('Enum was removed.'));
  const gained = (values ?? []).filter((value) => oldValues?.includes(value) === false);
  if (gained.length > 0 && old['x-may-grow'] !== true) findings.push(say(`Enum gained values: ${gained.join(', ')}.`));
  const areListed = oldValues !== undefined && values !== undefined;
  const isAbout = (type: string) => types.has(type) || (type === 'number' && types.has('integer'));
  const judge = (keywords: Readonly<Record<string, string>>, isKept: (was: unknown, is: unknown) => boolean) => {
    for (const [keyword, type] of Object.entries(keywords)) {
      const [was, is] = [old[keyword], made[keyword]];
      if (was === undefined || areListed || !isAbout(type) || isKept(was, is)) continue;
      findings.push(say(`\`${keyword}\` ${is === undefined ? 'was removed' : 'changed'}.`));
    }
  };
  judge(unchanged, (was, is) => was === is);
  judge(least, (was, is) => Number(is) >= Number(was));
  judge(most, (was, is) => Number(is) <= Number(was));
  return findings;
}
