import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { build } from 'esbuild';
import { leaveOut } from './leave-out.ts';

/** A function's bundle: what {@link loader} runs. */
export interface Bundle {
  readonly functionName: string;
  /** Carries the source's hash. */
  readonly fileName: string;
  readonly source: Uint8Array;
}

/**
 * One minified bundle a function. CommonJS, because on Node 24 the ESM facades of `node:http` and `node:https` load undici
 * at start; for the same reason no `import()` is left. The AWS SDK is bundled: the runtime's own copy starts slower and
 * changes by itself.
 */
export const bundleFunctions = async (names: readonly string[]): Promise<readonly Bundle[]> => {
  const { outputFiles } = await build({
    entryPoints: names.map((name) => ({
      in: new URL(`../../functions/${name}.ts`, import.meta.url).pathname,
      out: `${name}/index`,
    })),
    outdir: 'dist',
    bundle: true,
    minify: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    supported: { 'dynamic-import': false },
    charset: 'ascii',
    mainFields: ['module', 'main'],
    // The SDK asks whether there are such globals, for browsers' sake; Node loads each once asked: 3 ms.
    define: { ReadableStream: 'undefined', Blob: 'undefined' },
    inject: [new URL('./node-crypto.ts', import.meta.url).pathname],
    legalComments: 'none',
    banner: { js: '(function(module,exports,require){' },
    footer: { js: '})' },
    plugins: [leaveOut],
    logLevel: 'warning',
    write: false,
  });
  return outputFiles.map(({ path, contents }) => {
    const hash = createHash('sha256').update(contents).digest('hex').slice(0, 16);
    return { functionName: basename(dirname(path)), fileName: `bundle-${hash}.js`, source: contents };
  });
};
