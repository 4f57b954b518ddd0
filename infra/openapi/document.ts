/** A JSON Schema of the dialect 2020-12, as far as the description uses it; other keywords are its annotations. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly [keyword: string]: unknown;
}

export interface Reference {
  readonly $ref: string;
}

export interface Example {
  readonly summary: string;
  readonly value: unknown;
}

export interface Content {
  readonly schema: Schema;
  readonly examples: Readonly<Record<string, Example>>;
}

export interface Header {
  readonly description: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

/** What a status brings: OpenAPI's Response Object. */
export interface AnswerDescription {
  readonly description: string;
  readonly headers: Readonly<Record<string, Header | Reference>>;
  readonly content: Readonly<Record<string, Content>>;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly description: string;
    readonly content: Readonly<Record<string, Content>>;
  };
  readonly responses: Readonly<Record<string, AnswerDescription | Reference>>;
}

/**
 * The parts of an OpenAPI document that the description of this API has, and no more.
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: Readonly<Record<string, unknown>> & { readonly version: string };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly headers: Readonly<Record<string, Header>>;
    readonly responses: Readonly<Record<string, AnswerDescription>>;
    readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
}

const follow = <Part>(parts: Readonly<Record<string, Part>>, $ref: string): Part => {
  const found = parts[$ref.slice($ref.lastIndexOf('/') + 1)];
  if (found === undefined) throw new Error(`${$ref} leads nowhere`);
  return found;
};

const isReference = (part: object): part is Reference => '$ref' in part;

/** What stands where a `$ref` leads, or the part itself. @throws where a reference leads nowhere */
export const headerOf = (document: OpenApiDocument, part: Header | Reference): Header =>
  isReference(part) ? follow(document.components.headers, part.$ref) : part;
export const answerOf = (document: OpenApiDocument, part: AnswerDescription | Reference): AnswerDescription =>
  isReference(part) ? follow(document.components.responses, part.$ref) : part;
export const schemaOf = (document: OpenApiDocument, { $ref, ...beside }: Schema): Schema =>
  $ref === undefined ? beside : { ...schemaOf(document, follow(document.components.schemas, $ref)), ...beside };
