import * as z from 'zod/mini';
import { problemGuide } from '../../functions/contract/problem-guide.ts';
import { type ProblemCode, problemContentType, problems } from '../../functions/contract/problems.ts';
import { gatewayResponses } from '../blueprint/api.ts';
import { oneOfProblems } from './describe-problems.ts';
import type { AnswerDescription, Header, Operation, Parameter, Reference } from './document.ts';
import { parameterExamples, problemExamples, requestExamples, successExamples } from './examples.ts';
import type { OperationDefinition, Success } from './operations.ts';

/** What every operation can end with. */
const commonProblems: readonly ProblemCode[] = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'too_many_requests',
  'internal_error',
  'temporarily_unavailable',
  'gateway_timeout',
];
/** What every operation with a body can end with, too. */
const bodyProblems: readonly ProblemCode[] = ['body_too_large', 'unsupported_media_type'];
/** Codes that only API Gateway answers with, never a function. */
const gatewayOnly: ReadonlySet<ProblemCode> = new Set(['unauthorized', 'too_many_requests', 'gateway_timeout']);
const gatewayCodes = new Set<ProblemCode>(Object.values(gatewayResponses).map(({ problem }) => problem));

/** Never required: it answers a header that a request may leave out. */
const preferenceApplied = 'Preference-Applied';

const headers: Readonly<Record<string, Header>> = {
  'Cache-Control': { description: 'Do not store any answer.', schema: { type: 'string', const: 'no-store' } },
  'X-Content-Type-Options': {
    description: 'The body is what `Content-Type` says.',
    schema: { type: 'string', const: 'nosniff' },
  },
  'X-Request-Id': {
    description: "This request's id in our records: a problem's `requestId`.",
    schema: { type: 'string', minLength: 1 },
  },
  Location: {
    description: 'Where you can read the cancellation: the path of `readCancellation`.',
    schema: { type: 'string', format: 'uri-reference' },
  },
  'Retry-After': {
    description: 'Seconds to wait before the next request (RFC 9110, section 10.2.3).',
    schema: { type: 'string', pattern: '^[1-9][0-9]*$' },
  },
  [preferenceApplied]: {
    description:
      'The preference that the service followed (RFC 7240, section 3): sent with a cancellation, also when there was nothing to wait for.',
    schema: { type: 'string', pattern: '^wait=([0-9]|10)$' },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate (RFC 9110, section 11.6.1).',
    schema: { type: 'string', const: 'Bearer' },
  },
};
const headersOfFunctions = ['X-Content-Type-Options', 'X-Request-Id'];
const headersOfStatus: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** Every header as a component: as one that is always sent, and some as one that is not. */
export function describeHeaders(): Readonly<Record<string, Header>> {
  return Object.fromEntries([
    ...Object.entries(headers)
      .filter(([name]) => name !== preferenceApplied)
      .map(([name, header]) => [name, { required: true, ...header }]),
    ...[...headersOfFunctions, 'Retry-After', preferenceApplied].map((name) => [
      `${name}-Optional`,
      { required: false, ...headers[name] },
    ]),
  ]);
}

function referToHeaders(names: readonly string[], optionalNames: readonly string[] = []): Record<string, Reference> {
  return Object.fromEntries([
    ...names.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    ...optionalNames.map((name) => [name, { $ref: `#/components/headers/${name}-Optional` }]),
  ]);
}

/**
 * One operation with its parameters, its body and its answers.
 * @param share refers to an answer that several operations have, or gives it back
 */
export function describeOperation(
  operation: OperationDefinition,
  share: (answer: AnswerDescription) => AnswerDescription | Reference,
): Operation {
  const { operationId, tag, summary, description, scope, body } = operation;
  return {
    operationId,
    tags: [tag],
    summary,
    description: `${description}\n\nNeeds the scope \`${scope}\`.`,
    security: [{ partnerCredential: [scope] }],
    parameters: describeParameters(operation),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        description: 'JSON in UTF-8 without a byte order mark, at most 8 KiB.',
        content: {
          'application/json': {
            schema: { $ref: `#/components/schemas/${body}` },
            examples: requestExamples[operationId] ?? {},
          },
        },
      },
    }),
    responses: Object.fromEntries(
      Object.entries(describeAnswers(operation)).map(([status, answer]) => [status, share(answer)]),
    ),
  };
}

/** Each parameter's schema, which is a component, and its description. */
const parameters: Readonly<Record<string, readonly [string, string]>> = {
  jobId: ['JobId', "The job's id at Plangrep."],
  externalId: ['ExternalId', 'Your own id for the job, as UTF-8 and percent-encoded.'],
  limit: ['PageLimit', 'The most jobs that the page covers.'],
  cursor: ['Cursor', 'The `nextCursor` of the page before, with the same externalId. Absent: the first page.'],
  Prefer: [
    'Preference',
    '`wait=N` (RFC 7240, section 4.3), N whole seconds from 0 to 10; more counts as 10. Meanwhile the service retries and polls as Plangrep allows, and it answers as soon as the cancellation is closed. Without it, or with a value that is not a whole number, the service answers after its first call to Plangrep. Whichever it is, and also if you hang up, the service continues until the job has ended.',
  ],
  'Idempotency-Key': [
    'IdempotencyKey',
    'Your own name for this request, kept for 30 days. A repeat with the same key reaches only the job that the first request reached; the same key with another body is rejected. Without a key, a repeat is looked up by its externalId again.',
  ],
};

function describeParameters({ path, query, requestHeaders = [] }: OperationDefinition): readonly Parameter[] {
  const describe = (name: string, place: Parameter['in'], required: boolean): Parameter => {
    const [schema, description = ''] = parameters[name] ?? [];
    if (schema === undefined) throw new Error(`no text describes the parameter ${name}`);
    const $ref = `#/components/schemas/${schema}`;
    return { name, in: place, required, description, schema: { $ref }, example: parameterExamples[name] };
  };
  const describeAll = (schema: z.ZodMiniObject | undefined, place: 'path' | 'query') =>
    Object.entries(schema?.shape ?? {}).map(([name, of]) => describe(name, place, !(of instanceof z.ZodMiniOptional)));
  return [
    ...describeAll(path, 'path'),
    ...describeAll(query, 'query'),
    ...requestHeaders.map((name) => describe(name, 'header', false)),
  ];
}

/** Every answer of an operation, by status. */
export function describeAnswers(operation: OperationDefinition): Readonly<Record<string, AnswerDescription>> {
  const { successes, problems: own, body } = operation;
  const codes = [...own, ...commonProblems, ...(body === undefined ? [] : bodyProblems)];
  const byStatus = Map.groupBy(codes, (code) => problems[code].status);
  return Object.fromEntries([
    ...successes.map((success) => [success.status, describeSuccess(operation, success)]),
    ...[...byStatus].map(([status, ofStatus]) => [status, describeProblems(operation, ofStatus, status)]),
  ]);
}

function describeSuccess({ operationId }: OperationDefinition, success: Success): AnswerDescription {
  const { status, description, schema, headers: own = [], optionalHeaders } = success;
  return {
    description,
    headers: referToHeaders(['Cache-Control', ...headersOfFunctions, ...own], optionalHeaders),
    content: {
      'application/json': {
        schema: { $ref: `#/components/schemas/${schema}` },
        examples: successExamples[operationId]?.[status] ?? {},
      },
    },
  };
}

function describeProblems(
  { operationId, scope, problemHeaders = {} }: OperationDefinition,
  codes: readonly ProblemCode[],
  status: number,
): AnswerDescription {
  const always = ['Cache-Control', ...(headersOfStatus[status] ?? [])];
  const examples = problemExamples(operationId, scope).filter(({ code }) => codes.includes(code));
  return {
    description: codes
      .map((code) => `\`${code}\`: ${problemGuide[code].meaning} ${problemGuide[code].toDo}`)
      .join('\n\n'),
    headers: codes.some((code) => gatewayCodes.has(code))
      ? referToHeaders(always, codes.every((code) => gatewayOnly.has(code)) ? [] : headersOfFunctions)
      : referToHeaders([...always, ...headersOfFunctions], problemHeaders[status]),
    content: {
      [problemContentType]: {
        schema: oneOfProblems(codes),
        examples: Object.fromEntries(examples.map(({ name, summary, value }) => [name, { summary, value }])),
      },
    },
  };
}
