import { type ProblemCode, problemContentType, problems } from '../../functions/contract/problems.ts';
import { problemGuide } from '../../functions/contract/problem-guide.ts';
import { gatewayResponses } from '../blueprint/api.ts';
import type { AnswerDescription, Header, Reference } from './document.ts';
import { successExamples } from './examples.ts';
import { bodyProblems, commonProblems, type OperationDefinition, type Success } from './operations.ts';
import { problemExamples } from './problem-examples.ts';

/** Codes that only API Gateway answers with, and no function. */
const gatewayOnly: ReadonlySet<ProblemCode> = new Set([
  'unauthorized',
  'route_not_found',
  'too_many_requests',
  'gateway_timeout',
]);
const gatewayCodes = new Set<ProblemCode>(Object.values(gatewayResponses).map(({ problem }) => problem));

const headers: Readonly<Record<string, Header>> = {
  'Cache-Control': { description: 'No answer may be kept.', schema: { type: 'string', const: 'no-store' } },
  'X-Content-Type-Options': {
    description: 'The body is what `Content-Type` says.',
    schema: { type: 'string', const: 'nosniff' },
  },
  'X-Request-Id': {
    description: "Names this request in our records: a problem's `requestId`.",
    schema: { type: 'string', minLength: 1 },
  },
  Location: {
    description: 'Where the cancellation can be read: the path of `readCancellation`.',
    schema: { type: 'string', format: 'uri-reference' },
  },
  'Retry-After': {
    description: 'Seconds to wait before the next request (RFC 9110, section 10.2.3).',
    schema: { type: 'string', pattern: '^[1-9][0-9]*$' },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate (RFC 9110, section 11.6.1).',
    schema: { type: 'string', const: 'Bearer' },
  },
};
/** As components: each header as it always is, and for where it is not always sent once more. */
const optional = (name: string): string => `${name}-Optional`;
export const describeHeaders = (): Readonly<Record<string, Header>> => {
  const always = Object.entries(headers).map(([name, header]) => [name, { required: true, ...header }]);
  const sometimes = ['X-Content-Type-Options', 'X-Request-Id', 'Retry-After'].map((name) => [
    optional(name),
    { required: false, ...headers[name] },
  ]);
  return Object.fromEntries([...always, ...sometimes]);
};

const referTo = (names: readonly string[], optionalNames: readonly string[] = []): Record<string, Reference> =>
  Object.fromEntries([
    ...names.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    ...optionalNames.map((name) => [name, { $ref: `#/components/headers/${optional(name)}` }]),
  ]);

const ofFunctions = ['X-Content-Type-Options', 'X-Request-Id'];

/** What every answer of an operation can be, by status. */
export const describeAnswers = (operation: OperationDefinition): Readonly<Record<string, AnswerDescription>> => {
  const { successes, problems: own, body } = operation;
  const codes = [...own, ...commonProblems, ...(body === undefined ? [] : bodyProblems)];
  const statuses = [...new Set(codes.map((code) => problems[code].status))];
  return Object.fromEntries([
    ...successes.map((success) => [success.status, describeSuccess(operation, success)]),
    ...statuses.map((status) => [
      status,
      describeProblems(
        operation,
        codes.filter((code) => problems[code].status === status),
        status,
      ),
    ]),
  ]);
};

const describeSuccess = ({ operationId }: OperationDefinition, success: Success): AnswerDescription => ({
  description: success.description,
  headers: referTo(['Cache-Control', ...ofFunctions, ...(success.headers ?? [])], success.optionalHeaders),
  content: {
    'application/json': {
      schema: { $ref: `#/components/schemas/${success.schema}` },
      examples: successExamples[operationId]?.[success.status] ?? {},
    },
  },
});

/** The headers that come with a problem's status, whoever answers. */
const headersOf: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

const describeProblems = (
  { operationId, scope }: OperationDefinition,
  codes: readonly ProblemCode[],
  status: number,
): AnswerDescription => {
  const always = ['Cache-Control', ...(headersOf[status] ?? [])];
  const names = codes.some((code) => gatewayCodes.has(code))
    ? referTo(always, codes.every((code) => gatewayOnly.has(code)) ? [] : ofFunctions)
    : referTo([...always, ...ofFunctions]);
  const examples = problemExamples(operationId, scope).filter(({ code }) => codes.includes(code));
  return {
    description: codes
      .map((code) => `\`${code}\`: ${problemGuide[code].meaning} ${problemGuide[code].toDo}`)
      .join('\n\n'),
    headers: names,
    content: {
      [problemContentType]: {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            {
              type: 'object',
              properties: {
                status: { type: 'integer', const: status },
                code: { type: 'string', enum: codes, 'x-may-grow': true },
              },
            },
          ],
        },
        examples: Object.fromEntries(examples.map(({ name, summary, value }) => [name, { summary, value }])),
      },
    },
  };
};
