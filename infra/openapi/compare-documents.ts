import { compareSchemas, type Side } from './compare-schemas.ts';
import {
  type AnswerDescription,
  answerOf,
  type Content,
  headerOf,
  type OpenApiDocument,
  type Operation,
  type Parameter,
} from './document.ts';

interface Versions {
  readonly before: OpenApiDocument;
  readonly after: OpenApiDocument;
}

/**
 * What of a new description breaks callers of the old one, one line each; nothing when all that worked still works.
 * Additions pass: operations, optional parameters and fields of requests, fields and headers of answers, problems, values
 * of enumerations that may grow.
 */
export const compareDocuments = (before: OpenApiDocument, after: OpenApiDocument): readonly string[] => {
  const versions = { before, after };
  return [
    ...before.servers
      .filter(({ url }) => after.servers.every((other) => other.url !== url))
      .map(({ url }) => `the server ${url}: is removed`),
    ...Object.entries(before.components.securitySchemes).flatMap(([name, { type, scheme }]) => {
      const now = after.components.securitySchemes[name];
      return now?.['type'] === type && now?.['scheme'] === scheme ? [] : [`the credential ${name}: is another`];
    }),
    ...Object.entries(before.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, operation]) => {
        const where = `${method.toUpperCase()} ${path}`;
        const now = after.paths[path]?.[method];
        return now === undefined ? [`${where}: is removed`] : compareOperations(versions, operation, now, where);
      }),
    ),
  ];
};

const compareOperations = (
  versions: Versions,
  before: Operation,
  after: Operation,
  where: string,
): readonly string[] => [
  ...(before.operationId === after.operationId ? [] : [`${where}: is called ${after.operationId} now`]),
  ...compareScopes(before, after, where),
  ...compareParameters(versions, before.parameters ?? [], after.parameters ?? [], where),
  ...compareBodies(versions, before.requestBody, after.requestBody, `${where}, body`),
  ...Object.entries(before.responses).flatMap(([status, answer]) => {
    const now = after.responses[status];
    return now === undefined
      ? [`${where}, ${status}: is removed`]
      : compareAnswers(
          versions,
          answerOf(versions.before, answer),
          answerOf(versions.after, now),
          `${where}, ${status}`,
        );
  }),
];

const scopesOf = ({ security }: Operation): readonly string[] =>
  security.flatMap((needs) => Object.entries(needs).flatMap(([name, scopes]) => [name, ...scopes]));

const compareScopes = (before: Operation, after: Operation, where: string): readonly string[] =>
  scopesOf(after)
    .filter((scope) => !scopesOf(before).includes(scope))
    .map((scope) => `${where}: needs ${scope} now`);

const isSame = (one: Parameter, other: Parameter): boolean =>
  one.in === other.in && one.name.toLowerCase() === other.name.toLowerCase();

const compareParameters = (
  versions: Versions,
  before: readonly Parameter[],
  after: readonly Parameter[],
  where: string,
): readonly string[] => [
  ...before.flatMap((parameter) => {
    const its = `${where}, ${parameter.name}`;
    const now = after.find((other) => isSame(parameter, other));
    if (now === undefined) return [`${its}: is removed`];
    return [
      ...(now.required && !parameter.required ? [`${its}: is required now`] : []),
      ...compareContents(versions, 'request', parameter, now, its),
    ];
  }),
  ...after
    .filter((parameter) => parameter.required && !before.some((other) => isSame(parameter, other)))
    .map(({ name }) => `${where}, ${name}: is new and required`),
];

const compareBodies = (
  versions: Versions,
  before: Operation['requestBody'],
  after: Operation['requestBody'],
  where: string,
): readonly string[] => {
  if (before === undefined) return after?.required === true ? [`${where}: is new and required`] : [];
  if (after === undefined) return [`${where}: is removed`];
  return [
    ...(after.required && !before.required ? [`${where}: is required now`] : []),
    ...Object.entries(before.content).flatMap(([type, content]) => {
      const now = after.content[type];
      return now === undefined
        ? [`${where}: ${type} is no longer taken`]
        : compareContents(versions, 'request', content, now, where);
    }),
  ];
};

const compareAnswers = (
  versions: Versions,
  before: AnswerDescription,
  after: AnswerDescription,
  where: string,
): readonly string[] => [
  ...Object.entries(before.headers).flatMap(([name, part]) => {
    const now = after.headers[name];
    if (now === undefined) return [`${where}, ${name}: is removed`];
    const [header, other] = [headerOf(versions.before, part), headerOf(versions.after, now)];
    return [
      ...(header.required === true && other.required !== true ? [`${where}, ${name}: is no longer always there`] : []),
      ...compareContents(versions, 'answer', header, other, `${where}, ${name}`),
    ];
  }),
  ...Object.keys(after.content)
    .filter((type) => !Object.hasOwn(before.content, type))
    .map((type) => `${where}: may be ${type} now`),
  ...Object.entries(before.content).flatMap(([type, content]) => {
    const now = after.content[type];
    return now === undefined
      ? [`${where}: is no longer ${type}`]
      : compareContents(versions, 'answer', content, now, where);
  }),
];

const compareContents = (
  { before, after }: Versions,
  side: Side,
  { schema }: Pick<Content, 'schema'>,
  now: Pick<Content, 'schema'>,
  where: string,
): readonly string[] =>
  compareSchemas(side, { document: before, schema }, { document: after, schema: now.schema }, where);
