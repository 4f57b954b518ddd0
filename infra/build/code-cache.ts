import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rehearse } from './rehearse.ts';

/** One file beside a bundle. */
export interface CodeCache {
  readonly functionName: string;
  readonly fileName: string;
  readonly content: Uint8Array;
}

/** V8 rejects a cache that was made under other flags. Of the flags in Lambda's start script only this one counts. */
const flagSettings: readonly (readonly string[])[] = [['--expose-gc'], []];

/** The end of a cache's name, as an expression that is evaluated where the cache is made and where it is read. */
const suffix = "'.' + process.arch + '-' + process.versions.v8 + (typeof gc === 'function' ? '-gc' : '') + '.cache'";

/** The names of the caches that this Node makes of a bundle: {@link suffix}, under both settings of the flag. */
export function cacheNamesOf(bundle: string): readonly string[] {
  return ['-gc', ''].map((flag) => `${bundle}.${process.arch}-${process.versions.v8}${flag}.cache`);
}

/**
 * `index.cjs`, which Lambda loads: it runs the bundle beside it from V8's code cache, so that a cold start does not compile
 * it again. Without a cache for this V8 and processor, V8 compiles the bundle as usual: only time is lost. V8 compares
 * nothing of the source but its length, so the names of both files contain the source's hash.
 * @param bundle the file's name
 * @see https://nodejs.org/docs/latest-v24.x/api/vm.html#new-vmscriptcode-options
 */
export function loader(bundle: string): string {
  return `'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const filename = __dirname + '/${bundle}';
let cachedData;
try {
  cachedData = readFileSync(filename + ${suffix});
} catch {}
const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
script.runInThisContext()(module, exports, require);
`;
}

/**
 * An `index.cjs` that runs the bundle without a cache and, after each invocation, writes one beside itself: V8
 * compiles a function when it is first called, so only then does the cache hold what the invocation needed.
 * @param path the bundle's
 * @param name of the cache, without the suffix
 */
function recordingLoader(path: string, name: string): string {
  return `'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');
const script = new Script(readFileSync(${JSON.stringify(path)}, 'latin1'), { filename: ${JSON.stringify(path)} });
script.runInThisContext()(module, exports, require);
const { handler } = module.exports;
const record = () => writeFileSync(__dirname + '/${name}' + ${suffix}, script.createCachedData());
module.exports = { handler: (event, context) => handler(event, context).finally(record) };
`;
}

/**
 * Makes V8's code caches of each bundle, taken after the function has done its usual work once ({@link rehearse}).
 * @param dist the folder that holds the bundles
 * @throws Error when a function does not do its work
 */
export async function recordCodeCaches(
  dist: string,
  bundles: readonly { readonly functionName: string; readonly fileName: string }[],
): Promise<readonly CodeCache[]> {
  const folder = await mkdtemp(join(tmpdir(), 'code-cache-'));
  try {
    for (const { functionName, fileName } of bundles) {
      await mkdir(join(folder, functionName));
      const recording = recordingLoader(join(dist, functionName, fileName), fileName);
      await writeFile(join(folder, functionName, 'index.cjs'), recording);
    }
    await Promise.all(flagSettings.map((flags) => rehearse(folder, { flags })));
    const caches = bundles.map(async ({ functionName }) => {
      const files = (await readdir(join(folder, functionName))).filter((file) => file.endsWith('.cache'));
      return Promise.all(
        files.map(async (fileName) => {
          const content = await readFile(join(folder, functionName, fileName));
          return { functionName, fileName, content };
        }),
      );
    });
    return (await Promise.all(caches)).flat();
  } finally {
    await rm(folder, { recursive: true });
  }
}
