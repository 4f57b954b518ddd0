import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { build } from 'esbuild';
import { trimSdk } from './trim-sdk.ts';

/** A function's bundle: a function expression over `module`, `exports` and `require`, in ASCII. */
export interface Bundle {
  readonly functionName: string;
  /** Contains the hash of the source. */
  readonly fileName: string;
  readonly source: Uint8Array;
}

/**
 * Makes one minified bundle for each function. The format is CommonJS, and every `import()` is rewritten, because the ESM
 * facades of `node:http` and `node:https` load undici on Node 24. The AWS SDK is bundled: the copy in Lambda's runtime
 * starts slower and changes between two deployments.
 * @param switches `trimSdk` leaves out what the functions do not use of the AWS SDK
 */
export async function bundleFunctions(
  names: readonly string[],
  switches: { readonly trimSdk: 'on' | 'off' },
): Promise<readonly Bundle[]> {
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
    legalComments: 'none',
    banner: { js: '(function(module,exports,require){' },
    footer: { js: '})' },
    plugins: switches.trimSdk === 'on' ? [trimSdk] : [],
    logLevel: 'warning',
    write: false,
  });
  return outputFiles.map(({ path, contents }) => {
    const hash = createHash('sha256').update(contents).digest('hex').slice(0, 16);
    return { functionName: basename(dirname(path)), fileName: `bundle-${hash}.js`, source: contents };
  });
}
