import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { WireRequest } from './exchange.ts';

/** What is measured beside the functions, built into a folder of its own. */
export interface BuiltContenders {
  /** The Runtime API loop that every contender runs in. */
  readonly bootstrap: string;
  readonly empty: string;
  readonly bareHttps: string;
  readonly sdkAlone: string;
  /** Absent when its dependencies are not installed. */
  readonly baseline?: string | undefined;
  /** What `bareHttps` and `sdkAlone` send. */
  giveRequests(requests: readonly WireRequest[]): Promise<void>;
  remove(): Promise<void>;
}

const source = (path: string): string => new URL(path, import.meta.url).pathname;
const plain: BuildOptions = { bundle: true, platform: 'node', format: 'cjs', target: 'node24', logLevel: 'warning' };

/**
 * What `NodejsFunction` of aws-cdk-lib passes to esbuild for `nodejs24.x` when it is told nothing, with the feature flags
 * of a new project: not minified, no source map, the SDK left to the runtime (aws-lambda-nodejs/lib/bundling.js).
 */
const cdkDefaults: BuildOptions = {
  bundle: true,
  target: 'node24',
  platform: 'node',
  external: ['@aws-sdk/*', '@smithy/*'],
  logLevel: 'warning',
};

export const buildContenders = async ({ withBaseline }: { withBaseline: boolean }): Promise<BuiltContenders> => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const bundle = async (name: string, entry: string, options: BuildOptions): Promise<string> => {
    const directory = join(folder, name);
    await build({ ...options, entryPoints: [source(entry)], outfile: join(directory, 'index.cjs') });
    return directory;
  };
  const bareHttps = await bundle('bare-https', './bare-https.ts', plain);
  const sdkAlone = await bundle('sdk-alone', './sdk-alone.ts', { ...plain, mainFields: ['module', 'main'] });
  return {
    bootstrap: join(await bundle('bootstrap', './container.ts', plain), 'index.cjs'),
    empty: await bundle('empty', './empty.ts', plain),
    bareHttps,
    sdkAlone,
    baseline: withBaseline ? await bundle('baseline', '../baseline/handler.mjs', cdkDefaults) : undefined,
    giveRequests: async (requests) => {
      for (const directory of [bareHttps, sdkAlone]) {
        await writeFile(join(directory, 'requests.json'), JSON.stringify(requests));
      }
    },
    remove: () => rm(folder, { recursive: true }),
  };
};
