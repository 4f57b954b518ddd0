import * as z from 'zod/mini';
import { jobIdSchema, partnerIdSchema, timestampSchema } from '../identifiers.ts';
import { FORMAT } from './commitment.ts';

/** The most records that one `erased` record names. */
export const ERASED_AT_ONCE = 100;

/**
 * Texts were erased from records of the same partition: kept beside them, written before the erasure begins, and without
 * any text. A repeat after a crash writes another one, for the records that still had their texts.
 */
export const erasedSchema = z.object({
  type: z.literal('erased'),
  format: z.literal(FORMAT),
  partnerId: partnerIdSchema,
  /** Of the stream that it is beside; else `day`, of the refused requests that it is beside. */
  jobId: z.optional(jobIdSchema),
  day: z.optional(z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/))),
  at: timestampSchema,
  /** The same in every partition that one command erases from. */
  erasureId: z.string().check(z.regex(/^[\w-]{1,64}$/)),
  /** 1, 2, 3 …: of this erasure in this partition. */
  part: z.int().check(z.positive()),
  /** The principal: an ARN. */
  by: z.string().check(z.minLength(1), z.maxLength(2_048)),
  /** Why, as a code of the operator's: no text about a person. */
  reasonCode: z.string().check(z.regex(/^[a-z0-9][a-z0-9_-]{0,63}$/)),
  /** How many records lose their texts. */
  records: z.int().check(z.positive()),
  /** The sort keys of those records. */
  keys: z.array(z.string()).check(z.minLength(1), z.maxLength(ERASED_AT_ONCE)),
});
export type ErasedRecord = z.infer<typeof erasedSchema>;
