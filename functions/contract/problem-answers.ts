import * as z from 'zod/mini';
import { candidateSchema, closedCancellationSchema } from './answers.ts';
import { type ProblemCode, problems } from './problems.ts';

/** The form of each problem: the members that every problem has (RFC 9457 and three of ours), and those of its code. */

type Own = Readonly<Record<string, z.ZodMiniType>>;

function problem<Code extends ProblemCode, Members extends Own>(code: Code, own: Members) {
  const status: (typeof problems)[Code]['status'] = problems[code].status;
  return z.strictObject({
    type: z.string(),
    title: z.string(),
    status: z.literal(status),
    detail: z.string(),
    code: z.literal(code),
    requestId: z.string(),
    retryable: z.boolean(),
    ...own,
  });
}

export const fieldErrorSchema = z.strictObject({ path: z.string(), message: z.string() });

export const problemSchemas = {
  invalid_request: problem('invalid_request', {
    /** What is wrong, field by field; the path is empty for the whole request. */
    errors: z.array(fieldErrorSchema),
  }),
  unauthorized: problem('unauthorized', {}),
  forbidden: problem('forbidden', {}),
  job_not_found: problem('job_not_found', {}),
  route_not_found: problem('route_not_found', {}),
  method_not_allowed: problem('method_not_allowed', {}),
  ambiguous_external_id: problem('ambiguous_external_id', {
    /** Repeat the request with one of these as `jobId`. */
    candidates: z.array(candidateSchema),
  }),
  job_already_terminal: problem('job_already_terminal', {
    jobStatus: z.nullable(z.string()),
    cancellation: closedCancellationSchema,
  }),
  job_unknown_to_plangrep: problem('job_unknown_to_plangrep', { cancellation: closedCancellationSchema }),
  job_registered_otherwise: problem('job_registered_otherwise', {}),
  too_many_jobs: problem('too_many_jobs', {}),
  body_too_large: problem('body_too_large', {}),
  unsupported_media_type: problem('unsupported_media_type', {}),
  idempotency_key_reused: problem('idempotency_key_reused', {}),
  too_many_requests: problem('too_many_requests', {}),
  internal_error: problem('internal_error', {}),
  temporarily_unavailable: problem('temporarily_unavailable', {}),
  gateway_timeout: problem('gateway_timeout', {}),
} as const satisfies { readonly [Code in ProblemCode]: z.ZodMiniObject<{ code: z.ZodMiniLiteral<Code> }> };

const { invalid_request: first, ...others } = problemSchemas;
export const problemSchema = z.discriminatedUnion('code', [first, ...Object.values(others)]);
export type ProblemAnswer = z.infer<typeof problemSchema>;

/** What a problem's code adds to the members that every problem has. */
export type OwnMembers<Code extends ProblemCode> = AsRead<
  Omit<z.infer<(typeof problemSchemas)[Code]>, keyof z.infer<typeof problemSchemas.unauthorized>>
>;
/** Lists that an answer only reads. */
type AsRead<Members> = {
  readonly [Name in keyof Members]: Members[Name] extends readonly (infer Item)[] ? readonly Item[] : Members[Name];
};
/** The codes that add none. */
export type PlainCode = { [Code in ProblemCode]: keyof OwnMembers<Code> extends never ? Code : never }[ProblemCode];
