import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { WireRequest } from './replay.ts';

/** What is measured beside the functions, built into a temporary folder. */
export interface BuiltContenders {
  /** The Runtime API loop that every contender runs in. */
  readonly bootstrap: string;
  /** The same in a process whose TCP handshakes take a round trip. */
  readonly distantBootstrap: string;
  readonly empty: string;
  readonly bareHttps: string;
  readonly sdkAlone: string;
  /** Absent when its packages are not installed. */
  readonly baseline?: string | undefined;
  /** Sets what `bareHttps` and `sdkAlone` send. */
  giveRequests(requests: readonly WireRequest[]): Promise<void>;
  remove(): Promise<void>;
}

const plain: BuildOptions = { bundle: true, platform: 'node', format: 'cjs', target: 'node24', logLevel: 'warning' };

/**
 * What `NodejsFunction` of aws-cdk-lib passes to esbuild for `nodejs24.x` by default, with the feature flags of a new
 * project: not minified, no source map, the SDK left to the runtime (aws-lambda-nodejs/lib/bundling.js).
 */
const cdkDefaults: BuildOptions = {
  bundle: true,
  target: 'node24',
  platform: 'node',
  external: ['@aws-sdk/*', '@smithy/*'],
  logLevel: 'warning',
};

/** What any function costs: a process, the runtime's loop, an answer. */
const emptyHandler = `export const handler = async () => ({ statusCode: 200, body: '{}' });`;

/** @param withBaseline whether to build the tutorial baseline too, and to install its packages first if necessary */
export async function buildContenders(
  withBaseline: boolean,
  progress: (text: string) => void,
): Promise<BuiltContenders> {
  if (withBaseline) await installBaseline(progress);
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const bundle = async (name: string, options: BuildOptions): Promise<string> => {
    await build({ ...options, outfile: join(folder, name, 'index.cjs') });
    return join(folder, name);
  };
  const from = (path: string): BuildOptions => ({ entryPoints: [new URL(path, import.meta.url).pathname] });
  const bareHttps = await bundle('bare-https', { ...plain, ...from('./bare-https.ts') });
  const sdkAlone = await bundle('sdk-alone', { ...plain, ...from('./sdk-alone.ts'), mainFields: ['module', 'main'] });
  // package.json says that no module has side effects: these have.
  const loop = async (name: string, path: string): Promise<string> =>
    join(await bundle(name, { ...plain, ...from(path), ignoreAnnotations: true }), 'index.cjs');
  return {
    bootstrap: await loop('bootstrap', './container.ts'),
    distantBootstrap: await loop('distant-bootstrap', '../reach/distant-container.ts'),
    empty: await bundle('empty', { ...plain, stdin: { contents: emptyHandler } }),
    bareHttps,
    sdkAlone,
    baseline: withBaseline
      ? await bundle('baseline', { ...cdkDefaults, ...from('../baseline/handler.mjs') })
      : undefined,
    giveRequests: async (requests) => {
      for (const directory of [bareHttps, sdkAlone]) {
        await writeFile(join(directory, 'requests.json'), JSON.stringify(requests));
      }
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

const baselineFolder = new URL('../baseline', import.meta.url).pathname;

/** Installs the baseline's packages with `npm ci`, unless the installed ones are those of its lockfile. */
async function installBaseline(progress: (text: string) => void): Promise<void> {
  if (await isInstalled()) return;
  progress('npm ci in test/bench/baseline: packages that only the bench uses');
  const options = ['--prefix', baselineFolder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const child = spawn('npm', ['ci', ...options], { cwd: baselineFolder, stdio: ['ignore', 'ignore', 'inherit'] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('close', (code) => {
    if (code === 0) resolve();
    else reject(new Error(`npm ci in test/bench/baseline ended with ${code}; --no-baseline measures without it`));
  });
  return promise;
}

/** npm keeps a list of what it installed. */
async function isInstalled(): Promise<boolean> {
  const versionsIn = async (path: string): Promise<string> => {
    const { packages } = JSON.parse(await readFile(join(baselineFolder, path), 'utf8'));
    const { '': _root, ...installed } = packages;
    const versions = Object.entries<{ version: string }>(installed).map(([name, { version }]) => [name, version]);
    return JSON.stringify(versions);
  };
  try {
    return (await versionsIn('package-lock.json')) === (await versionsIn('node_modules/.package-lock.json'));
  } catch {
    return false;
  }
}
