import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type * as z from 'zod/mini';
import type * as client from '../../client/src/index.ts';
import type {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  problemSchema,
  registeredJobSchema,
  timelineEntrySchema,
} from '../../functions/contract/answers.ts';
import type { cancelRequestSchema, registerJobSchema } from '../../functions/contract/requests.ts';
import type * as service from '../../functions/contract/problems.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

const root = new URL('../../', import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const exec = promisify(execFile);

/** A partner's project with the packed client installed. */
const project = mkdtempSync(join(tmpdir(), 'client-package-'));
const installed = join(project, 'node_modules/plangrep-cancellation-client');
let packed: readonly string[] = [];
let run: TestRun;
beforeAll(async () => {
  const { stdout } = await exec('npm', ['pack', '--json', '--silent', '--pack-destination', project], {
    cwd: join(root, 'client'),
    // The client's own script builds it. npm hands the root's "no install scripts" to everything that it starts.
    env: { ...process.env, npm_config_ignore_scripts: 'false' },
  });
  // What npm prints before the list comes from the scripts that it ran.
  const [listed]: { filename: string; files: { path: string }[] }[] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  packed = listed?.files.map(({ path }) => path) ?? [];
  writeFileSync(join(project, 'package.json'), '{ "name": "partner", "private": true, "type": "module" }');
  await exec('npm', ['install', '--offline', '--silent', `./${listed?.filename}`], { cwd: project });
  run = await startTestRun();
}, 120_000);
afterAll(async () => {
  await run.close();
  rmSync(project, { recursive: true });
});

const node = async (...args: string[]) => {
  const acme = run.partners.find(({ partnerId }) => partnerId === 'acme');
  const env = { PATH: process.env['PATH'], CANCELLATION_URL: run.baseUrl, CANCELLATION_CREDENTIAL: acme?.token };
  return (await exec(process.execPath, args, { cwd: project, env })).stdout.trim();
};
const compile = async (options: object, files: readonly string[]): Promise<string> => {
  const config = { compilerOptions: { strict: true, noEmit: true, skipLibCheck: false, ...options }, files };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await exec(process.execPath, [compiler, '-p', project]).catch(
    (error: { stdout: string }) => error,
  );
  return stdout;
};
const forNode = {
  target: 'es2023',
  module: 'nodenext',
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
};

const examples = [...read('client/README.md').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

describe('the packed client', () => {
  test('contains one module of less than 6,200 bytes, its declarations, README and licence', () => {
    const size = statSync(join(installed, 'dist/index.js')).size;
    // 6,000, and what it takes to ask the service to wait, which saves most callers the polling.
    expect(size).toBeLessThan(6200);
    const others = packed.filter((path) => !path.endsWith('.d.ts'));
    expect(others.toSorted()).toEqual(['README.md', 'dist/LICENSE', 'dist/index.js', 'package.json']);
  });

  test('has no dependency, in its code or in its types', () => {
    const manifest: Record<string, unknown> = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(Object.keys(manifest).filter((key) => /dependencies/i.test(key))).toEqual([]);
    for (const path of packed.filter((name) => /\.(d\.ts|js)$/.test(name))) {
      const source = readFileSync(join(installed, path), 'utf8');
      const modules = [...source.matchAll(/(?:from|import)\s*\(?['"]([^'"]+)['"]/g)].map(([, name]) => name);
      expect(modules.filter((name) => !/^\.\/[\w-]+\.js$/.test(name ?? ''))).toEqual([]);
    }
  });

  test('has the version of the service', () => {
    const version = (path: string): unknown => JSON.parse(read(path)).version;
    expect(version('client/package.json')).toBe(version('package.json'));
  });

  test('can be imported by plain Node', async () => {
    const script = `
      import { CancellationClient } from 'plangrep-cancellation-client';
      const { CANCELLATION_URL: baseUrl, CANCELLATION_CREDENTIAL: credential } = process.env;
      const result = await new CancellationClient({ baseUrl, credential, waitSeconds: 0 }).cancel({ externalId: 'order-7891' });
      console.log(result.kind, result.cancellation.jobId);`;
    expect(await node('--input-type=module', '-e', script)).toBe('pending job_slow00000000000000000007891');
  });
});

describe('its types', () => {
  /** The compiler accepts `never` in the default only if the union is closed. */
  const consumer = (cases: string) => `
    import { CancellationClient, type CancelResult } from 'plangrep-cancellation-client';
    export const client = new CancellationClient({ baseUrl: 'https://api.example/prod', credential: 'pcg_x', fetch });
    export const describe = (result: CancelResult): string => {
      switch (result.kind) {
        case 'cancelled': return result.cancellation.jobId;
        case 'pending': return String(result.retryAfterMs);
        case 'tooLate': return result.jobStatus ?? result.detail;
        case 'ambiguous': return result.candidates.map(({ jobId }) => jobId).join();
        case 'invalid': return result.errors.map(({ path }) => path).join();
        case 'unavailable': return result.idempotencyKey ?? String(result.tries);
        ${cases}
        default: { const nothing: never = result; return nothing; }
      }
    };`;
  const rest = `case 'unknownToPlangrep': case 'notFound': case 'keyReused': case 'unauthorized': case 'forbidden':
        case 'unexpected': return result.detail;`;

  test.each([
    ['nodenext', forNode],
    ['a bundler, without Node’s types', { target: 'es2022', module: 'esnext', moduleResolution: 'bundler', types: [] }],
  ])('are a closed union under strict, with %s', async (_what, options) => {
    writeFileSync(join(project, 'consumer.ts'), consumer(rest));
    expect(await compile(options, ['consumer.ts'])).toBe('');
    writeFileSync(join(project, 'consumer.ts'), consumer(rest.replace("case 'keyReused':", '')));
    expect(await compile(options, ['consumer.ts'])).toContain('not assignable to type');
  });
});

describe('the README’s examples', () => {
  const outputs = ['cancelled, 63 credits debited', 'tooLate', 'job_twin10000000000000000007893 requested closed'];

  test('are three, and compile', async () => {
    examples.forEach((code, index) => writeFileSync(join(project, `example-${index}.ts`), code));
    expect(examples).toHaveLength(3);
    expect(
      await compile(
        forNode,
        examples.map((_code, index) => `example-${index}.ts`),
      ),
    ).toBe('');
  });

  test.each(outputs.entries().toArray())('number %i prints: %s', async (index, output) => {
    expect(await node(`example-${index}.ts`)).toBe(output);
  });
});

/** What a schema accepts: a message as it is sent, without brands. */
type Sent<Schema extends z.ZodMiniType> = ReadonlyDeep<z.input<Schema>>;
type ReadonlyDeep<Value> = Value extends readonly (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> }
    : Value;
type Problem = Sent<typeof problemSchema>;

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
    expectTypeOf<ReadonlyDeep<client.RegisteredJob>>().toEqualTypeOf<Sent<typeof registeredJobSchema>>();
  });

  test('for what its problems say', () => {
    expectTypeOf<client.ProblemCode>().toEqualTypeOf<service.ProblemCode>();
    expectTypeOf<readonly ReadonlyDeep<client.Candidate>[]>().toEqualTypeOf<NonNullable<Problem['candidates']>>();
    expectTypeOf<readonly ReadonlyDeep<client.FieldError>[]>().toEqualTypeOf<NonNullable<Problem['errors']>>();
    expectTypeOf<ReadonlyDeep<client.Cancellation>>().toEqualTypeOf<NonNullable<Problem['cancellation']>>();
    expectTypeOf<client.TooLate['jobStatus']>().toEqualTypeOf<NonNullable<Problem['jobStatus']> | null>();
  });

  test('for what callers send', () => {
    expectTypeOf<ReadonlyDeep<client.CancelRequest>>().toEqualTypeOf<Sent<typeof cancelRequestSchema>>();
    expectTypeOf<ReadonlyDeep<client.RegisterJobRequest>>().toEqualTypeOf<Sent<typeof registerJobSchema>>();
  });
});
