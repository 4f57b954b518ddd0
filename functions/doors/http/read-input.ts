import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod/mini';
import type { Problem } from './answer.ts';

/** A checked input, or the problem with it. */
export type Input<Value> = { readonly kind: 'input'; readonly value: Value } | Problem;

const MAX_BODY_BYTES = 8 * 1024;
/** As many errors as one answer lists. */
const MAX_ERRORS = 20;

/** All values of a header, whatever the case of its name (RFC 9110, section 5.1). */
export const headerValues = ({ multiValueHeaders }: APIGatewayProxyEvent, name: string): readonly string[] =>
  Object.entries(multiValueHeaders ?? {})
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, values]) => values ?? []);

/** The JSON body of a request, strictly: what is not understood is refused, never ignored. */
export const readBody = <Schema extends z.ZodMiniType>(
  event: APIGatewayProxyEvent,
  schema: Schema,
): Input<z.infer<Schema>> => {
  const [contentType = ''] = headerValues(event, 'content-type');
  if (!/^application\/json\s*(;|$)/i.test(contentType.trim())) {
    return { kind: 'problem', code: 'unsupported_media_type', detail: 'Send Content-Type: application/json.' };
  }
  const body = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64').toString() : (event.body ?? '');
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_BODY_BYTES) {
    return {
      kind: 'problem',
      code: 'body_too_large',
      detail: `The body has ${bytes} bytes; at most 8192 are allowed.`,
    };
  }
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return invalid([{ path: '', message: 'is not JSON' }]);
  }
  const input = check(value, schema);
  const repeated = input.kind === 'input' ? repeatedKeys(body) : [];
  return repeated.length > 0 ? invalid(repeated.map((path) => ({ path, message: 'is given more than once' }))) : input;
};

/** Checks a value that came in, and words what is wrong with it field by field. */
export const check = <Schema extends z.ZodMiniType>(value: unknown, schema: Schema): Input<z.infer<Schema>> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: 'input', value: parsed.data };
  return invalid(
    parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            path: key.slice(0, 64).toWellFormed(),
            message: 'is not a field of this request',
          }))
        : [{ path: issue.path.join('.'), message: issue.message }],
    ),
  );
};

export const invalid = (errors: readonly { path: string; message: string }[]): Problem => {
  const shown = errors.slice(0, MAX_ERRORS);
  const detail = shown.map(({ path, message }) => (path === '' ? `The body ${message}.` : `${path} ${message}.`));
  return { kind: 'problem', code: 'invalid_request', detail: detail.join(' '), extra: { errors: shown } };
};

/**
 * `JSON.parse` keeps the last of two equal keys silently; a gateway before us may have read the first. In a text that
 * parsed as one flat object, a string token that a colon follows is a key.
 */
const repeatedKeys = (flatObject: string): readonly string[] => {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const [, token, colon] of flatObject.matchAll(/("(?:[^"\\]|\\.)*")\s*(:?)/g)) {
    if (token === undefined || colon !== ':') continue;
    const key = String(JSON.parse(token));
    if (seen.has(key)) repeated.add(key);
    seen.add(key);
  }
  return [...repeated];
};
