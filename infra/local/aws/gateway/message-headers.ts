/** A header as name and value. */
export type HeaderPair = readonly [name: string, value: string];

/**
 * What API Gateway does to headers on their way to a Lambda function, and back: a header that is not named here passes
 * as it is.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html#api-gateway-known-issues-rest-apis
 */
const droppedFromRequests = new Set([
  'connection',
  'content-md5',
  'expect',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
  // It overrides the method and is not passed on.
  'x-http-method-override',
]);
const droppedFromAnswers = new Set([
  // Generated from the body.
  'content-length',
  'expect',
  'host',
  // Not in AWS's table: it belongs to the connection, like the others.
  'keep-alive',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);
const remappedInAnswers = new Set([
  'authorization',
  'connection',
  'content-md5',
  'date',
  'max-forwards',
  'server',
  'user-agent',
  'www-authenticate',
]);

/** What the function gets of the client's headers, with those that API Gateway adds. */
export function headersForFunction(
  given: readonly HeaderPair[],
  added: { readonly address: string; readonly port: string; readonly traceId: string },
): readonly HeaderPair[] {
  const named = (wanted: string): readonly HeaderPair[] => given.filter(([name]) => name.toLowerCase() === wanted);
  const forwardedFor = [...named('x-forwarded-for').map(([, value]) => value), added.address].join(', ');
  const own = new Set(['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto']);
  return [
    ...given.filter((header) => !isDropped(header) && !own.has(header[0].toLowerCase())),
    // Only to a request that has none.
    ...(named('x-amzn-trace-id').length === 0 ? [['X-Amzn-Trace-Id', added.traceId] as const] : []),
    ['X-Forwarded-For', forwardedFor],
    ['X-Forwarded-Port', added.port],
    ['X-Forwarded-Proto', 'http'],
  ];
}

function isDropped([name, value]: HeaderPair): boolean {
  const isSignature = name.toLowerCase() === 'authorization' && value.startsWith('AWS4-HMAC-SHA256');
  return isSignature || droppedFromRequests.has(name.toLowerCase());
}

/** The name under which the client gets a header of the function's answer. @returns undefined: it does not get it */
export function nameInAnswer(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (droppedFromAnswers.has(lower)) return undefined;
  return remappedInAnswers.has(lower) ? `X-Amzn-Remapped-${name}` : name;
}

/** @see https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html */
export function newTraceId(nowMs: number, random: string): string {
  const seconds = Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0');
  return `Root=1-${seconds}-${random}`;
}
