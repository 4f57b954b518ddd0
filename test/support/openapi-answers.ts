import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { problemContentType } from '../../functions/contract/problems.ts';
import type { OnAnswer } from '../../infra/local/aws/gateway/gateway.ts';
import { matchRoute } from '../../infra/local/aws/gateway/match-route.ts';
import {
  type AnswerDescription,
  answerOf,
  headerOf,
  type OpenApiDocument,
  type Schema,
} from '../../infra/openapi/document.ts';
import { descriptionPath } from '../../infra/openapi/places.ts';
import { routes } from '../../infra/blueprint/api.ts';

/** An answer as a caller gets it, but for what the transport adds. */
export interface GivenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export const readDescription = (path: string = descriptionPath): OpenApiDocument =>
  JSON.parse(readFileSync(path, 'utf8'));

export type SchemaCheck = (pointer: readonly string[], value: unknown) => readonly string[];

/**
 * A check of values against the schemas of a description, each named by its pointer. Callers must expect more fields than
 * are described; here one that is not described is a mistake, unless `isOpen`.
 */
export const createSchemaCheck = (document: OpenApiDocument, isOpen = false): SchemaCheck => {
  // Not strict about keywords: to the validator the whole document is one schema, with many that it does not know.
  const ajv = new Ajv2020({ allErrors: true, strictSchema: false });
  addFormats.default(ajv);
  const { components } = document;
  const schemas = Object.entries(components.schemas).map(([name, schema]) => [name, isOpen ? schema : close(schema)]);
  ajv.addSchema({ ...document, components: { ...components, schemas: Object.fromEntries(schemas) } }, 'description');
  const compiled = new Map<string, ValidateFunction>();
  return (pointer, value) => {
    const segments = pointer.map((segment) => encodeURIComponent(segment.replaceAll('~', '~0').replaceAll('/', '~1')));
    const $ref = `description#/${segments.join('/')}`;
    const validate = compiled.get($ref) ?? ajv.compile({ $ref });
    compiled.set($ref, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };
};

const close = (schema: Schema): Schema => ({
  ...schema,
  ...(schema.items && { items: close(schema.items) }),
  ...(schema.properties && {
    properties: Object.fromEntries(Object.entries(schema.properties).map(([name, of]) => [name, close(of)])),
    additionalProperties: false,
  }),
});

/** A part that may be shared: where it really is. */
const placeOf = (part: object, pointer: readonly string[]): readonly string[] =>
  '$ref' in part && typeof part.$ref === 'string' ? part.$ref.split('/').slice(1) : pointer;

export type AnswerJudge = (method: string, path: string, answer: GivenAnswer) => readonly string[];

/**
 * Judges answers by a description: operation, status, media type, headers and body, all of them strictly.
 * @returns for an answer what is wrong with it
 */
export const createAnswerJudge = (document: OpenApiDocument = readDescription()): AnswerJudge => {
  const check = createSchemaCheck(document);

  const judgeHeaders = (place: readonly string[], described: AnswerDescription, given: GivenAnswer['headers']) => {
    const named = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
    named.delete('content-type');
    const wrong = Object.entries(described.headers).flatMap(([name, part]) => {
      const value = named.get(name.toLowerCase());
      named.delete(name.toLowerCase());
      if (value === undefined) return headerOf(document, part).required === true ? [`no header ${name}`] : [];
      const pointer = [...placeOf(part, [...place, 'headers', name]), 'schema'];
      return check(pointer, value).map((what) => `header ${name}${what}`);
    });
    return [...wrong, ...[...named.keys()].map((name) => `the header ${name} is not described`)];
  };

  const judgeDescribed = (place: readonly string[], described: AnswerDescription, answer: GivenAnswer): string[] => {
    const type = mediaTypeOf(answer);
    const wrong = judgeHeaders(place, described, answer.headers);
    if (!Object.hasOwn(described.content, type)) return [...wrong, `${type} is not described`];
    const value: unknown = JSON.parse(answer.body);
    return [...wrong, ...check([...place, 'content', type, 'schema'], value).map((what) => `body${what}`)];
  };

  return (method, path, answer) => {
    const route = matchRoute(routes, method, path)?.route;
    const about = (wrong: readonly string[]) => wrong.map((what) => `${method} ${path}, ${answer.status}: ${what}`);
    if (route === undefined || !route.path.startsWith('/v1/')) return about(judgeElsewhere(check, path, answer));
    const verb = route.method.toLowerCase();
    const part = document.paths[route.path]?.[verb]?.responses[answer.status];
    if (part === undefined) return about([`${route.path} has no such status`]);
    const place = placeOf(part, ['paths', route.path, verb, 'responses', String(answer.status)]);
    return about(judgeDescribed(place, answerOf(document, part), answer));
  };
};

const mediaTypeOf = ({ headers }: GivenAnswer): string =>
  String(Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]);

/** Outside of the operations only problems are described; beside `/v1` there may be pages. */
const judgeElsewhere = (check: SchemaCheck, path: string, answer: GivenAnswer): readonly string[] => {
  const isProblem = mediaTypeOf(answer) === problemContentType;
  if (!isProblem) return path === '' || path.startsWith('/v1') ? ['is no problem, yet of no operation'] : [];
  const value: unknown = JSON.parse(answer.body);
  const named = typeof value === 'object' && value !== null && 'status' in value ? value.status : undefined;
  return [
    ...check(['components', 'schemas', 'Problem'], value).map((what) => `body${what}`),
    ...(named === answer.status ? [] : [`the body says ${String(named)}`]),
  ];
};

/** What HTTP and API Gateway add to every answer. */
const ofTransport = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
  'x-amzn-requestid',
]);

/** For answers of a run in another process: fetches, and @throws where the answer is not as described. */
export const fetchDescribed = async (url: string, init: RequestInit = {}): Promise<Response> => {
  const response = await fetch(url, init);
  const headers = [...response.headers].filter(([name]) => !ofTransport.has(name));
  const body = await response.clone().text();
  const answer = { status: response.status, headers: Object.fromEntries(headers), body };
  const wrong = createAnswerJudge()(init.method ?? 'GET', new URL(url).pathname, answer);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return response;
};

/** Judges every answer of a local run: give it `onAnswer`, and call `throwIfWrong` when the run is closed. */
export const watchAnswers = (): { readonly onAnswer: OnAnswer; readonly throwIfWrong: () => void } => {
  const judge = createAnswerJudge();
  const wrong = new Set<string>();
  return {
    onAnswer({ method, path }, { statusCode: status, headers, body }) {
      try {
        for (const what of judge(method, path, { status, headers, body: String(body) })) wrong.add(what);
      } catch (error) {
        wrong.add(`${method} ${path}, ${status}: ${String(error)}`);
      }
    },
    throwIfWrong() {
      if (wrong.size > 0) throw new Error(`answers that are not as described:\n${[...wrong].join('\n')}`);
    },
  };
};
