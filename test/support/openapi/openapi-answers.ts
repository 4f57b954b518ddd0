import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { problemContentType } from '../../../functions/contract/problems.ts';
import { MAX_ANSWER_BYTES } from '../../../functions/doors/http/present-cancellation.ts';
import { routes } from '../../../infra/blueprint/api.ts';
import type { OnAnswer } from '../../../infra/local/aws/gateway/gateway.ts';
import { matchRoute } from '../../../infra/local/aws/gateway/match-route.ts';
import type { AnswerDescription, Header, OpenApiDocument, Reference, Schema } from '../../../infra/openapi/document.ts';

/** An answer as a caller gets it, without what the transport adds. */
export interface GivenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const pathOf = (name: string): string => new URL(`../../../${name}`, import.meta.url).pathname;
export const descriptionPath = pathOf('functions/contract/openapi.json');
/** The description as last released: what callers rely on. */
export const releasedPath = pathOf('infra/openapi/released.json');

export function readDescription(path: string = descriptionPath): OpenApiDocument {
  return JSON.parse(readFileSync(path, 'utf8'));
}

const isReference = (part: object): part is Reference => '$ref' in part;
const nameOf = ({ $ref }: Reference): string => $ref.slice($ref.lastIndexOf('/') + 1);

function follow<Part>(parts: Readonly<Record<string, Part>>, reference: Reference): Part {
  const found = parts[nameOf(reference)];
  if (found === undefined) throw new Error(`no component has the name ${reference.$ref}`);
  return found;
}

/** The answer itself, if this refers to a shared one. */
export function answerOf(document: OpenApiDocument, part: AnswerDescription | Reference): AnswerDescription {
  return isReference(part) ? follow(document.components.responses, part) : part;
}

function headerOf(document: OpenApiDocument, part: Header | Reference): Header {
  return isReference(part) ? follow(document.components.headers, part) : part;
}

/** Checks a value against the schema at a pointer. @returns what is wrong with the value */
export type SchemaCheck = (pointer: readonly string[], value: unknown) => readonly string[];

/**
 * A check of values against the schemas of a description. Callers must expect more fields than are described; this check
 * reports each field that is not described, because our own tests take it for a mistake; `open` does not.
 */
export function createSchemaCheck(
  { components, ...document }: OpenApiDocument,
  objects: 'closed' | 'open' = 'closed',
): SchemaCheck {
  // Not strict about keywords: to the validator the whole document is one schema, with many that it does not know.
  const ajv = new Ajv2020({ allErrors: true, strictSchema: false });
  addFormats.default(ajv);
  const schemas = Object.entries(components.schemas).map(([name, schema]) => [
    name,
    objects === 'closed' ? close(schema) : schema,
  ]);
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
}

function close(schema: Schema): Schema {
  const { items, properties } = schema;
  return {
    ...schema,
    ...(items && { items: close(items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, close(of)])),
      additionalProperties: false,
    }),
  };
}

/** @returns what is wrong with an answer, judged by its operation, status, media type, headers and body */
export type AnswerJudge = (method: string, path: string, answer: GivenAnswer) => readonly string[];

/** Judges answers by the committed description. */
export function createAnswerJudge(): AnswerJudge {
  const document = readDescription();
  const check = createSchemaCheck(document);
  return (method, path, answer) => {
    const route = matchRoute(routes, method, path)?.route;
    const about = (wrong: readonly string[]) => wrong.map((what) => `${method} ${path}, ${answer.status}: ${what}`);
    const bytes = Buffer.byteLength(answer.body);
    if (path.startsWith('/v1/') && bytes > MAX_ANSWER_BYTES) return about([`it has ${bytes} bytes`]);
    if (route === undefined || !route.path.startsWith('/v1/')) return about(judgeElsewhere(check, path, answer));
    const verb = route.method.toLowerCase();
    const part = document.paths[route.path]?.[verb]?.responses[answer.status];
    if (part === undefined) return about([`${route.path} has no such status`]);
    const place = placeOf(part, 'responses', ['paths', route.path, verb, 'responses', String(answer.status)]);
    const described = answerOf(document, part);
    return about([
      ...judgeHeaders(document, check, described, place, answer),
      ...judgeBody(check, described, place, answer),
    ]);
  };
}

/** The pointer to a part, or to the component that it refers to. */
function placeOf(part: object, kind: 'headers' | 'responses', pointer: readonly string[]): readonly string[] {
  return isReference(part) ? ['components', kind, nameOf(part)] : pointer;
}

function judgeHeaders(
  document: OpenApiDocument,
  check: SchemaCheck,
  described: AnswerDescription,
  place: readonly string[],
  { headers }: GivenAnswer,
): readonly string[] {
  const rest = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  rest.delete('content-type');
  const wrong = Object.entries(described.headers).flatMap(([name, part]) => {
    const value = rest.get(name.toLowerCase());
    rest.delete(name.toLowerCase());
    if (value === undefined) return headerOf(document, part).required === true ? [`no header ${name}`] : [];
    const pointer = placeOf(part, 'headers', [...place, 'headers', name]);
    return check([...pointer, 'schema'], value).map((what) => `header ${name}${what}`);
  });
  return [...wrong, ...[...rest.keys()].map((name) => `the header ${name} is not described`)];
}

function judgeBody(
  check: SchemaCheck,
  described: AnswerDescription,
  place: readonly string[],
  answer: GivenAnswer,
): readonly string[] {
  const type = mediaTypeOf(answer);
  if (!Object.hasOwn(described.content, type)) return [`${type} is not described`];
  return check([...place, 'content', type, 'schema'], JSON.parse(answer.body)).map((what) => `body${what}`);
}

/** Outside the operations only problems are described; outside `/v1` there may also be pages. */
function judgeElsewhere(check: SchemaCheck, path: string, answer: GivenAnswer): readonly string[] {
  const isProblem = mediaTypeOf(answer) === problemContentType;
  if (!isProblem) return path === '' || path.startsWith('/v1') ? ['belongs to no operation and is not a problem'] : [];
  const value: unknown = JSON.parse(answer.body);
  const status = typeof value === 'object' && value !== null && 'status' in value ? value.status : undefined;
  return [
    ...check(['components', 'schemas', 'Problem'], value).map((what) => `body${what}`),
    ...(status === answer.status ? [] : [`the body says ${String(status)}`]),
  ];
}

function mediaTypeOf({ headers }: GivenAnswer): string {
  return String(Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]);
}

/** What HTTP and API Gateway add to every answer. */
const ofTransport = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
  'x-amzn-requestid',
]);

/**
 * Fetches from a run in another process.
 * @throws if the answer is not as described
 */
export async function fetchDescribed(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init);
  const headers = [...response.headers].filter(([name]) => !ofTransport.has(name));
  const body = await response.clone().text();
  const answer = { status: response.status, headers: Object.fromEntries(headers), body };
  const wrong = createAnswerJudge()(init.method ?? 'GET', new URL(url).pathname, answer);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return response;
}

/** Judges every answer of a local run: give it `onAnswer`, and call `throwIfWrong` when the run is closed. */
export function watchAnswers(): { readonly onAnswer: OnAnswer; readonly throwIfWrong: () => void } {
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
}
