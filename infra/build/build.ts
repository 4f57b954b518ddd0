import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { functions } from '../blueprint/functions.ts';
import { explainSystemError } from '../explain-system-error.ts';
import { type Bundle, bundleFunctions } from './bundle-functions.ts';
import { cacheNamesOf, recordCodeCaches } from './code-cache.ts';
import { lateLoading, loader, manifest, requiredLoader } from './load-function.ts';
import { whileLocked } from './lock-build.ts';

/** What makes a function start sooner: docs/performance.md, "What the build does for the start". */
export interface BuildSwitches {
  readonly codeCaches: 'on' | 'off';
  readonly trimSdk: 'on' | 'off';
  /** `off`: no connection to Plangrep is opened ahead of a request, at the start or later. @default 'on' */
  readonly connectFirst?: 'on' | 'off';
}

/** Until what is obsolete is removed: much longer than a process takes from reading `index.mjs` to reading its scripts. */
const GRACE_MS = 300;

/**
 * Makes `<dist>/<name>/` for each function: its scripts, V8's code caches of them, and `index.mjs`, which runs them and
 * exports `handler`; with `index.cjs` for `require`. These very files are deployed, run locally and measured.
 *
 * A file that did not change is not touched. A changed one is put in place whole, `index.mjs` last, and what it replaces
 * stays a little longer: a process that starts from the folder during a build never finds half of a function. Builds of one
 * folder wait for each other.
 * @param dist holds nothing else: every other folder in it is removed
 */
export async function buildInto(dist: string, switches: BuildSwitches): Promise<void> {
  await whileLocked(dist, () => build(dist, switches));
}

async function build(dist: string, { codeCaches, trimSdk, connectFirst = 'on' }: BuildSwitches): Promise<void> {
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
  const obsolete: string[] = [];
  for (const { functionName, scripts, sources } of bundles) {
    const entries = entriesOf(scripts, connectFirst, codeCaches);
    for (const [fileName, source] of entries) await put(join(dist, functionName, fileName), source);
    for (const file of await readdir(join(dist, functionName))) {
      const isCache = file.endsWith('.cache') && [...sources.keys()].some((name) => file.startsWith(`${name}.`));
      const isCurrent = entries.has(file) || sources.has(file) || (isCache && codeCaches === 'on');
      if (!isCurrent) obsolete.push(join(dist, functionName, file));
    }
  }
  for (const folder of await readdir(dist)) {
    if (!bundles.some(({ functionName }) => functionName === folder)) obsolete.push(join(dist, folder));
  }
  if (obsolete.length > 0) await sleep(GRACE_MS);
  for (const path of obsolete) await rm(path, { recursive: true, force: true });
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
