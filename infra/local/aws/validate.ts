import * as z from 'zod/mini';

export type Validated<Value> =
  | { readonly valid: true; readonly value: Value }
  /** In words, for whoever sent it. */
  | { readonly valid: false; readonly message: string };

/** Validates what came in from outside, and says in English what is wrong (zod/mini alone says "Invalid input"). */
export const validate = <Value>(schema: z.ZodMiniType<Value>, value: unknown): Validated<Value> => {
  const result = schema.safeParse(value, { error: z.locales.en().localeError });
  return result.success
    ? { valid: true, value: result.data }
    : { valid: false, message: z.prettifyError(result.error) };
};
