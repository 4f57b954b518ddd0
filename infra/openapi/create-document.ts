import { type Scope, scopeSchema } from '../../functions/core/identifiers.ts';
import { partnerAuthorizer, routes } from '../blueprint/api.ts';
import { webhooks } from './describe-callbacks.ts';
import { describeAnswers, describeHeaders, describeOperation } from './describe-operation.ts';
import { describeSchemas } from './describe-schemas.ts';
import type { AnswerDescription, OpenApiDocument, Operation } from './document.ts';
import { operations } from './operations.ts';

const overview = `Cancels [Plangrep](https://docs.plangrep.com) jobs by **your own** \`externalId\`. The service cancels each job at most once, retries until Plangrep confirms how the job ended, and keeps an audit trail that shows every later change to it.

**Repeat a request safely.** A job is cancelled at most once, however often you ask. The service binds a request with an \`Idempotency-Key\` to its job when it first sees the key, so a late duplicate never reaches a job that you submitted later under the same externalId.

**Problems** are \`application/problem+json\` (RFC 9457), with \`code\` for your program, \`detail\` for a person, \`retryable\`, and \`requestId\` to quote when you ask the operator. Each problem's \`type\` is the address of a page about it. For every other address the service answers \`route_not_found\` (404), and for another method of these addresses \`method_not_allowed\` (405) with \`Allow\`; both come without a credential too, for \`HEAD\` and \`OPTIONS\` as well. One slash at the end of an address makes no difference.

**Additions** do not make a new version: answers may get more fields, and enumerations marked \`x-may-grow\` more values. Ignore the fields that you do not know, and treat a \`code\` that you do not know like any other of its status.`;

const scopeWords: Readonly<Record<Scope, string>> = {
  'cancellations:write': 'cancel jobs',
  'cancellations:read': 'read cancellations and their timelines',
  'jobs:write': 'register jobs',
};

const credentialWords = `The credential alone tells the service which partner you are. It carries scopes:

${scopeSchema.options.map((scope) => `- \`${scope}\`: ${scopeWords[scope]}`).join('\n')}

A revoked credential stops working within ${partnerAuthorizer.cacheSeconds} seconds.`;

/** The names of answers that several operations have word for word, by status. */
const sharedNames: Readonly<Record<string, string>> = {
  401: 'Unauthorized',
  413: 'BodyTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'TemporarilyUnavailable',
  504: 'GatewayTimeout',
};

function shareAnswers(): Readonly<Record<string, AnswerDescription>> {
  const shared: Record<string, AnswerDescription> = {};
  for (const [status, name] of Object.entries(sharedNames)) {
    const answers = Object.values(operations).flatMap((operation) => describeAnswers(operation)[status] ?? []);
    const texts = answers.map((answer) => JSON.stringify(answer));
    const repeated = answers.find((_answer, index) => texts.indexOf(texts[index] ?? '') < index);
    if (repeated !== undefined) shared[name] = repeated;
  }
  return shared;
}

function describePaths(responses: Readonly<Record<string, AnswerDescription>>): OpenApiDocument['paths'] {
  const names = new Map(Object.entries(responses).map(([name, answer]) => [JSON.stringify(answer), name]));
  const paths: Record<string, Record<string, Operation>> = {};
  for (const { method, path } of routes.filter((route) => route.path.startsWith('/v1/'))) {
    const operation = operations[`${method} ${path}`];
    if (operation === undefined) throw new Error(`no text describes ${method} ${path}`);
    const described = describeOperation(operation, (answer) => {
      const name = names.get(JSON.stringify(answer));
      return name === undefined ? answer : { $ref: `#/components/responses/${name}` };
    });
    paths[path] = { ...paths[path], [method.toLowerCase()]: described };
  }
  return paths;
}

/**
 * The whole description of the HTTPS door, made from the contract: its schemas, its problems, its routes.
 * @param version of the package
 */
export function createDocument(version: string): OpenApiDocument {
  const responses = shareAnswers();
  return {
    openapi: '3.1.1',
    info: {
      title: 'Plangrep job cancellation',
      version,
      summary: 'Cancels Plangrep jobs by your own externalId.',
      description: overview,
      contact: { name: 'The operator who gave you your credential' },
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'Where this description is served.' }],
    tags: [
      { name: 'cancellations', description: 'Cancel jobs, and read the results.' },
      { name: 'jobs', description: 'Register jobs under your externalIds.' },
      { name: 'callbacks', description: 'What the service sends to you, signed by Standard Webhooks.' },
    ],
    paths: describePaths(responses),
    webhooks,
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
}
