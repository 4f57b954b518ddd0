import type * as z from 'zod/mini';
import { problemSchema, problemSchemas } from '../../functions/contract/problem-answers.ts';
import { type ProblemCode, problems } from '../../functions/contract/problems.ts';
import { type Component, message, union } from './describe-message.ts';
import type { Schema } from './document.ts';
import { describeUnion } from './simplify-schema.ts';

const common = {
  type: 'The address of a page about this problem, relative to this API.',
  title: "The problem's title: always the same for the same code.",
  status: 'The HTTP status.',
  detail: 'What happened this time, for a person to read. Do not parse it.',
  code: 'Which problem it is, for your program.',
  requestId:
    "This request's id in our records. Quote it when you ask the operator. `none`: the firewall answered, and knows none.",
  retryable: 'Whether the same request can succeed later without a change.',
};
const own: Readonly<Record<string, string>> = {
  errors: 'What is wrong, field by field. `path` names the field, or is empty for the whole request.',
  jobStatus: 'How the job ended. Null: not known.',
  cancellation: 'The cancellation as it is recorded.',
  candidates: 'The jobs that have not ended. Repeat the request with the `jobId` of one of them.',
};

/** `job_not_found` → `JobNotFoundProblem` */
function nameOf(code: string): string {
  const words = code.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Problem`;
}

const titles = new Map(Object.entries(problems).map(([code, { title }]) => [code, title]));

function describeProblem([code, schema]: readonly [string, z.ZodMiniObject]): readonly [string, Component] {
  const fields = Object.keys(schema.shape).map((field) => [field, { ...common, ...own }[field]]);
  return [nameOf(code), message(schema, `${titles.get(code)}.`, Object.fromEntries(fields))];
}

/** The problems, each with exactly its own members. */
export const problemComponents: Readonly<Record<string, Component>> = {
  Problem: union(
    problemSchema,
    'code',
    'Why a request failed: Problem Details for HTTP APIs (RFC 9457). `code` says which of these it is. More may be added: treat a `code` that you do not know by its status. Fields may be added: ignore those that you do not know.',
    true,
  ),
  ...Object.fromEntries(Object.entries(problemSchemas).map(describeProblem)),
};

/** What a status of an operation is answered with. */
export function oneOfProblems(codes: readonly ProblemCode[]): Schema {
  return {
    ...describeUnion(
      'code',
      codes.map((code) => [code, nameOf(code)]),
    ),
    'x-may-grow': true,
  };
}
