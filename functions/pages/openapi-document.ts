import document from '../contract/openapi.json' with { type: 'json' };

/** A part of the OpenAPI description. It is read as loosely as any JSON: a page must not fail where it has grown. */
export type Part = Readonly<Record<string, unknown>>;

export const description: Part = document;

export function partOf(value: unknown): Part {
  return isPart(value) ? resolve(value) : {};
}

export function partsOf(value: unknown): readonly (readonly [name: string, part: Part])[] {
  return Object.entries(partOf(value)).map(([name, part]) => [name, partOf(part)]);
}

export function listOf(value: unknown): readonly Part[] {
  return Array.isArray(value) ? value.map(partOf) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a `$ref` refers to. What stands beside it says more than what it refers to (OpenAPI 3.1). */
function resolve(part: Part): Part {
  const { $ref, ...beside } = part;
  if (typeof $ref !== 'string') return part;
  const steps = $ref.slice('#/'.length).split('/');
  const target = steps.reduce<unknown>((from, step) => (isPart(from) ? from[step] : undefined), description);
  return { ...partOf(target), ...beside };
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly part: Part;
}

/** In the order in which a caller needs them: the document has the readings beside the cancel, by their paths. */
const order = ['requestCancellation', 'readCancellation', 'listCancellations', 'previewCancellations', 'registerJob'];

function operationsOf(paths: unknown): readonly Operation[] {
  return partsOf(paths).flatMap(([path, methods]) =>
    partsOf(methods).map(([method, part]) => ({
      id: textOf(part['operationId']),
      method: method.toUpperCase(),
      path,
      part,
    })),
  );
}

const rank = ({ id }: Operation): number => (order.includes(id) ? order.indexOf(id) : order.length);

/** The operations, those that {@link order} does not know last. */
export const operations = operationsOf(description['paths']).toSorted((one, other) => rank(one) - rank(other));

/** What the service sends by itself. */
export const webhooks = operationsOf(description['webhooks']);

export interface Example {
  readonly summary: string;
  readonly value: unknown;
}

/** The examples of a body, of whichever media type. */
export function examplesOf(body: Part): readonly Example[] {
  return partsOf(body['content']).flatMap(([, media]) =>
    partsOf(media['examples']).map(([name, { summary, value }]) => ({ summary: textOf(summary) || name, value })),
  );
}
