import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { functions } from '../blueprint/functions.ts';
import { explainSystemError } from '../explain-system-error.ts';
import { type Bundle, bundleFunctions } from './bundle-functions.ts';
import { cacheNamesOf, recordCodeCaches } from './code-cache.ts';
import { lateLoading, loader, manifest, requiredLoader } from './load-function.ts';

/** What makes a function start sooner: docs/performance.md, "What the build does for the start". */
export interface BuildSwitches {
  readonly codeCaches: 'on' | 'off';
  readonly trimSdk: 'on' | 'off';
  /** `off`: no connection to Plangrep is opened ahead of a request, at the start or later. @default 'on' */
  readonly connectFirst?: 'on' | 'off';
}

/**
 * Makes `<dist>/<name>/` for each function: its scripts, V8's code caches of them, and `index.mjs`, which runs them and
 * exports `handler`; with `index.cjs` for `require`. These very files are deployed, run locally and measured.
 *
 * A file that did not change is not touched. A changed one is put in place whole, and `index.mjs` last: a process that
 * starts from the folder during a build never finds half of a function.
 * @param dist holds nothing else: every other folder in it is removed
 */
export async function buildInto(
  dist: string,
  { codeCaches, trimSdk, connectFirst = 'on' }: BuildSwitches,
): Promise<void> {
  const bundles = await bundleFunctions(Object.keys(functions), { trimSdk });
  for (const { functionName, sources } of bundles) {
    await mkdir(join(dist, functionName), { recursive: true });
    for (const [fileName, source] of sources) await put(join(dist, functionName, fileName), source);
  }
  if (codeCaches === 'on' && !(await areCached(dist, bundles))) {
    for (const { functionName, fileName, content } of await recordCodeCaches(bundles)) {
      await put(join(dist, functionName, fileName), content);
    }
  }
  for (const { functionName, scripts, sources } of bundles) {
    const entries = entriesOf(scripts, connectFirst, codeCaches);
    for (const [fileName, source] of entries) await put(join(dist, functionName, fileName), source);
    const names = [...entries.keys(), ...sources.keys()];
    for (const file of await readdir(join(dist, functionName))) {
      const isCurrent =
        names.some((name) => file.startsWith(name)) && (codeCaches === 'on' || !file.endsWith('.cache'));
      if (!isCurrent) await rm(join(dist, functionName, file));
    }
  }
  for (const folder of await readdir(dist)) {
    if (!bundles.some(({ functionName }) => functionName === folder)) await rm(join(dist, folder), { recursive: true });
  }
}

/** What loads the scripts, by file name: `index.mjs` last. */
function entriesOf(
  scripts: Bundle['scripts'],
  connectFirst: 'on' | 'off',
  codeCaches: 'on' | 'off',
): ReadonlyMap<string, string> {
  const how = { hasCaches: codeCaches === 'on', ...(connectFirst === 'off' && lateLoading) };
  return new Map([
    ['package.json', manifest],
    ['index.cjs', requiredLoader(scripts, how)],
    ['index.mjs', loader(scripts, how)],
  ]);
}

async function areCached(dist: string, bundles: readonly Bundle[]): Promise<boolean> {
  for (const { functionName, sources } of bundles) {
    const files = await readdir(join(dist, functionName));
    if (![...sources.keys()].flatMap(cacheNamesOf).every((name) => files.includes(name))) return false;
  }
  return true;
}

async function put(path: string, content: Uint8Array | string): Promise<void> {
  const current = await readFile(path).catch(() => undefined);
  if (current?.equals(Buffer.from(content))) return;
  const whole = `${path}.${process.pid}`;
  await writeFile(whole, content);
  await rename(whole, path);
}

function readSwitch(variable: 'CODE_CACHES' | 'TRIM_SDK' | 'CONNECT_FIRST'): 'on' | 'off' {
  const value = process.env[variable] ?? 'on';
  if (value === 'on' || value === 'off') return value;
  process.stderr.write(`${variable} must be "on" or "off", not "${value}".\n`);
  process.exit(2);
}

if (import.meta.main) {
  const dist = new URL('../../dist/functions', import.meta.url).pathname;
  const [codeCaches, trimSdk] = [readSwitch('CODE_CACHES'), readSwitch('TRIM_SDK')];
  try {
    await buildInto(dist, { codeCaches, trimSdk, connectFirst: readSwitch('CONNECT_FIRST') });
  } catch (error) {
    const line = explainFailure(error);
    if (line === undefined) throw error;
    process.stderr.write(`The functions were not built: ${line}\n`);
    process.exitCode = 1;
  }
}

/** @returns undefined for a bug, whose stack trace is wanted */
function explainFailure(error: unknown): string | undefined {
  // esbuild's program is another package, for each system one, which npm counts as optional.
  const isWithoutProgram =
    error instanceof Error && /needed by esbuild|installed esbuild for another/.test(error.message);
  if (!isWithoutProgram) return explainSystemError(error);
  return `esbuild has no program for ${process.platform} ${process.arch}: run "npm ci" here, without --omit=optional.`;
}
