import type * as z from 'zod/mini';
import type { Schema } from './document.ts';

/** A schema of the description, with what Zod does not know of it. */
export interface Component {
  readonly schema: z.ZodMiniType;
  readonly description: string;
  /** Examples, and keywords in place of what Zod makes of a check that JSON Schema cannot express. */
  readonly keywords?: Schema;
  /** A text for each field. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Fields whose enumerations may get more values. */
  readonly growing?: readonly string[];
  /** The member that tells the alternatives of a union apart: each has it as a constant. */
  readonly discriminator?: string;
}

/** A request or an answer. The compiler holds `fields` to the schema: a text for each field, and none too many. */
export function message<Shape extends z.core.$ZodShape>(
  schema: z.ZodMiniObject<Shape>,
  description: string,
  fields: { readonly [Field in keyof Shape]: string },
  growing: readonly (keyof Shape & string)[] = [],
): Component {
  return { schema, description, fields, growing };
}

/** Messages that one member tells apart. @param mayGrow whether others may be added */
export function union(schema: z.ZodMiniType, discriminator: string, description: string, mayGrow = false): Component {
  return { schema, description, discriminator, ...(mayGrow && { keywords: { 'x-may-grow': true } }) };
}
