import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { functions } from '../../../infra/blueprint/functions.ts';
import { permissionsOf } from '../../../infra/blueprint/access/roles.ts';
import { buildInto } from '../../../infra/build/build.ts';
import { cacheUnusedCode } from '../../../infra/build/load-function.ts';
import { rehearse } from '../../../infra/build/rehearse.ts';
import { functionEnvironment } from '../../support/function-environment.ts';

const dist = new URL('../../../dist/functions/', import.meta.url).pathname;
const names = Object.keys(functions).filter((name): name is keyof typeof functions => Object.hasOwn(functions, name));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundles-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Bytes, minified. A larger bundle starts slower: before you raise a limit, find out what was added. */
const limits = {
  'authorize-partner': 208_000,
  'request-cancellation': 292_500,
  'read-cancellations': 238_500,
  'register-job': 262_000,
  'consume-events': 288_000,
  'consume-wake-ups': 262_000,
  'reconcile-cancellations': 262_000,
  'announce-cancellations': 215_000,
  'deliver-callbacks': 255_000,
  'archive-records': 335_000,
  'seal-archive': 374_000,
  'read-documentation': 175_000,
  'answer-unknown-route': 3_700,
  'simulate-plangrep': 236_000,
} as const satisfies Record<keyof typeof functions, number>;

/** The script that is loaded before the bundle. */
const first = 'connect-first';

function filesOf(bundles: string, name: string, ending: RegExp): string[] {
  return readdirSync(join(bundles, name))
    .filter((file) => ending.test(file))
    .map((file) => join(bundles, name, file));
}

describe('The build', () => {
  test('imports at most 15 files of the project, and none of the local run, the commands or the scenes', async () => {
    const options = { bundle: true, packages: 'external', format: 'esm', write: false, metafile: true } as const;

    const { metafile } = await build({ entryPoints: ['infra/build/build.ts'], ...options });

    const imported = Object.keys(metafile.inputs);
    expect(imported).toEqual(expect.arrayContaining(['infra/build/rehearse.ts', 'infra/blueprint/functions.ts']));
    expect(imported.filter((file) => /^infra\/(local|cli|scenes)\//.test(file))).toEqual([]);
    expect(imported.length).toBeLessThanOrEqual(15);
  });

  test('makes neither caches nor trimmed bundles when both are switched off, and the functions work', async () => {
    const plain = join(folder, 'plain');

    await buildInto(plain, { codeCaches: 'off', trimSdk: 'off' });

    await rehearse(plain);
    for (const name of names) {
      const files = readdirSync(join(plain, name));
      expect(
        files.filter((file) => !/^index\.[cm]js$|^package\.json$|^(bundle|connect-first)-\w+\.js$/.test(file)),
      ).toEqual([]);
    }
    const bytesOf = (path: string): number => statSync(path).size;
    const [untrimmed = ''] = filesOf(plain, 'request-cancellation', /^bundle-\w+\.js$/);
    const [trimmed = ''] = filesOf(dist, 'request-cancellation', /^bundle-\w+\.js$/);
    expect(bytesOf(untrimmed) - bytesOf(trimmed)).toBeGreaterThan(100_000);
  }, 60_000);
});

describe('Each bundle', () => {
  test.each(names)('%s stays within its size', (name) => {
    const [bundle = ''] = filesOf(dist, name, /^bundle-\w+\.js$/);

    const bytes = statSync(bundle).size;

    expect(bytes).toBeGreaterThan(limits[name] * 0.9); // So that a limit is lowered when its bundle shrinks.
    expect(bytes).toBeLessThanOrEqual(limits[name]);
  });

  test.each([
    ['s3:', 'AmazonS3'],
    ['kms:', 'TrentService'],
  ])('has the client of %s only where its role calls that service', (prefix, word) => {
    const holders = names.filter((name) =>
      filesOf(dist, name, /^bundle-\w+\.js$/).some((bundle) => readFileSync(bundle, 'latin1').includes(word)),
    );

    expect(holders).toEqual(
      names.filter((name) => permissionsOf(name).some(({ actions }) => actions.some((one) => one.startsWith(prefix)))),
    );
  });

  test('loads none of the built-in modules that it does not need, at its start or at its usual work', async () => {
    const listing = join(folder, 'listing');
    for (const name of names) {
      mkdirSync(join(listing, name), { recursive: true });
      writeFileSync(join(listing, name, 'index.mjs'), listingLoader(name));
    }

    // Each in a separate process, because the list is that of the whole process.
    await Promise.all(names.map((name) => rehearse(listing, { only: name })));

    for (const name of names) {
      const loaded = listSchema.parse(JSON.parse(readFileSync(join(listing, name, 'modules.json'), 'utf8')));
      expect(loaded, name).toContain('NativeModule fs'); // So the names are as expected.
      expect(
        loaded.filter((module) => unneeded.test(module)),
        name,
      ).toEqual([]);
    }
  }, 60_000);
});

const unneeded =
  /^NativeModule (?!internal\/util\/inspector$)(.*\/)?(undici|http2|child_process|worker_threads|zlib|perf_hooks|fetch|inspector)$/;
const listSchema = z.array(z.string());

/** An `index.mjs` that writes the names of all loaded built-in modules into its folder after each invocation. */
function listingLoader(name: string): string {
  return `
  const { writeFileSync } = process.getBuiltinModule('node:fs');
  const { handler: real } = await import(${JSON.stringify(join(dist, name, 'index.mjs'))});
  const list = () => writeFileSync(import.meta.dirname + '/modules.json', JSON.stringify(process.moduleLoadList));
  export const handler = (event, context) => real(event, context).finally(list);`;
}

function run(script: string, ...flags: string[]): string {
  return execFileSync(process.execPath, [...flags, '-e', script], {
    encoding: 'utf8',
    env: functionEnvironment,
  }).trim();
}

describe('The code cache', () => {
  test.each([...names, first].flatMap((name) => [['--expose-gc'], []].map((flags) => [name, flags] as const)))(
    'of %s is accepted by V8 under %j',
    (name, flags) => {
      // Lambda sets the heap's sizes by the function's memory: V8 must accept the cache under any.
      const heapFlags = ['--max-old-space-size=230', '--max-semi-space-size=13'];

      expect(verdicts(flags)[name]).toBe('accepted');
      expect(verdicts(flags, ...heapFlags)[name]).toBe('accepted');
      expect(verdicts(flags, '--max-lazy')[name]).toBe('rejected');
    },
  );

  test.each([
    ['made by another V8', (cache: Buffer) => cache.fill(0, 4, 8)],
    ['cut off', (cache: Buffer) => cache.subarray(0, 1_000)],
    ['empty', () => Buffer.alloc(0)],
    ['missing', undefined],
    ['as it was made', (cache: Buffer) => cache],
  ])('costs only time, and is reported, when it is %s', (what, spoil) => {
    const copy = join(folder, 'copy');
    cpSync(join(dist, 'request-cancellation'), copy, { recursive: true });
    for (const file of readdirSync(copy).filter((each) => each.endsWith('.cache'))) {
      const content = readFileSync(join(copy, file));
      rmSync(join(copy, file));
      if (spoil !== undefined) writeFileSync(join(copy, file), spoil(content));
    }

    const index = JSON.stringify(join(copy, 'index.mjs'));
    const script = `import(${index}).then(({ handler }) => console.log(typeof handler)).finally(() => process.exit())`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      env: functionEnvironment,
    });
    expect(stdout.trim()).toBe('function');
    expect(stderr.includes(`code: '${cacheUnusedCode}',\n  scripts: 2,`)).toBe(what !== 'as it was made');
    rmSync(copy, { recursive: true });
  });
});

type Verdicts = Readonly<Record<string, 'accepted' | 'rejected'>>;
const known = new Map<string, Verdicts>();

/** V8's verdict on the cache of each bundle, under the flags that the cache was made with and some more. */
function verdicts(flags: readonly string[], ...moreFlags: string[]): Verdicts {
  const key = [...flags, ...moreFlags].join(' ');
  const ending = flags.length > 0 ? '-gc.cache' : `${process.versions.v8}.cache`;
  const files = [...names, first].map((name) => {
    const [of, kind] = name === first ? ['request-cancellation', first] : [name, 'bundle'];
    return [
      name,
      ...filesOf(dist, of, RegExp(`^${kind}-\\w+\\.js$`)),
      ...filesOf(dist, of, RegExp(`^${kind}.*${ending}$`)),
    ];
  });
  const script = `
    const { readFileSync } = require('node:fs');
    const { Script } = require('node:vm');
    const verdicts = ${JSON.stringify(files)}.map(([name, bundle, cache]) => {
      const script = new Script(readFileSync(bundle, 'latin1'), { cachedData: readFileSync(cache) });
      return [name, script.cachedDataRejected ? 'rejected' : 'accepted'];
    });
    console.log(JSON.stringify(Object.fromEntries(verdicts)));`;
  const found = known.get(key) ?? verdictsSchema.parse(JSON.parse(run(script, ...flags, ...moreFlags)));
  known.set(key, found);
  return found;
}
const verdictsSchema = z.record(z.string(), z.enum(['accepted', 'rejected']));
