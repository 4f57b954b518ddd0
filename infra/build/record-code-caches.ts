import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordingLoader } from './loader.ts';
import { rehearse } from './rehearse.ts';

/** One file beside a bundle. */
export interface CodeCache {
  readonly functionName: string;
  readonly fileName: string;
  readonly content: Uint8Array;
}

/** With and without the one flag of Lambda's start script that V8 minds. */
const flags = [['--expose-gc'], []];

/**
 * V8's code caches of each bundle, taken after the function has done its real work once ({@link rehearse}).
 * @param bundles the bundles' paths, by function
 */
export const recordCodeCaches = async (bundles: ReadonlyMap<string, string>): Promise<readonly CodeCache[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'code-cache-'));
  try {
    for (const [name, bundle] of bundles) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'index.cjs'), recordingLoader(bundle));
    }
    await Promise.all(flags.map((nodeArguments) => rehearse(folder, nodeArguments)));
    const caches: CodeCache[] = [];
    for (const functionName of bundles.keys()) {
      const files = await readdir(join(folder, functionName));
      for (const fileName of files.filter((file) => file.endsWith('.cache'))) {
        const content = await readFile(join(folder, functionName, fileName));
        caches.push({ functionName, fileName, content });
      }
    }
    return caches;
  } finally {
    await rm(folder, { recursive: true });
  }
};
