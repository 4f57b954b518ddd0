import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod/mini';
import { REPLACEMENT_CHARACTER } from '../../core/identifiers.ts';
import { type Problem, problem } from './serve.ts';

/** A checked input, or the problem with it. */
export type Input<Value> = { readonly kind: 'input'; readonly value: Value } | Problem;

const MAX_BODY_BYTES = 8 * 1024;
/** One answer lists at most this many errors. */
const MAX_ERRORS = 20;

/** All values of a header; the case of its name does not matter (RFC 9110, section 5.1). */
export function headerValues({ multiValueHeaders }: APIGatewayProxyEvent, name: string): readonly string[] {
  return Object.entries(multiValueHeaders ?? {})
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, values]) => values ?? []);
}

/** The JSON body of a request, read strictly: what is not understood is rejected, never ignored. */
export function readBody<Schema extends z.ZodMiniType>(
  event: APIGatewayProxyEvent,
  schema: Schema,
): Input<z.infer<Schema>> {
  const [contentType = ''] = headerValues(event, 'content-type');
  if (!/^application\/json\s*(;|$)/i.test(contentType.trim())) {
    return problem('unsupported_media_type', 'Send Content-Type: application/json.');
  }
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES) {
    return problem('body_too_large', `The body has ${bytes.length} bytes; at most 8192 are allowed.`);
  }
  // What is not UTF-8 becomes U+FFFD, here as in API Gateway: the schema then refuses it with the field's path.
  const body = bytes.toString();
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return invalid([{ path: '', message: whyNotJson(body) }]);
  }
  const input = check(value, schema);
  if (input.kind === 'problem') return input;
  const keys = repeatedKeys(body);
  if (keys.length > 0) return repeated(keys);
  return isOtherCharset(contentType) && bytes.some((byte) => byte > 0x7f) ? invalid([notUtf8]) : input;
}

function whyNotJson(body: string): string {
  if (body.startsWith('\ufeff')) return 'begins with a byte order mark (U+FEFF): send UTF-8 without one';
  return body.includes(REPLACEMENT_CHARACTER) ? 'is not valid UTF-8' : 'is not JSON';
}

/** JSON is UTF-8 whatever `charset` says (RFC 8259, section 8.1), so a caller that names another one means another text. */
function isOtherCharset(contentType: string): boolean {
  const [, charset = 'utf-8'] = /;\s*charset="?([^";\s]*)/i.exec(contentType) ?? [];
  return !/^utf-?8$/i.test(charset);
}
const notUtf8 = { path: 'Content-Type', message: 'must not name another charset than UTF-8' };

/** Checks an input, and describes what is wrong with it field by field. */
export function check<Schema extends z.ZodMiniType>(value: unknown, schema: Schema): Input<z.infer<Schema>> {
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
}

export function repeated(paths: readonly string[]): Problem {
  return invalid(paths.map((path) => ({ path, message: 'is given more than once' })));
}

export function invalid(errors: readonly { path: string; message: string }[]): Problem {
  const shown = errors.slice(0, MAX_ERRORS);
  const detail = shown.map(({ path, message }) => (path === '' ? `The body ${message}.` : `${path} ${message}.`));
  return problem('invalid_request', detail.join(' '), { errors: shown });
}

/**
 * `JSON.parse` silently keeps the last of two equal keys, but a gateway before this service may have read the first. In a
 * text that was parsed as one flat object, a string token before a colon is a key.
 */
function repeatedKeys(flatObject: string): readonly string[] {
  const seen = new Set<string>();
  const found = new Set<string>();
  for (const [, token, colon] of flatObject.matchAll(/("(?:[^"\\]|\\.)*")\s*(:?)/g)) {
    if (token === undefined || colon !== ':') continue;
    const key = String(JSON.parse(token));
    if (seen.has(key)) found.add(key);
    seen.add(key);
  }
  return [...found];
}
