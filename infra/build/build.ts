import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bundle, bundleFunctions } from './bundle-functions.ts';
import { cacheNamesOf, loader } from './loader.ts';
import { recordCodeCaches } from './record-code-caches.ts';
import { functions } from '../blueprint/functions.ts';

/**
 * `dist/functions/<name>/`: the bundle, V8's code caches of it, and `index.cjs`, which runs the one from the other and
 * exports `handler`. These very files are deployed, run locally and measured.
 *
 * What did not change is not touched, and what did is put in place whole, `index.cjs` last: whoever runs from `dist`
 * meanwhile never finds half of a function.
 */
const dist = new URL('../../dist/functions', import.meta.url).pathname;
const bundles = await bundleFunctions(Object.keys(functions));

const put = async (folder: string, file: string, content: Uint8Array | string): Promise<void> => {
  const path = join(dist, folder, file);
  const standing = await readFile(path).catch(() => undefined);
  if (standing?.equals(Buffer.from(content))) return;
  const whole = `${path}.${process.pid}`;
  await writeFile(whole, content);
  await rename(whole, path);
};

for (const { functionName, fileName, source } of bundles) {
  await mkdir(join(dist, functionName), { recursive: true });
  await put(functionName, fileName, source);
}

const isCached = async ({ functionName, fileName }: Bundle): Promise<boolean> => {
  const files = await readdir(join(dist, functionName));
  return cacheNamesOf(fileName).every((name) => files.includes(name));
};
const areCached = await Promise.all(bundles.map(isCached));
if (areCached.includes(false)) {
  const paths = bundles.map(
    ({ functionName, fileName }) => [functionName, join(dist, functionName, fileName)] as const,
  );
  for (const { functionName, fileName, content } of await recordCodeCaches(new Map(paths))) {
    await put(functionName, fileName, content);
  }
}

for (const { functionName, fileName } of bundles) {
  await put(functionName, 'index.cjs', loader(fileName));
  for (const file of await readdir(join(dist, functionName))) {
    if (file.startsWith('bundle-') && !file.startsWith(fileName)) await rm(join(dist, functionName, file));
  }
}
for (const folder of await readdir(dist)) {
  if (!bundles.some(({ functionName }) => functionName === folder)) await rm(join(dist, folder), { recursive: true });
}
