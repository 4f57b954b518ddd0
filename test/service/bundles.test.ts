import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { rehearse } from '../../infra/build/rehearse.ts';
import { functions } from '../../infra/blueprint/functions.ts';

const dist = new URL('../../dist/functions/', import.meta.url).pathname;
const names = Object.keys(functions).filter((name): name is keyof typeof functions => Object.hasOwn(functions, name));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundles-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Bytes, minified. A bundle that grows past its limit starts slower: find out what came along before raising it. */
const limits = {
  'authorize-partner': 205_000,
  'request-cancellation': 260_000,
  'read-cancellations': 227_000,
  'register-job': 214_000,
  'consume-events': 255_000,
  'reconcile-cancellations': 248_000,
  'read-documentation': 870_000,
  'simulate-plangrep': 236_000,
} as const satisfies Record<keyof typeof functions, number>;

const filesOf = (name: string, ending: RegExp): string[] =>
  readdirSync(join(dist, name))
    .filter((file) => ending.test(file))
    .map((file) => join(dist, name, file));

describe('Each bundle', () => {
  it.each(names)('%s keeps within its bytes', (name) => {
    const [bundle = ''] = filesOf(name, /\.js$/);
    const bytes = readFileSync(bundle).length;
    expect(bytes).toBeGreaterThan(limits[name] * 0.9); // So that the limit follows the bundle down, too.
    expect(bytes).toBeLessThanOrEqual(limits[name]);
  });

  it('loads no built-in module that it could do without, its first work included', async () => {
    for (const name of names) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'index.cjs'), tellModules(name));
    }
    await rehearse(folder, []);
    const listSchema = z.array(z.string());
    for (const name of names) {
      const loaded = listSchema.parse(JSON.parse(readFileSync(join(folder, name, 'modules.json'), 'utf8')));
      expect(loaded, name).toContain('NativeModule http'); // The list is one of modules.
      const needless = [
        'undici',
        'http2',
        'child_process',
        'worker_threads',
        'zlib',
        'perf_hooks',
        'fetch',
        'inspector',
      ];
      const found = loaded.filter((module) =>
        needless.some((word) => new RegExp(`^NativeModule (.*/)?${word}$`).test(module)),
      );
      expect(
        found.filter((module) => module !== 'NativeModule internal/util/inspector'),
        name,
      ).toEqual([]);
    }
  }, 60_000);
});

/** An `index.cjs` that leaves the names of all loaded built-in modules behind after each invocation. */
const tellModules = (name: string): string => `
  const { writeFileSync } = require('node:fs');
  const { handler } = require(${JSON.stringify(join(dist, name, 'index.cjs'))});
  const tell = () => writeFileSync(__dirname + '/modules.json', JSON.stringify(process.moduleLoadList));
  exports.handler = (event, context) => handler(event, context).finally(tell);`;

const run = (script: string, ...nodeArguments: string[]): string =>
  execFileSync(process.execPath, [...nodeArguments, '-e', script], { encoding: 'utf8', env: environment }).trim();
const environment = {
  ...Object.fromEntries(Object.values(functions).flatMap((each) => each.environment.map((name) => [name, 'x']))),
  ENVIRONMENT: 'local',
  PLANGREP_BASE_URL: 'http://127.0.0.1:9',
  EVENTS_MAX_RECEIVES: '1',
  AWS_REGION: 'eu-central-1',
  AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:9',
};

describe('The code cache', () => {
  it.each(names.flatMap((name) => [['--expose-gc'], []].map((flags) => [name, flags] as const)))(
    'of %s is taken by V8 under %j',
    (name, flags) => {
      const ending = flags.length > 0 ? /-gc\.cache$/ : /[^c]\.cache$/;
      const [[bundle = ''], [cache = '']] = [filesOf(name, /\.js$/), filesOf(name, ending)];
      const script = `
        const { readFileSync } = require('node:fs');
        const options = { cachedData: readFileSync(${JSON.stringify(cache)}) };
        const script = new (require('node:vm').Script)(readFileSync(${JSON.stringify(bundle)}, 'latin1'), options);
        console.log(script.cachedDataRejected);`;
      expect(run(script, ...flags)).toBe('false');
      // Lambda sizes the heap by the function's memory: that must not matter.
      expect(run(script, ...flags, '--max-old-space-size=230', '--max-semi-space-size=13')).toBe('false');
      expect(run(script, ...flags, '--max-lazy')).toBe('true');
    },
  );

  it.each([
    ['made by another V8', (cache: Buffer) => cache.fill(0, 4, 8)],
    ['cut off', (cache: Buffer) => cache.subarray(0, 1_000)],
    ['empty', () => Buffer.alloc(0)],
    ['missing', undefined],
  ])('costs no more than time when it is %s', (_, spoil) => {
    const copy = join(folder, 'copy');
    cpSync(join(dist, 'request-cancellation'), copy, { recursive: true });
    for (const file of readdirSync(copy).filter((each) => each.endsWith('.cache'))) {
      const content = readFileSync(join(copy, file));
      rmSync(join(copy, file));
      if (spoil !== undefined) writeFileSync(join(copy, file), spoil(content));
    }
    const script = `console.log(typeof require(${JSON.stringify(join(copy, 'index.cjs'))}).handler); process.exit()`;
    expect(run(script)).toBe('function');
    rmSync(copy, { recursive: true });
  });
});
