import * as z from 'zod/mini';
import { foreignTimestampSchema, jobIdSchema, projectIdSchema } from '../../core/identifiers.ts';
import type { PlangrepJob } from '../../core/plangrep.ts';

/**
 * A value that is absent, null or of another shape than documented counts as absent. `z.catch` would do the same, but
 * keep 8 KB of otherwise unused zod in every bundle.
 */
export function lenient<Schema extends z.core.$ZodType>(schema: Schema) {
  return z.pipe(
    z.optional(z.unknown()),
    z.transform((value): z.infer<Schema> | undefined => z.safeParse(schema, value).data),
  );
}
const count = z.int().check(z.nonnegative());

/** Only "none" counts as none: a value that no externalId can equal must not let the job pass for one without a name. */
const jobsExternalId = z.pipe(
  z.optional(z.unknown()),
  z.transform((value) => (typeof value === 'string' ? value : value === undefined || value === null ? undefined : '')),
);

/** A status that is not documented is kept as it is, unless it could not be shown or be on record. */
const statusSchema = z.string().check(z.regex(/^\P{C}+$/u), z.maxLength(64));

/** Without these two a job cannot be asked about, nor is anything known of it. */
export const addressableSchema = z.object({ id: jobIdSchema, status: statusSchema });

/**
 * A job as Plangrep's API reference documents it (Jobs), reduced to what this service may know: `files` and `resultUrl`
 * are never read. Lenient, because some documented examples show a short job: only `id` and `status` are required.
 */
export const jobSchema = z.pipe(
  z.object({
    id: jobIdSchema,
    status: statusSchema,
    externalId: jobsExternalId,
    projectId: lenient(projectIdSchema),
    pageCount: lenient(count),
    successfulPageCount: lenient(count),
    billing: lenient(z.object({ creditsDebited: lenient(z.number().check(z.nonnegative())) })),
    createdAt: lenient(foreignTimestampSchema),
    updatedAt: lenient(foreignTimestampSchema),
    completedAt: lenient(foreignTimestampSchema),
    expiresAt: lenient(foreignTimestampSchema),
  }),
  z.transform(({ billing, ...job }): PlangrepJob => ({ ...job, creditsDebited: billing?.creditsDebited })),
);
