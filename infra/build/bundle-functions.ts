import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
import { FIRST, type Scripts } from './load-function.ts';
import { trimSdk } from './trim-sdk.ts';

/** A function's scripts, in ASCII. */
export interface Bundle {
  readonly functionName: string;
  readonly scripts: Scripts;
  /** By file name, which contains the hash of the source. */
  readonly sources: ReadonlyMap<string, Uint8Array>;
}

const folder = new URL('../../functions/', import.meta.url).pathname;

/** What is loaded first is a bundle by itself, which the others require. */
const apart: Plugin = {
  name: 'apart',
  setup(it) {
    it.onResolve({ filter: new RegExp(`/${FIRST}\\.ts$`) }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: FIRST, external: true, sideEffects: false },
    );
  },
};

/** How code is bundled for a function. */
export const bundling = {
  bundle: true,
  minify: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
} satisfies BuildOptions;

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
  const { outputFiles, metafile } = await build({
    entryPoints: [FIRST, ...names].map((name) => ({ in: `${folder}${name}.ts`, out: `${name}/index` })),
    outdir: 'dist',
    metafile: true,
    ...bundling,
    supported: { 'dynamic-import': false },
    charset: 'ascii',
    legalComments: 'none',
    banner: { js: '(function(module,exports,require){' },
    footer: { js: '})' },
    plugins: switches.trimSdk === 'on' ? [apart, trimSdk] : [apart],
    logLevel: 'warning',
    write: false,
  });
  const built = new Map(outputFiles.map(({ path, contents }) => [basename(dirname(path)), contents] as const));
  return names.map((functionName) => bundleOf(functionName, built, metafile));
}

function bundleOf(functionName: string, built: ReadonlyMap<string, Uint8Array>, metafile: Metafile): Bundle {
  const isFirst = ({ path }: { readonly path: string }): boolean => path === FIRST;
  const [, output] =
    Object.entries(metafile.outputs).find(([path]) => path.endsWith(`/${functionName}/index.js`)) ?? [];
  const [, entry] =
    Object.entries(metafile.inputs).find(([path]) => path.endsWith(`functions/${functionName}.ts`)) ?? [];
  const sources = new Map<string, Uint8Array>();
  const add = (kind: string, name: string): string => {
    const source = built.get(name);
    if (source === undefined) throw new Error(`esbuild made nothing of ${name}`);
    const fileName = `${kind}-${createHash('sha256').update(source).digest('hex').slice(0, 16)}.js`;
    sources.set(fileName, source);
    return fileName;
  };
  const main = add('bundle', functionName);
  const first = output?.imports.some(isFirst) ? add(FIRST, FIRST) : undefined;
  return { functionName, scripts: { first, connects: entry?.imports.some(isFirst) ?? false, main }, sources };
}
