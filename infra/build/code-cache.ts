import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from './bundle-functions.ts';
import { cacheSuffix, loader } from './load-function.ts';
import { rehearse } from './rehearse.ts';

/** One file beside a script. */
export interface CodeCache {
  readonly functionName: string;
  readonly fileName: string;
  readonly content: Uint8Array;
}

/** V8 rejects a cache that was made under other flags. Of the flags in Lambda's start script only this one counts. */
const flagSettings: readonly (readonly string[])[] = [['--expose-gc'], []];

/** The names of the caches that this Node makes of a script: `cacheSuffix`, under both settings of the flag. */
export function cacheNamesOf(script: string): readonly string[] {
  return ['-gc', ''].map((flag) => `${script}.${process.arch}-${process.versions.v8}${flag}.cache`);
}

/**
 * JavaScript for the end of an `index.mjs`: after each invocation it writes a cache of each script beside itself. V8
 * compiles a function when it is first called, so only then does the cache hold what the invocation needed.
 */
const recording = `
const { writeFileSync } = process.getBuiltinModule('node:fs');
const record = () => {
  for (const [filename, script] of scripts) writeFileSync(filename + ${cacheSuffix}, script.createCachedData());
};
export const handler = (event, context) => main.handler(event, context).finally(record);
`;

/**
 * Makes V8's code caches of each script, taken after the function has done its usual work once ({@link rehearse}).
 * @throws Error when a function does not do its work
 */
export async function recordCodeCaches(bundles: readonly Bundle[]): Promise<readonly CodeCache[]> {
  const folder = await mkdtemp(join(tmpdir(), 'code-cache-'));
  try {
    for (const { functionName, scripts, sources } of bundles) {
      await mkdir(join(folder, functionName));
      for (const [fileName, source] of sources) await writeFile(join(folder, functionName, fileName), source);
      await writeFile(join(folder, functionName, 'index.mjs'), loader(scripts, { after: recording }));
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
