import * as z from 'zod/mini';
import { externalIdSchema, jobIdSchema, projectIdSchema } from '../../core/identifiers.ts';
import type { PlangrepJob } from '../../core/ports.ts';

/**
 * Absent, null, or of another shape than documented: all the same to this service. Not by `z.catch`, which alone would
 * keep 8 KB of zod in every bundle that nothing calls.
 */
const lenient = <Schema extends z.core.$ZodType>(schema: Schema) =>
  z.pipe(
    z.optional(z.unknown()),
    z.transform((value): z.infer<Schema> | undefined => z.safeParse(schema, value).data),
  );
const count = z.int().check(z.nonnegative());

/**
 * A job as Plangrep's API reference documents it (Jobs), cut to what this service may know: `files` and `resultUrl` are
 * never read. Lenient, since some documented examples show a short job: only `id` and `status` are required.
 */
const jobSchema = z.object({
  id: jobIdSchema,
  status: z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  externalId: lenient(externalIdSchema),
  projectId: lenient(projectIdSchema),
  pageCount: lenient(count),
  successfulPageCount: lenient(count),
  billing: lenient(z.object({ creditsDebited: lenient(z.number().check(z.nonnegative())) })),
  createdAt: lenient(z.iso.datetime({ offset: true })),
});
const oneJobSchema = z.object({ job: jobSchema });
const jobListSchema = z.object({ jobs: z.array(jobSchema) });

const codeSchema = z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,64}$/));
const errorSchema = z.object({
  code: lenient(codeSchema),
  error: lenient(z.object({ code: lenient(codeSchema) })),
});

/** The job in `{"job": Job}`; undefined if there is none. */
export const parseJob = (content: unknown): PlangrepJob | undefined => {
  const { data } = oneJobSchema.safeParse(content);
  return data && toPlangrepJob(data.job);
};

/**
 * The jobs in `{"jobs": Job[]}`; undefined if a single one cannot be read: a list with a hole in it could make a job
 * look unknown, or the wrong one look unique.
 */
export const parseJobs = (content: unknown): readonly PlangrepJob[] | undefined =>
  jobListSchema.safeParse(content).data?.jobs.map(toPlangrepJob);

/** Plangrep's machine-readable code in `{code}` or `{error: {code}}`, if there is one. */
export const parseErrorCode = (content: unknown): string | undefined => {
  const { data } = errorSchema.safeParse(content);
  return data?.code ?? data?.error?.code;
};

const toPlangrepJob = ({ billing, ...job }: z.infer<typeof jobSchema>): PlangrepJob => ({
  ...job,
  creditsDebited: billing?.creditsDebited,
});
