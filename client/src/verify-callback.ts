import type { Callback } from './callback.ts';
import { isObject, object, text } from './check-shape.ts';
import type { Clock } from './send.ts';

/** A request's headers: `Headers`, or an object with names in any case. */
export type CallbackHeaders = FetchHeaders | Readonly<Record<string, string | readonly string[] | undefined>>;
interface FetchHeaders {
  get(name: string): string | null;
}

/** Why a request was not accepted as a callback. */
export type CallbackProblem = 'header_missing' | 'timestamp_out_of_range' | 'signature_mismatch' | 'body_unreadable';

/** A request that is not a callback of the service, or not a fresh one: answer 400. The message repeats nothing of it. */
export class InvalidCallbackError extends Error {
  override readonly name = 'InvalidCallbackError';
  readonly code: CallbackProblem;

  constructor(code: CallbackProblem, message: string) {
    super(message);
    this.code = code;
  }
}

/** The service signs each attempt anew: an older one is a recording, or one of the clocks is wrong. */
const TOLERANCE_MS = 300_000;
/** 32 bytes in base64. Its last digit has two spare bits: they are zero, so that each signature has one spelling. */
const signatureForm = /^v1,([A-Za-z\d+/]{42}[AEIMQUYcgkosw048]=)$/;
/** At least 24 bytes, as Standard Webhooks wants. */
const secretForm = /^whsec_((?:[A-Za-z\d+/]{4}){8,}(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?)$/;
const HMAC = { name: 'HMAC', hash: 'SHA-256' };

/**
 * Verifies that a request is a callback of the service, sent within the last five minutes, and reads it. Web Crypto compares
 * the signatures, in constant time.
 * @param rawBody exactly what arrived, as text or bytes: a body that was parsed and written again has another signature
 * @param secrets the signing secrets (`whsec_…`): during a rotation the new one and the one before it
 * @throws InvalidCallbackError if it is not such a request; TypeError if the secrets or the kind of rawBody cannot be used
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export async function verifyCallback(
  headers: CallbackHeaders,
  rawBody: string | Uint8Array,
  secrets: string | readonly string[],
  { clock = Date }: { readonly clock?: Pick<Clock, 'now'> | undefined } = {},
): Promise<Callback> {
  const keys = readSecrets(secrets);
  const body = readText(rawBody);
  const [id, timestamp, signatures] = [
    readHeader(headers, 'id'),
    readHeader(headers, 'timestamp'),
    readHeader(headers, 'signature'),
  ];
  if (!/^\d+$/.test(timestamp) || Math.abs(clock.now() - Number(timestamp) * 1000) > TOLERANCE_MS) {
    throw new InvalidCallbackError('timestamp_out_of_range', 'webhook-timestamp: not within 5 minutes of now');
  }
  if (!(await isSigned(`${id}.${timestamp}.${body}`, signatures, keys))) {
    throw new InvalidCallbackError('signature_mismatch', 'webhook-signature: fits no secret, or the body was changed');
  }
  return readCallback(body, id);
}

/** @throws TypeError that repeats none of them */
function readSecrets(secrets: string | readonly string[]): readonly Uint8Array<ArrayBuffer>[] {
  // A variable that is not set is the text "undefined" for a regular expression, which does not have the form either.
  const keys = [secrets].flat().map((secret) => decodeBase64(secretForm.exec(secret)?.[1]));
  if (keys.length === 0 || !keys.every((key) => key !== undefined)) {
    throw new TypeError('secrets: one or more, each whsec_… and complete');
  }
  return keys;
}

/** @throws InvalidCallbackError for bytes that are not UTF-8; TypeError for what is neither text nor bytes */
function readText(rawBody: string | Uint8Array): string {
  if (typeof rawBody === 'string') return rawBody;
  if (!ArrayBuffer.isView(rawBody)) throw new TypeError('rawBody: the text or bytes that arrived, not what was parsed');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(rawBody);
  } catch {
    throw new InvalidCallbackError('body_unreadable', 'The body is not UTF-8');
  }
}

/** @throws InvalidCallbackError */
function readHeader(headers: CallbackHeaders, end: string): string {
  const name = `webhook-${end}`;
  const value = isFetchHeaders(headers)
    ? headers.get(name)
    : Object.entries(headers)
        .flatMap(([key, values]) => (key.toLowerCase() === name ? values : []))
        .join(', ');
  if (!value) throw new InvalidCallbackError('header_missing', `${name}: missing`);
  return value;
}

const isFetchHeaders = (headers: CallbackHeaders): headers is FetchHeaders => typeof headers['get'] === 'function';

async function isSigned(
  content: string,
  signatures: string,
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<boolean> {
  const { subtle } = globalThis.crypto ?? (await importCrypto());
  const bytes = new TextEncoder().encode(content);
  for (const key of keys) {
    const imported = await subtle.importKey('raw', key, HMAC, false, ['verify']);
    for (const signature of signatures.split(/,? /)) {
      const decoded = decodeBase64(signatureForm.exec(signature)?.[1]);
      if (decoded && (await subtle.verify('HMAC', imported, decoded, bytes))) return true;
    }
  }
  return false;
}

/** Node 18 has Web Crypto, but not as a global. The name is not a literal: bundlers for browsers would look for it. */
async function importCrypto(name = 'node:crypto'): Promise<typeof crypto> {
  const { webcrypto }: { webcrypto: typeof crypto } = await import(/* webpackIgnore: true */ /* @vite-ignore */ name);
  return webcrypto;
}

/** The signature vouches for the rest: what the type promises, and what a newer service adds. */
const isCallback = object<Callback>({ type: text, id: text, timestamp: text, data: isObject });

/** @throws InvalidCallbackError */
function readCallback(body: string, id: string): Callback {
  try {
    const callback: unknown = { ...JSON.parse(body), id };
    if (isCallback(callback)) return callback;
  } catch {
    // Not JSON.
  }
  throw new InvalidCallbackError('body_unreadable', 'The body is signed, but it is not a callback');
}

/** @returns undefined if there is nothing to decode: the text did not have the form */
function decodeBase64(base64: string | undefined): Uint8Array<ArrayBuffer> | undefined {
  return base64 === undefined ? undefined : Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
