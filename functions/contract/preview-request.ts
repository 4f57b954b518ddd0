import * as z from 'zod/mini';
import { externalIdSchema } from '../core/identifiers.ts';

// Apart from the other requests, because only the function that cancels has a use for it.

/** A preview's externalIds: what fits into a body whatever their characters are, and into one request's time. */
export const MOST_PREVIEWED = 10;

/** `POST /v1/cancellation-previews` */
export const previewRequestSchema = z.strictObject(
  {
    externalIds: z
      .array(externalIdSchema, { error: 'must be a list' })
      .check(
        z.minLength(1, 'must have at least one item'),
        z.maxLength(MOST_PREVIEWED, `must have at most ${MOST_PREVIEWED} items`),
      ),
  },
  { error: 'must be a JSON object' },
);
