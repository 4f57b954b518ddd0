import * as z from 'zod/mini';
import { type Scope, scopeSchema } from '../../functions/core/identifiers.ts';
import { problemGuide } from '../../functions/contract/problem-guide.ts';
import { partnerAuthorizer, routes } from '../blueprint/api.ts';
import { describeAnswers, describeHeaders } from './describe-answers.ts';
import { describeSchemas } from './describe-schemas.ts';
import type { AnswerDescription, OpenApiDocument, Operation, Parameter, Reference } from './document.ts';
import { parameterExamples, requestExamples } from './examples.ts';
import { type OperationDefinition, operations } from './operations.ts';

const overview = `Cancels [Plangrep](https://docs.plangrep.com) jobs by **your own** \`externalId\`: at once, exactly once, seen through until Plangrep confirms it, with an audit trail that cannot be quietly rewritten.

**Repeat freely.** A job is cancelled at most once, however often you ask. A request with an \`Idempotency-Key\` is bound to its job when first seen, so a late duplicate never reaches a job that you submitted anew under the same externalId.

**Problems** are \`application/problem+json\` (RFC 9457), with \`code\` for your program to go by, \`detail\` for you, \`retryable\`, and \`requestId\` to ask the operator about. Each problem's \`type\` is the address of a page about it. Outside of the operations below the service answers \`route_not_found\` (404): ${problemGuide.route_not_found.meaning}

**Additions** are no new version: answers may get more fields, and enumerations that are marked \`x-may-grow\` more values. Ignore the fields that you do not know, and treat a \`code\` that you do not know as any other of its status.`;

const scopeWords: Readonly<Record<Scope, string>> = {
  'cancellations:write': 'cancel jobs',
  'cancellations:read': 'read cancellations and their timelines',
  'jobs:write': 'register jobs',
};

const credentialWords = `A credential of yours: it alone says which partner you are. It carries scopes:

${scopeSchema.options.map((scope) => `- \`${scope}\`: ${scopeWords[scope]}`).join('\n')}

Once revoked, a credential dies within ${partnerAuthorizer.cacheSeconds} seconds.`;

const idempotencyKey: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'A name of your choice for this one request, kept for 30 days. A repeat with the same key reaches the job that the first one reached, and no other; the same key with another body is refused. Without one, a repeat goes by the externalId anew.',
  schema: { $ref: '#/components/schemas/IdempotencyKey' },
  example: parameterExamples['Idempotency-Key'],
};

const parameterWords: Readonly<Record<string, string>> = {
  jobId: "The job's id at Plangrep.",
  externalId: 'Your own id for the job, percent-encoded.',
};

/** The schemas of parameters, by name: they are components, too. */
const parameterSchemas: Readonly<Record<string, string>> = { jobId: 'JobId', externalId: 'ExternalId' };

const describeParameters = (schema: z.ZodMiniObject | undefined, place: 'path' | 'query'): readonly Parameter[] =>
  Object.entries(schema?.shape ?? {}).map(([name, of]) => ({
    name,
    in: place,
    required: !(of instanceof z.ZodMiniOptional),
    description: parameterWords[name] ?? '',
    schema: { $ref: `#/components/schemas/${parameterSchemas[name]}` },
    example: parameterExamples[name],
  }));

const describeOperation = (operation: OperationDefinition, shared: ReadonlyMap<string, string>): Operation => {
  const { operationId, tag, summary, description, scope, body } = operation;
  const parameters = [
    ...describeParameters(operation.path, 'path'),
    ...describeParameters(operation.query, 'query'),
    ...(operation.takesIdempotencyKey === true ? [idempotencyKey] : []),
  ];
  const responses = Object.entries(describeAnswers(operation)).map(
    ([status, answer]): [string, AnswerDescription | Reference] => {
      const name = shared.get(JSON.stringify(answer));
      return [status, name === undefined ? answer : { $ref: `#/components/responses/${name}` }];
    },
  );
  return {
    operationId,
    tags: [tag],
    summary,
    description: `${description}\n\nNeeds the scope \`${scope}\`.`,
    security: [{ partnerCredential: [scope] }],
    parameters,
    ...(body !== undefined && {
      requestBody: {
        required: true,
        description: 'JSON, at most 8 KiB.',
        content: {
          'application/json': {
            schema: { $ref: `#/components/schemas/${body}` },
            examples: requestExamples[operationId] ?? {},
          },
        },
      },
    }),
    responses: Object.fromEntries(responses),
  };
};

/** Answers that several operations have word for word, once. */
const sharedNames: Readonly<Record<string, string>> = {
  401: 'Unauthorized',
  413: 'BodyTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'TemporarilyUnavailable',
  504: 'GatewayTimeout',
};

const shareAnswers = (): Readonly<Record<string, AnswerDescription>> => {
  const shared: Record<string, AnswerDescription> = {};
  for (const [status, name] of Object.entries(sharedNames)) {
    const all = Object.values(operations).flatMap((operation) => describeAnswers(operation)[status] ?? []);
    const met = new Set<string>();
    const twice = all.find((answer) => met.size === met.add(JSON.stringify(answer)).size);
    if (twice !== undefined) shared[name] = twice;
  }
  return shared;
};

const describePaths = (shared: ReadonlyMap<string, string>): OpenApiDocument['paths'] => {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const { method, path } of routes.filter((route) => route.path.startsWith('/v1/'))) {
    const operation = operations[`${method} ${path}`];
    if (operation === undefined) throw new Error(`nothing says what ${method} ${path} does`);
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeOperation(operation, shared) };
  }
  return paths;
};

/**
 * The whole description of the HTTPS door, made from the contract: its schemas, its problems, its routes.
 * @param version of the package
 */
export const createDocument = (version: string): OpenApiDocument => {
  const responses = shareAnswers();
  const shared = new Map(Object.entries(responses).map(([name, answer]) => [JSON.stringify(answer), name]));
  return {
    openapi: '3.1.1',
    info: {
      title: 'Plangrep job cancellation',
      version,
      summary: 'Cancels Plangrep jobs by your own externalId.',
      description: overview,
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'Where this description is served.' }],
    tags: [
      { name: 'cancellations', description: 'Cancel jobs, and see what came of it.' },
      { name: 'jobs', description: 'Say which job goes by which externalId.' },
    ],
    paths: describePaths(shared),
    components: {
      schemas: describeSchemas(),
      headers: describeHeaders(),
      responses,
      securitySchemes: {
        partnerCredential: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'pcg_<environment>_<keyId>_<secret>',
          description: credentialWords,
        },
      },
    },
  };
};
