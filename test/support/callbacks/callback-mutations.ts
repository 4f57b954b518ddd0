import { createHmac } from 'node:crypto';

/** What is signed: the id and the time of an attempt, and the exact text of its body. */
export interface CallbackToSign {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
  /** `whsec_…`, one for each signature. */
  readonly secrets: readonly string[];
}

export type CallbackHeader = 'webhook-id' | 'webhook-timestamp' | 'webhook-signature';

/** What a receiver gets. */
export interface ReceivedCallback {
  readonly headers: Readonly<Partial<Record<CallbackHeader, string>>>;
  readonly body: string;
}

/** The secrets of a test: what a receiver has is `valid`. */
export const callbackSecrets = {
  valid: secretOf('acme', 2),
  /** The version before, which signs too while both are valid. */
  previous: secretOf('acme', 1),
  otherPartner: secretOf('globex', 2),
  /** As if the service had another master secret. */
  other: secretOf('acme', 2, 'another master secret'),
} as const;

function secretOf(partnerId: string, version: number, master = 'the master secret of the tests'): string {
  return `whsec_${createHmac('sha256', master).update(`${partnerId}#${version}`).digest('base64')}`;
}

/**
 * Signs as the specification says, with nothing of the service's own code.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
export function signBySpecification({ id, timestamp, body, secrets }: CallbackToSign) {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  } satisfies Record<CallbackHeader, string>;
  return { headers, body };
}

type Sign = (changes?: Partial<CallbackToSign>) => ReturnType<typeof signBySpecification>;

/** Over the five minutes of every verifier, with room for a slow test. */
const TOO_FAR_SECONDS = 6 * 60;

/**
 * What a receiver must refuse: each mutation, as one or more forged callbacks. A receiver with `callbackSecrets.valid`
 * accepts `toSign` as {@link signBySpecification} signs it, and none of these.
 */
export const callbackMutations: Readonly<
  Record<string, (toSign: CallbackToSign, sign: Sign) => readonly ReceivedCallback[]>
> = {
  'another id': ({ id }, sign) => [withHeaders(sign(), { 'webhook-id': `${id}x` })],
  'another timestamp': ({ timestamp }, sign) => [withHeaders(sign(), { 'webhook-timestamp': String(timestamp - 1) })],
  'another byte in the body': ({ body }, sign) => [
    { ...sign(), body: body.replace('"cancelled"', '"cancelleD"') },
    { ...sign(), body: `${body} ` },
  ],
  'other white space in the body': ({ body }, sign) => [
    { ...sign(), body: JSON.stringify(JSON.parse(body), undefined, 2) },
  ],
  'another byte in the signature': (_, sign) => [changeSignature(sign(), (text) => swapAt(text, 'v1,'.length + 9))],
  'another version of the signature': (_, sign) => [
    changeSignature(sign(), (text) => text.replace(/^v1,/, 'v2,')),
    changeSignature(sign(), (text) => text.replace(/^v1,/, 'v1a,')),
  ],
  'another secret': (_, sign) => [sign({ secrets: [callbackSecrets.other] })],
  "another partner's secret": (_, sign) => [sign({ secrets: [callbackSecrets.otherPartner] })],
  'the version before, after the overlap': (_, sign) => [sign({ secrets: [callbackSecrets.previous] })],
  'too old': ({ timestamp }, sign) => [sign({ timestamp: timestamp - TOO_FAR_SECONDS })],
  'too new': ({ timestamp }, sign) => [sign({ timestamp: timestamp + TOO_FAR_SECONDS })],
  'a missing header': (_, sign) =>
    (['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const).map((missing) => {
      const { headers, body } = sign();
      const { [missing]: _removed, ...others } = headers;
      return { headers: others, body };
    }),
};

/** Every forged callback of {@link callbackMutations}, with the name of its mutation. */
export function forgeCallbacks(toSign: CallbackToSign): readonly (ReceivedCallback & { readonly mutation: string })[] {
  const sign: Sign = (changes) => signBySpecification({ ...toSign, ...changes });
  return Object.entries(callbackMutations).flatMap(([mutation, forge]) =>
    forge(toSign, sign).map((forged) => ({ mutation, ...forged })),
  );
}

/** A callback of now, as the service sends one: its text has more than ASCII, so that bytes and characters differ. */
export function callbackOfNow(changes: Partial<CallbackToSign> = {}): CallbackToSign {
  const data = { jobId: 'job_1', externalId: 'commande-é-1', state: 'closed', outcome: 'cancelled' };
  return {
    id: 'closed-job_1-2',
    timestamp: Math.floor(Date.now() / 1000),
    body: JSON.stringify({ type: 'cancellation.closed', timestamp: '2026-11-26T12:00:00.000Z', data }),
    secrets: [callbackSecrets.valid],
    ...changes,
  };
}

function withHeaders(callback: ReceivedCallback, headers: ReceivedCallback['headers']): ReceivedCallback {
  return { ...callback, headers: { ...callback.headers, ...headers } };
}

function changeSignature(callback: ReturnType<Sign>, change: (text: string) => string): ReceivedCallback {
  return withHeaders(callback, { 'webhook-signature': change(callback.headers['webhook-signature']) });
}

/** Another character of base64 at this place, which stands for other bits. */
function swapAt(text: string, index: number): string {
  return `${text.slice(0, index)}${text[index] === 'A' ? 'B' : 'A'}${text.slice(index + 1)}`;
}
