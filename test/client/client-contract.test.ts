import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import * as z from 'zod/mini';
import * as client from '../../client/src/index.ts';
import type {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  previewListSchema,
  registeredJobSchema,
  timelineEntrySchema,
} from '../../functions/contract/answers.ts';
import type { problemSchemas } from '../../functions/contract/problem-answers.ts';
import type { callbackBodySchema } from '../../functions/contract/callbacks.ts';
import type { readByExternalIdSchema } from '../../functions/contract/page-request.ts';
import type { cancelRequestSchema, registerJobSchema } from '../../functions/contract/requests.ts';
import type * as service from '../../functions/contract/problems.ts';

/** What a schema accepts: a message as it is sent, without brands. */
type Sent<Schema extends z.ZodMiniType> = ReadonlyDeep<z.input<Schema>>;
type ReadonlyDeep<Value> = Value extends readonly (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> }
    : Value;
type Problem<Code extends service.ProblemCode> = Sent<(typeof problemSchemas)[Code]>;
type Terminal = Problem<'job_already_terminal'>;

/** The compiler checks these (`npm run types`); they do nothing when they run. */
describe('the client’s types equal the contract’s', () => {
  test('for what the service answers', () => {
    expectTypeOf<ReadonlyDeep<client.Cancellation>>().toEqualTypeOf<Sent<typeof cancellationSchema>>();
    expectTypeOf<ReadonlyDeep<client.TimelineEntry>>().toEqualTypeOf<Sent<typeof timelineEntrySchema>>();
    expectTypeOf<ReadonlyDeep<client.CancellationWithTimeline>>().toEqualTypeOf<
      Sent<typeof cancellationWithTimelineSchema>
    >();
    expectTypeOf<readonly ReadonlyDeep<client.CancellationWithTimeline>[]>().toEqualTypeOf<
      Sent<typeof cancellationListSchema>['cancellations']
    >();
    expectTypeOf<readonly ReadonlyDeep<client.Refusal>[]>().toEqualTypeOf<
      Sent<typeof cancellationListSchema>['refusals']
    >();
    expectTypeOf<readonly ReadonlyDeep<client.Preview>[]>().toEqualTypeOf<Sent<typeof previewListSchema>['previews']>();
    expectTypeOf<ReadonlyDeep<client.RegisteredJob>>().toEqualTypeOf<Sent<typeof registeredJobSchema>>();
  });

  test('for what its problems say', () => {
    expectTypeOf<client.ProblemCode>().toEqualTypeOf<service.ProblemCode>();
    expectTypeOf<readonly ReadonlyDeep<client.Candidate>[]>().toEqualTypeOf<
      Problem<'ambiguous_external_id'>['candidates']
    >();
    expectTypeOf<readonly ReadonlyDeep<client.FieldError>[]>().toEqualTypeOf<Problem<'invalid_request'>['errors']>();
    expectTypeOf<ReadonlyDeep<client.TooLate['cancellation']>>().toEqualTypeOf<Terminal['cancellation']>();
    expectTypeOf<ReadonlyDeep<client.UnknownToPlangrep['cancellation']>>().toEqualTypeOf<
      Problem<'job_unknown_to_plangrep'>['cancellation']
    >();
    expectTypeOf<client.TooLate['jobStatus']>().toEqualTypeOf<Terminal['jobStatus']>();
  });

  test('for callbacks, but for the id, which is a header', () => {
    type WithoutId<Type> = Type extends client.Callback ? Omit<Type, 'id'> : never;
    expectTypeOf<ReadonlyDeep<WithoutId<client.Callback>>>().toEqualTypeOf<Sent<typeof callbackBodySchema>>();
  });

  test('for what callers send', () => {
    expectTypeOf<keyof client.ListRequest>().toEqualTypeOf<keyof Sent<typeof readByExternalIdSchema>>();
    expectTypeOf<ReadonlyDeep<client.CancelRequest>>().toEqualTypeOf<Sent<typeof cancelRequestSchema>>();
    expectTypeOf<ReadonlyDeep<client.RegisterJobRequest>>().toEqualTypeOf<Sent<typeof registerJobSchema>>();
  });
});

const parameterSchema = z.object({ name: z.string(), in: z.enum(['header', 'path', 'query']) });
const named = z.object({ $ref: z.string() });
const operationSchema = z.object({
  parameters: z.optional(z.array(parameterSchema)),
  requestBody: z.optional(z.object({ content: z.object({ 'application/json': z.object({ schema: named }) }) })),
});
/** As far as a request goes. */
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.object({ schemas: z.record(z.string(), z.object({ properties: z.optional(z.looseObject({})) })) }),
});
const { paths, components } = documentSchema.parse(
  JSON.parse(readFileSync(new URL('../../functions/contract/openapi.json', import.meta.url), 'utf8')),
);

type Place = z.infer<typeof parameterSchema>['in'] | 'body';
/** The names of what a request can carry, by where it stands. */
type Carried = Readonly<Record<Place, readonly string[]>>;

function readCarried(operation: unknown): Carried {
  const { parameters = [], requestBody } = operationSchema.parse(operation);
  const within = (place: Place) => parameters.filter((parameter) => parameter.in === place).map(({ name }) => name);
  const schema = requestBody?.content['application/json'].schema.$ref.split('/').at(-1) ?? '';
  const body = Object.keys(components.schemas[schema]?.properties ?? {});
  return { path: within('path'), query: within('query'), header: within('header'), body };
}

type Fields = Readonly<Record<string, string>>;
/** How the client sends an operation; headers have names of their own in it. */
const calls: Readonly<Record<string, (by: client.CancellationClient, fields: Fields) => Promise<unknown>>> = {
  'post /v1/cancellations': (by, { 'Idempotency-Key': idempotencyKey, Prefer: _always, ...fields }) =>
    by.cancel({ ...(fields as unknown as client.CancelRequest), idempotencyKey }),
  'post /v1/cancellation-previews': (by, { externalIds = '' }) => by.cancelMany([{ externalId: externalIds }]),
  'get /v1/cancellations': (by, fields) => by.list(fields as unknown as client.ListRequest),
  'get /v1/cancellations/{jobId}': (by, fields) => by.read(fields as { jobId: string }),
  'put /v1/jobs/{jobId}': (by, fields) => by.registerJob(fields as { jobId: string; externalId: string }),
};

describe('the client sends every parameter and field that the contract has', () => {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
  );
  const partners = operations.filter(([name]) => name.includes(' /v1/'));

  test('with a method for each operation', () => {
    expect(partners.map(([name]) => name).toSorted()).toEqual(Object.keys(calls).toSorted());
  });

  test.each(partners)('of %s', async (name, operation) => {
    const carried = readCarried(operation);
    const all = Object.values(carried).flat();
    const fields = Object.fromEntries(all.map((field) => [field, `the-${field}`]));
    const sent: { url: URL; init: RequestInit }[] = [];
    const by = new client.CancellationClient({
      baseUrl: 'https://api.example/prod',
      credential: 'pcg_test_of_the_contract',
      fetch: (url, init) => {
        sent.push({ url: new URL(url), init });
        return Promise.resolve(new Response('{}'));
      },
    });

    await calls[name]?.(by, fields);

    const [{ url, init } = expect.fail('nothing was sent')] = sent;
    const headers = new Headers(init.headers);
    const [method, path = ''] = name.split(' ');
    const valuesOf = (names: readonly string[]) => Object.fromEntries(names.map((field) => [field, fields[field]]));
    expect([init.method?.toLowerCase(), url.pathname]).toEqual([
      method,
      `/prod${path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => `the-${parameter}`)}`,
    ]);
    expect(Object.fromEntries(url.searchParams)).toEqual(valuesOf(carried.query));
    const body: Readonly<Record<string, unknown>> = typeof init.body === 'string' ? JSON.parse(init.body) : {};
    // A list has one item here.
    expect(Object.fromEntries(Object.entries(body).map(([field, value]) => [field, String(value)]))).toEqual(
      valuesOf(carried.body),
    );
    expect(carried.header.filter((header) => !headers.has(header))).toEqual([]);
    if (carried.header.includes('Idempotency-Key')) expect(headers.get('Idempotency-Key')).toBe('the-Idempotency-Key');
    expect(all.length).toBeGreaterThan(0);
  });
});
