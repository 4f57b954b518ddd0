import * as z from 'zod/mini';
import { externalIdSchema, jobIdSchema, projectIdSchema, reasonSchema } from '../core/identifiers.ts';

/**
 * Every request of the HTTPS door; the `detail` of an event is the same. A field of Plangrep has Plangrep's name. Answers
 * are in `answers.ts`, because the functions check only requests at run time.
 */

const anObject = { error: 'must be a JSON object' };

/** A field that may be left out. `null` leaves it out too: many callers' serializers write it for "no value". */
function optional<Schema extends z.ZodMiniType>(schema: Schema) {
  return z.pipe(
    z.optional(z.nullable(schema)),
    z.transform((value): z.output<Schema> | undefined => value ?? undefined),
  );
}

/** `POST /v1/cancellations` */
export const cancelRequestSchema = z.strictObject(
  { externalId: externalIdSchema, jobId: optional(jobIdSchema), reason: optional(reasonSchema) },
  anObject,
);

/** The path of `GET /v1/cancellations/{jobId}` and `PUT /v1/jobs/{jobId}` */
export const jobPathSchema = z.strictObject({ jobId: jobIdSchema }, anObject);

const registration = { externalId: externalIdSchema, projectId: optional(projectIdSchema) };
/** `PUT /v1/jobs/{jobId}` */
export const registerJobSchema = z.strictObject(registration, anObject);

/** `Job Registered`: an event has no path, so its `detail` has the jobId. */
export const registerJobEventSchema = z.strictObject({ jobId: jobIdSchema, ...registration }, anObject);

/** `Idempotency-Key`: printable ASCII (draft-ietf-httpapi-idempotency-key-header leaves the form to the service). */
export const idempotencyKeySchema = z
  .string()
  .check(z.regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters, sent once'));

/**
 * The most that `Prefer: wait=N` waits for the end of a cancellation. The function has 15 s: its last look begins after 8 s, and
 * its calls to Plangrep end after 10 s, so the answer comes in time.
 */
export const LONGEST_WAIT_SECONDS = 10;
