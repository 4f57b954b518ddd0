import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { functions } from './functions.ts';

/**
 * One minified bundle a function: `dist/functions/<name>/index.cjs`, exporting `handler`. CommonJS, because on Node 24
 * the ESM facades of `node:http` and `node:https` load undici at start (see docs/decisions.md). These very files are
 * deployed, run locally and measured. The AWS SDK is bundled: the runtime's own copy starts slower and changes by itself.
 *
 * A bundle that did not change is not touched, and one that did is put in place whole: whoever runs from `dist` meanwhile
 * never finds half of one.
 */
const outdir = new URL('../dist/functions', import.meta.url).pathname;
const { outputFiles } = await build({
  entryPoints: Object.keys(functions).map((name) => ({
    in: new URL(`../functions/${name}.ts`, import.meta.url).pathname,
    out: `${name}/index`,
  })),
  outdir,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  minify: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  legalComments: 'none',
  logLevel: 'warning',
  write: false,
});

for (const { path, contents } of outputFiles) {
  await mkdir(dirname(path), { recursive: true });
  const standing = await readFile(path).catch(() => undefined);
  if (standing?.equals(contents)) continue;
  const whole = `${path}.${process.pid}`;
  await writeFile(whole, contents);
  await rename(whole, path);
}
const built = new Set(outputFiles.map(({ path }) => basename(dirname(path))));
for (const name of await readdir(outdir)) {
  if (!built.has(name)) await rm(join(outdir, name), { recursive: true });
}
