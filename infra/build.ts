import { rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { functions } from './functions.ts';

/**
 * One minified bundle a function: `dist/functions/<name>/index.cjs`, exporting `handler`. CommonJS, because on Node 24
 * the ESM facades of `node:http` and `node:https` load undici at start (see docs/decisions.md). These very files are
 * deployed, run locally and measured. The AWS SDK is bundled: the runtime's own copy starts slower and changes by itself.
 */
const outdir = new URL('../dist/functions', import.meta.url).pathname;
await rm(outdir, { recursive: true, force: true });
await build({
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
});
