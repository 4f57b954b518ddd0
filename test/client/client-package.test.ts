import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callbackOfNow, callbackSecrets, signBySpecification } from '../support/callbacks/callback-mutations.ts';
import { givenInstalledClient } from '../support/given-installed-client.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

const root = new URL('../../', import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const installed = givenInstalledClient();
let run: TestRun;
beforeAll(async () => {
  run = await startTestRun();
});
afterAll(() => run.close());

const node = (...args: string[]) => {
  const acme = run.partners.find(({ partnerId }) => partnerId === 'acme');
  const env = { CANCELLATION_URL: run.baseUrl, CANCELLATION_CREDENTIAL: acme?.token ?? '' };
  return installed.run(process.execPath, args, env);
};
const compile = (options: object, files: readonly string[]): Promise<string> => {
  const config = { compilerOptions: { strict: true, noEmit: true, skipLibCheck: false, ...options }, files };
  installed.write('tsconfig.json', JSON.stringify(config));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  return installed.run(process.execPath, [compiler, '-p', '.']).catch(({ stdout }: { stdout: string }) => stdout);
};
const forNode = {
  target: 'es2023',
  module: 'nodenext',
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
};

const manifest = (): Record<string, unknown> =>
  JSON.parse(readFileSync(join(installed.folder, 'package.json'), 'utf8'));
const examples = [...read('client/README.md').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

describe('the packed client', () => {
  test('contains a module of less than 12,900 bytes, once for import and once for require, its types, README and licence', () => {
    const size = (name: string): number => statSync(join(installed.folder, 'dist', name)).size;
    // 6,200, and 3,600 for cancelMany, 2,100 for verifyCallback, 300 for removing the credential from answers, 400 for checks of what is not set.
    expect(size('index.js')).toBeLessThan(12_900);
    // It names its exports once more.
    expect(size('index.cjs')).toBeLessThan(13_500);
    const others = installed.files.filter((path) => !/\.d\.c?ts$/.test(path));
    expect(others.toSorted()).toEqual(['README.md', 'dist/LICENSE', 'dist/index.cjs', 'dist/index.js', 'package.json']);
  });

  test('has short lines: Node prints the one that threw before what is wrong', async () => {
    installed.write(
      'unset.mjs',
      "import { CancellationClient as C } from 'plangrep-cancellation-client';\nnew C({});\n",
    );
    const { stderr } = await installed.run(process.execPath, ['unset.mjs']).then(
      () => ({ stderr: '' }),
      (error: { stderr: string }) => error,
    );

    expect(stderr).toContain('TypeError: credential is not set');
    expect(Math.max(...stderr.split('\n').map((line) => line.length))).toBeLessThan(500);
  });

  test('has no dependency, in its code or in its types, but for what only Node 18 imports', () => {
    expect(Object.keys(manifest()).filter((key) => /dependencies/i.test(key))).toEqual([]);
    for (const path of installed.files.filter((name) => /\.(c?ts|c?js)$/.test(name))) {
      const source = readFileSync(join(installed.folder, path), 'utf8');
      const modules = [...source.matchAll(/(?:from|\bimport|\brequire)\s*\(?['"]([^'"]+)['"]/g)].map(
        ([, name]) => name,
      );
      expect(modules.filter((name) => !/^\.\/[\w-]+\.c?js$/.test(name ?? ''))).toEqual([]);
      expect(source.split('import(').length).toBe(path.endsWith('js') ? 2 : 1);
      // A bundler for browsers leaves this one alone.
      if (path.endsWith('js'))
        expect(source).toMatch(/await import\(\/\* webpackIgnore: true \*\/\/\* @vite-ignore \*\/\w+\)/);
    }
  });

  test('can be published: its manifest has what the registry shows, and only files that exist', () => {
    expect(manifest()).toMatchObject({
      name: 'plangrep-cancellation-client',
      license: 'Apache-2.0',
      description: expect.any(String),
      engines: { node: '>=18' },
      sideEffects: false,
    });
    expect(manifest()).not.toHaveProperty('private');
    const named = JSON.stringify([manifest()['exports'], manifest()['main'], manifest()['types']]).match(/\.\/[^"]+/g);
    expect(named?.filter((path) => !installed.files.includes(path.slice(2)))).toEqual([]);
  });

  test('has the version of the service', () => {
    const version = (path: string): unknown => JSON.parse(read(path)).version;
    expect(version('client/package.json')).toBe(version('package.json'));
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

  const bundled = { target: 'es2022', module: 'esnext', moduleResolution: 'bundler', types: [] };
  const node16 = { ...forNode, module: 'node16' };
  const commonJs = { ...forNode, module: 'commonjs', moduleResolution: 'bundler' };
  test.each<[string, string, object]>([
    ['an ES module, in Node', 'consumer.mts', forNode],
    ['CommonJS, in Node', 'consumer.cts', forNode],
    ['an ES module, in Node 16', 'consumer.mts', node16],
    ['CommonJS, in Node 16', 'consumer.cts', node16],
    ['a bundler, without Node’s types', 'consumer.ts', bundled],
    ['a bundler of CommonJS', 'consumer.ts', commonJs],
  ])('are a closed union under strict, for %s', async (_what, name, options) => {
    installed.write(name, consumer(rest));
    expect(await compile(options, [name])).toBe('');
  });

  test('are one whose every kind must be handled', async () => {
    installed.write('consumer.ts', consumer(rest.replace("case 'keyReused':", '')));
    expect(await compile(forNode, ['consumer.ts'])).toContain('not assignable to type');
  });

  test('belong to classes that keep their names, although the code is minified', async () => {
    const options = `{ baseUrl: 'https://api.example/prod', credential: 'pcg_test_of_what_is_printed' }`;
    const print = `import('plangrep-cancellation-client').then((all) => console.log(new all.CancellationClient(${options})))`;
    expect(await node('-e', print)).toBe("CancellationClient { baseUrl: 'https://api.example/prod' }");
  });

  test('name what each module has', async () => {
    const names = 'CancellationClient InvalidCallbackError verifyCallback';
    const print = '.then((module) => console.log(Object.keys(module).sort().join(" ")))';
    expect(await node('-e', `import("plangrep-cancellation-client")${print}`)).toBe(names);
    expect(await node('-e', `Promise.resolve(require("plangrep-cancellation-client"))${print}`)).toBe(names);
    installed.write('names.mts', `import { ${names.replaceAll(' ', ', ')} } from 'plangrep-cancellation-client';`);
    expect(await compile({ ...forNode, noUnusedLocals: false }, ['names.mts'])).toBe('');
  });
});

describe('the README’s examples', () => {
  const outputs = [
    'cancelled, 63 credits debited',
    'tooLate',
    'job_twin10000000000000000007893 requested closed',
    '1 to cancel, 0 ambiguous\n1 of 1\norder-7893 cancelled',
  ];

  test('compile', async () => {
    examples.forEach((code, index) => installed.write(`example-${index}.ts`, code));
    expect(examples).toHaveLength(outputs.length + 1);
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

  test('the last one receives a callback, and refuses a forged one', async () => {
    const { headers, body } = signBySpecification(callbackOfNow());
    const script = `
      import { receiveCallback } from './example-${outputs.length}.ts';
      const { HEADERS, BODY } = process.env;
      for (const body of [BODY, BODY + ' ']) {
        const request = new Request('https://partner.example', { method: 'POST', headers: JSON.parse(HEADERS), body });
        console.log((await receiveCallback(request)).status);
      }`;
    const env = {
      CANCELLATION_CALLBACK_SECRET: callbackSecrets.valid,
      HEADERS: JSON.stringify(headers),
      BODY: body,
    };

    const printed = await installed.run(process.execPath, ['--input-type=module', '-e', script], env);
    expect(printed).toBe('commande-é-1: cancelled\n204\n400');
  });
});
