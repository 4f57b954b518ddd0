import { writeCursor } from '../../../functions/doors/http/page-cursor.ts';
import { acme, externalId } from '../../support/names.ts';
import type { HttpRequest } from '../crash/invocations.ts';
import type { Random } from '../simulation/random.ts';
import { mutateBytes, mutateJson, nastyText, type Pairs } from './nasties.ts';

/** What the world of every input holds: acme's jobs, and another partner's that must never show. */
export const world = {
  own: { jobId: 'job_own', externalId: 'order-own' },
  ended: { jobId: 'job_ended', externalId: 'order-ended' },
  twins: { jobIds: ['job_twin_1', 'job_twin_2'], externalId: 'order-twins' },
  foreign: { jobId: 'job_foreign', externalId: 'order-foreign' },
} as const;

/** Of acme's order-twins: it fits one of the externalIds below. */
const ownCursor = writeCursor(
  { partnerId: acme, externalId: externalId(world.twins.externalId) },
  world.twins.jobIds[1],
);

const externalIds = ['order-own', 'order-ended', 'order-twins', 'order-foreign', 'order-nobody'] as const;
const jobIds = ['job_own', 'job_ended', 'job_twin_1', 'job_foreign', 'job_nobody'] as const;
const text = (value: string): string => JSON.stringify(value);

export const cancelPairs = (random: Random): Pairs => [
  ['externalId', text(random.pick(externalIds))],
  ...(random.chance(0.3) ? ([['jobId', random.chance(0.3) ? 'null' : text(random.pick(jobIds))]] as const) : []),
  ...(random.chance(0.5) ? ([['reason', '"wrong plan"']] as const) : []),
];
export const registerPairs = (random: Random): Pairs => [
  ['externalId', text(random.pick(externalIds))],
  ...(random.chance(0.5) ? ([['projectId', random.pick(['"proj_1"', 'null'])]] as const) : []),
];

const contentTypes: readonly [readonly string[], ...(readonly string[])[]] = [
  ['application/json'],
  ['application/json; charset=utf-8'],
  ['APPLICATION/JSON'],
  ['application/json;'],
  ['application/jsonx'],
  ['text/plain'],
  [''],
  ['application/json', 'text/plain'],
  ['text/plain', 'application/json'],
];

const preferences = ['wait=10', 'wait=5, wait=x', 'wait="', 'WAIT = "3" ; a="b,c"', 'wait=99999999999', '=,;'] as const;
const preferenceOf = (random: Random): HttpRequest['headers'] => {
  if (random.chance(0.7)) return {};
  const line = (): string => (random.chance(0.6) ? random.pick(preferences) : nastyText(random));
  return { [random.pick(['Prefer', 'prefer'])]: random.chance(0.2) ? [line(), line()] : [line()] };
};

const headersOf = (random: Random): HttpRequest['headers'] => {
  const plain = { 'Content-Type': ['application/json'] };
  const contentType = random.chance(0.85) ? plain : { 'content-TYPE': random.pick(contentTypes), 'Content-Type': [] };
  if (random.chance(0.6)) return contentType;
  const key = random.chance(0.5) ? 'a key' : nastyText(random);
  const name = random.pick(['Idempotency-Key', 'idempotency-key', 'IDEMPOTENCY-KEY']);
  return { ...contentType, [name]: random.chance(0.1) ? [key, key] : [key] };
};

const bodyOf = (random: Random, pairs: Pairs): Pick<HttpRequest, 'body' | 'isBase64Encoded'> => {
  if (random.chance(0.02)) return { body: undefined };
  const json = mutateJson(random, pairs);
  if (random.chance(0.85)) return { body: json };
  const bytes = random.chance(0.7) ? mutateBytes(random, Buffer.from(json)) : Buffer.from(json, 'utf16le');
  return { body: bytes.toString('base64'), isBase64Encoded: true };
};

const jobIdOf = (random: Random): string => (random.chance(0.6) ? random.pick(jobIds) : nastyText(random));

/** A valid request of the route, changed at random in any of its parts. */
export const httpInputs = {
  'POST cancellations': (random: Random): HttpRequest => {
    const path = '/v1/cancellations';
    const input = bodyOf(random, cancelPairs(random));
    const headers = { ...headersOf(random), ...preferenceOf(random) };
    return { method: 'POST', resource: path, path, headers, ...input };
  },
  'PUT job': (random: Random): HttpRequest => {
    const jobId = jobIdOf(random);
    const path = `/v1/jobs/${jobId}`;
    const input = bodyOf(random, registerPairs(random));
    const target = { method: 'PUT', resource: '/v1/jobs/{jobId}', path, pathParameters: { jobId } } as const;
    return { ...target, headers: headersOf(random), ...input };
  },
  'GET by job': (random: Random): HttpRequest => {
    const jobId = jobIdOf(random);
    const path = `/v1/cancellations/${jobId}`;
    const query = random.chance(0.2) ? { query: { [nastyText(random)]: [nastyText(random)] } } : {};
    return { method: 'GET', resource: '/v1/cancellations/{jobId}', path, pathParameters: { jobId }, ...query };
  },
  'GET by externalId': (random: Random): HttpRequest => {
    const path = '/v1/cancellations';
    const value = (): string => (random.chance(0.6) ? random.pick(externalIds) : nastyText(random));
    const name = random.chance(0.9) ? 'externalId' : nastyText(random);
    const values = random.chance(0.1) ? [value(), value()] : [value()];
    const more = random.chance(0.1) ? { [nastyText(random)]: [nastyText(random)] } : {};
    const limit = random.chance(0.3) ? [['limit', [random.chance(0.7) ? '1' : nastyText(random)]]] : [];
    const cursor = random.chance(0.2) ? [['cursor', [random.chance(0.5) ? ownCursor : nastyText(random)]]] : [];
    const page = Object.fromEntries([...limit, ...cursor]);
    const query = random.chance(0.05) ? {} : { query: { [name]: values, ...page, ...more } };
    return { method: 'GET', resource: path, path, ...query };
  },
} as const;
export type HttpDoor = keyof typeof httpInputs;
export const httpDoors = ['POST cancellations', 'PUT job', 'GET by job', 'GET by externalId'] as const;
