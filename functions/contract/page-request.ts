import * as z from 'zod/mini';
import { externalIdSchema } from '../core/identifiers.ts';

// Apart from the other requests, because only the function that reads has a use for it.

/** How many jobs a page covers; in a query, so it is text. */
export const pageLimitSchema = z.pipe(
  z.string().check(z.regex(/^([1-9]|1[0-9]|20)$/, 'must be a whole number from 1 to 20')),
  z.pipe(z.transform(Number), z.int().check(z.gte(1), z.lte(20))),
);

export const wrongCursor = 'must be the nextCursor of an earlier page of this externalId, unchanged';
/** Where a page begins. Its content is the service's own: at most a sort key of 1,024 bytes, of a malformed entry too. */
export const cursorSchema = z.string().check(z.regex(/^[A-Za-z0-9_-]{1,1400}$/, wrongCursor));

/** `GET /v1/cancellations?externalId=` */
export const readByExternalIdSchema = z.strictObject({
  externalId: externalIdSchema,
  limit: z.optional(pageLimitSchema),
  cursor: z.optional(cursorSchema),
});
