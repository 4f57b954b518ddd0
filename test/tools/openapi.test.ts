import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type * as z from 'zod/mini';
import { BINDING_DAYS } from '../../functions/adapters/dynamodb/job-directory.ts';
import { externalIdSchema, jobIdSchema, reasonSchema, timestampSchema } from '../../functions/core/identifiers.ts';
import { JOBS_SHOWN, JOINED_COUNTED, JOINED_SHOWN } from '../../functions/core/use-cases/read-cancellations.ts';
import { EVENTS_SHOWN, MAX_ANSWER_BYTES } from '../../functions/doors/http/present-cancellation.ts';
import { callbackBodySchema } from '../../functions/contract/callbacks.ts';
import { cursorSchema } from '../../functions/contract/page-request.ts';
import { idempotencyKeySchema } from '../../functions/contract/requests.ts';
import { problems } from '../../functions/contract/problems.ts';
import { partnerAuthorizer, routes } from '../../infra/blueprint/api.ts';
import { createDocument } from '../../infra/openapi/create-document.ts';
import type { Content, Operation, Schema } from '../../infra/openapi/document.ts';
import {
  answerOf,
  createSchemaCheck,
  descriptionPath,
  readDescription,
  releasedPath,
} from '../support/openapi/openapi-answers.ts';
import { findBreakingChanges, lint } from '../support/openapi/redocly.ts';

const text = readFileSync(descriptionPath, 'utf8');
const description = readDescription();
const released = readDescription(releasedPath);
const { version }: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
const operations: readonly (readonly [string, string, Operation])[] = Object.entries(description.paths).flatMap(
  ([path, methods]) => Object.entries(methods).map(([method, operation]) => [path, method, operation] as const),
);

/** Answers are described more closely than by these unions, which give programs one type for what they handle. */
const forPrograms = /^no-unused-components: Component: "(Problem|Cancellation|Callback)" is never used/;

/** The codes of a union of problems: each alternative has its own. */
const codesOf = (schema: Schema | undefined): readonly string[] =>
  (schema?.oneOf ?? []).map(({ $ref = '' }) => {
    const alternative = description.components.schemas[$ref.split('/').at(-1) ?? ''];
    return String(alternative?.properties?.['code']?.const);
  });

describe('the OpenAPI description', () => {
  test('is what the contract says: if not, "npm run openapi" writes it', () => {
    expect(text).toBe(`${JSON.stringify(createDocument(version), null, 2)}\n`);
  });

  test.each(['spec', 'recommended-strict'] as const)('passes the ruleset %s', async (ruleset) => {
    const found = await lint(text, ruleset);

    expect(found.filter((line) => !forPrograms.test(line))).toEqual([]);
  });

  test('is linted by rules that do find errors', async () => {
    const repeated = text.replace('"operationId": "registerJob"', '"operationId": "readCancellation"');

    const found = await lint(repeated, 'recommended-strict');

    expect(found).toContainEqual(expect.stringMatching(/^operation-operationId-unique: /));
  });

  test('breaks no caller of the released version', async () => {
    expect(await findBreakingChanges(released, description)).toEqual([]);
  });

  test('shows only what callers of the released version can read', () => {
    const check = createSchemaCheck(released, 'open');
    const addedSince = new Set(['too_many_jobs']);
    const shown = operations.flatMap(([path, method, { responses }]) =>
      Object.entries(responses).flatMap(([status, part]) =>
        Object.entries(answerOf(description, part).content).flatMap(([type, { examples }]) =>
          Object.entries(examples).map(([name, { value }]) => ({ path, method, status, type, name, value })),
        ),
      ),
    );
    const wrong = shown.flatMap(({ path, method, status, type, name, value }) => {
      const known = released.paths[path]?.[method]?.responses[status];
      if (known === undefined || addedSince.has(name)) return [];
      const shared = '$ref' in known ? known.$ref.split('/').slice(1) : undefined;
      const pointer = [...(shared ?? ['paths', path, method, 'responses', status]), 'content', type, 'schema'];
      return check(pointer, value).map((what) => `${method} ${path} ${status} ${name}: ${what}`);
    });

    expect(shown.length).toBeGreaterThan(40);
    expect(wrong).toEqual([]);
  });

  test('has every problem code, and under each status of an operation only codes of that status', () => {
    const codes = codesOf(description.components.schemas['Problem']);
    const byOperation = operations.flatMap(([, , { responses }]) =>
      Object.entries(responses).flatMap(([status, part]) => {
        const schema = answerOf(description, part).content['application/problem+json']?.schema;
        return codesOf(schema).map((code) => ({ status: Number(status), code }));
      }),
    );

    expect(new Set(codes)).toEqual(new Set(Object.keys(problems)));
    for (const { status, code } of byOperation) expect(problems).toMatchObject({ [code]: { status } });
    const met = new Set(byOperation.map(({ code }) => code));
    // They belong to no operation: only the overview and the schema of problems name them.
    const unmet = Object.keys(problems).filter((code) => !met.has(code));
    expect(unmet).toEqual(['route_not_found', 'method_not_allowed']);
    for (const code of unmet) expect(JSON.stringify(description.info)).toContain(code);
  });

  test('has an example of every problem of every operation, and each names its own code', () => {
    const lacking = operations.flatMap(([, , { operationId, responses }]) =>
      Object.values(responses).flatMap((part) => {
        const content = answerOf(description, part).content['application/problem+json'];
        const shown = new Set(
          Object.values(content?.examples ?? {}).map(({ value }) => (value as { code: string }).code),
        );
        return codesOf(content?.schema)
          .filter((code) => !shown.has(code))
          .map((code) => `${operationId}: ${code}`);
      }),
    );

    expect(lacking).toEqual([]);
  });

  test('states the limits that the functions use', () => {
    expect(text).toContain(`kept for ${BINDING_DAYS} days`);
    expect(description.components.schemas['PageLimit']).toMatchObject({ maximum: JOBS_SHOWN, default: JOBS_SHOWN });
    expect(text).toContain(`Of the \`joined\` requests the newest: at most ${JOINED_SHOWN},`);
    expect(text).toContain(`Counted up to ${JOINED_COUNTED},`);
    expect(text).toContain(`Of the events at most ${EVENTS_SHOWN}:`);
    expect(text).toContain(`never exceeds ${MAX_ANSWER_BYTES / 1000} KB`);
  });

  test('is in no bundle of a function that cancels, reads or registers, and neither are the texts about problems', () => {
    const bundles = fileURLToPath(new URL('../../dist/functions', import.meta.url));
    const served = routes.filter(({ path }) => path.startsWith('/v1/')).map((route) => route.function);
    const names = [...served, partnerAuthorizer.function, 'consume-events', 'reconcile-cancellations'];
    const files = names
      .flatMap((name) => readdirSync(join(bundles, name), { withFileTypes: true }))
      .filter((entry) => entry.isFile());
    const code = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n');

    expect(code).toContain('is not a field of this request');
    for (const words of ['It is in our records under', 'Correct the request', 'x-may-grow', 'listCancellations']) {
      expect(text).toContain(words);
      expect(code).not.toContain(words);
    }
  });
});

describe('every example', () => {
  const check = createSchemaCheck(description);
  const examplesIn = (pointer: readonly string[], content: Readonly<Record<string, Content>>) =>
    Object.entries(content).flatMap(([type, { examples }]) =>
      Object.entries(examples).map(
        ([name, { value }]) => [name, [...pointer, 'content', type, 'schema'], value] as const,
      ),
    );
  const ofOperations = operations.flatMap(([path, method, { parameters = [], requestBody, responses }]) => [
    ...parameters.map(
      ({ name, example }, n) => [name, ['paths', path, method, 'parameters', String(n), 'schema'], example] as const,
    ),
    ...examplesIn(['paths', path, method, 'requestBody'], requestBody?.content ?? {}),
    ...Object.entries(responses).flatMap(([status, part]) =>
      'content' in part ? examplesIn(['paths', path, method, 'responses', status], part.content) : [],
    ),
  ]);
  const ofWebhooks = Object.entries(description.webhooks).flatMap(([type, { post }]) => {
    const pointer = ['webhooks', type, 'post'];
    return [
      ...(post.parameters ?? []).map(
        ({ name, example }, n) => [name, [...pointer, 'parameters', String(n), 'schema'], example] as const,
      ),
      ...examplesIn([...pointer, 'requestBody'], post.requestBody?.content ?? {}),
    ];
  });
  const ofComponents = [
    ...Object.entries(description.components.responses).flatMap(([name, { content }]) =>
      examplesIn(['components', 'responses', name], content),
    ),
    ...Object.entries(description.components.schemas).flatMap(([name, { examples }]) =>
      Array.isArray(examples)
        ? examples.map((value: unknown) => [name, ['components', 'schemas', name], value] as const)
        : [],
    ),
  ];
  const all = [...ofOperations, ...ofWebhooks, ...ofComponents].map(([name, pointer, value]) => ({
    name,
    pointer,
    value,
  }));

  test('is found', () => {
    expect(all.length).toBeGreaterThan(40);
  });

  test.each(all)('$name at $pointer conforms to its schema', ({ pointer, value }) => {
    expect(check(pointer, value)).toEqual([]);
  });
});

describe('the callbacks of the description', () => {
  const sent = Object.entries(description.webhooks).flatMap(([type, { post }]) =>
    Object.values(post.requestBody?.content['application/json']?.examples ?? {}).map(({ value }) => ({ type, value })),
  );

  test('are those of the contract, each with an example', () => {
    const types = callbackBodySchema.def.options.flatMap(({ shape }) => shape.type.def.values);

    expect(new Set(sent.map(({ type }) => type))).toEqual(new Set(types));
  });

  test.each(sent)('$type: its example is a body that the contract has', ({ type, value }) => {
    expect(callbackBodySchema.parse(value).type).toBe(type);
  });
});

describe('what Zod checks by code has an exact description', () => {
  const check = createSchemaCheck(description);
  const characters = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.constantFrom('a', '😀', 'é', '\u0000', '\u007f', '\u0085', '\u00a0', '\n'),
    fc.constantFrom(0, 1, 179, 180, 181, 255, 256, 499, 500, 501).map((length) => 'x'.repeat(length)),
    fc.constantFrom(179, 180, 181, 500, 501).map((length) => '😀'.repeat(length)),
    fc.constantFrom('2026-11-02T09:22:08.312Z', '2026-11-02T09:22:08Z', '2026-11-02T09:22:08.312+01:00', '2026-11-02'),
  );
  // Half of a surrogate pair cannot be sent, and JSON Schema cannot express that. U+FFFD is in the descriptions.
  const texts = fc
    .oneof(
      characters,
      fc.tuple(characters, characters).map((both) => both.join('')),
    )
    .filter((value) => value.isWellFormed() && !value.includes('\ufffd'));

  test.each<[string, z.ZodMiniType]>([
    ['ExternalId', externalIdSchema],
    ['CancelRequest/properties/reason', reasonSchema],
    ['JobId', jobIdSchema],
    ['IdempotencyKey', idempotencyKeySchema],
    ['Timestamp', timestampSchema],
    ['Cursor', cursorSchema],
  ])('%s', (name, schema) => {
    fc.assert(
      fc.property(texts, (value) => {
        const isDescribed = check(['components', 'schemas', ...name.split('/')], value).length === 0;
        expect({ value, isDescribed }).toEqual({ value, isDescribed: schema.safeParse(value).success });
      }),
      { numRuns: 2_000 },
    );
  });
});

test('the description says that U+FFFD is rejected', () => {
  const { ExternalId, CancelRequest } = description.components.schemas;

  expect(ExternalId?.['description']).toContain('U+FFFD');
  expect(CancelRequest?.properties?.['reason']?.['description']).toContain('U+FFFD');
});

describe('the released description', () => {
  /** What git prints; nothing where git or the tag is missing. */
  const git = (...args: string[]): string => {
    try {
      return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return '';
    }
  };
  const [tag = ''] = git('tag', '--list', 'v[0-9]*', '--sort=-version:refname').split('\n');
  const tagged = tag === '' ? '' : git('show', `${tag}:functions/contract/openapi.json`);
  /** Between `npm run openapi -- --release` and the tag. */
  const isBeingReleased = released.info.version === version && tag !== `v${version}`;

  test.skipIf(tagged === '' || isBeingReleased)('is that of the newest tag', () => {
    expect(readFileSync(releasedPath, 'utf8')).toBe(tagged);
  });

  test('is of a version that is not ahead of this one', () => {
    const isAhead = released.info.version.localeCompare(version, 'en', { numeric: true }) > 0;

    expect(isAhead).toBe(false);
  });
});
