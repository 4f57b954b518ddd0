import * as z from 'zod/mini';

const text = z.string().check(z.minLength(1));

/** Every variable that a function may need; each takes its own with `z.pick`. */
export const variables = z.object({
  ENVIRONMENT: z.string().check(z.regex(/^[a-z]{1,16}$/)),
  PLANGREP_BASE_URL: z.url(),
  PLANGREP_SECRET_ID: text,
  JOB_DIRECTORY_TABLE: text,
  CANCELLATION_LOG_TABLE: text,
  PARTNERS_TABLE: text,
  /** In a sandbox alone. */
  SANDBOX_TABLE: text,
  /** How often the queue hands out a message before the DLQ gets it. */
  EVENTS_MAX_RECEIVES: z.pipe(z.string().check(z.regex(/^[1-9][0-9]?$/)), z.transform(Number)),
});

/**
 * Parsed once, at a function's start.
 * @throws when a variable is missing or malformed: the message names each, and shows no value
 */
export const readConfiguration = <Schema extends z.ZodMiniType>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): z.infer<Schema> => {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map(({ path }) => path.join('.'));
  throw new Error(`missing or malformed in the environment: ${names.join(', ')}`);
};
