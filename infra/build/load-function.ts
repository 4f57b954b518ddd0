/** The scripts of one function, beside what loads them: each a function expression over `module`, `exports` and `require`. */
export interface Scripts {
  /** The file that opens the connection to Plangrep (`functions/connect-first.ts`); undefined for a function that never calls it. */
  readonly first?: string | undefined;
  /** Whether the connection is opened at the start, because the function probably needs it. */
  readonly connects: boolean;
  /** All the rest. */
  readonly main: string;
}

/** By this name the main script requires the first one. */
export const FIRST = 'connect-first';

const openAtOnce = 'first.plangrepConnections().openAhead();';

/** For a function that opens each connection when a request needs it: to measure what the opening ahead saves. */
export const lateLoading = { opening: 'first.plangrepConnections().openAhead = () => {};' };

/** The end of a cache's name, as an expression that is evaluated where the cache is made and where it is read. */
export const cacheSuffix =
  "'.' + process.arch + '-' + process.versions.v8 + (typeof gc === 'function' ? '-gc' : '') + '.cache'";

/** Makes of a folder a package: `require` and `import()` of it give the same `handler`, each by its own loader. */
export const manifest = JSON.stringify({
  main: './index.cjs',
  exports: { import: './index.mjs', require: './index.cjs' },
});

/**
 * `index.mjs`, which Lambda loads. It runs each script from V8's code cache beside it, so that a cold start does not
 * compile it again. Without a cache for this V8 and processor, V8 compiles it as usual: only time is lost. V8 compares
 * nothing of the source but its length, so the names of both files contain the source's hash.
 *
 * The connection to Plangrep is opened before the main script is loaded. While Node evaluates a script, it handles no
 * event, so the event loop turns between the steps: the name is looked up, then TCP and TLS go on, beside the loading.
 * Nothing waits for the connection. An ES module may wait so at its top level, as part of the init phase; what a CommonJS module
 * leaves for later may be frozen with the process until its first invocation.
 *
 * What a function exports as `prepared` is waited for: while Lambda counts it as the init phase, and perhaps long before the
 * first invocation.
 *
 * Because of what it waits for, `require` cannot load it: {@link requiredLoader} is for that.
 *
 * Built-in modules are taken without an `import`: each import of one makes a facade, 4 ms in all.
 * @param opening JavaScript that opens the connection with `first`
 * @param after JavaScript that is put at the end, where `scripts` has each `vm.Script` by its file
 * @param hasCaches whether caches were made: a start without them is then reported, once
 * @see https://nodejs.org/docs/latest-v24.x/api/vm.html#new-vmscriptcode-options
 * @see https://aws.amazon.com/blogs/compute/using-node-js-es-modules-and-top-level-await-in-aws-lambda/
 */
export function loader(
  { first, connects, main }: Scripts,
  {
    opening = openAtOnce,
    after = 'await main.prepared;\nexport const { handler } = main;',
    hasCaches = false,
  }: Partial<Record<'opening' | 'after', string>> & { readonly hasCaches?: boolean } = {},
): string {
  return `const require = ${builtIn('module')}.createRequire(import.meta.url);
${loading('import.meta.dirname')}
const turn = () => new Promise(setImmediate);
${first === undefined ? '' : `${runFirst(first)}\n`}${
  connects ? `${opening}\nawait turn();\n` : ''
}const rest = load('${main}');
${connects ? 'await turn();\n' : ''}${runRest(first)}
${hasCaches ? reportUnused : ''}${after}
`;
}

/**
 * `index.cjs`, for what loads a function with `require`: a wrapper, a test, Lambda where there is no `index.mjs`. It does
 * the same without a pause, so the connection to Plangrep is opened later, and `prepared` may end in the first
 * invocation: only time is lost. Node sees the name `handler` in the text, so `import()` of this file has it too.
 * @param opening as for {@link loader}
 * @see https://nodejs.org/docs/latest-v24.x/api/esm.html#commonjs-namespaces
 */
export function requiredLoader(
  { first, connects, main }: Scripts,
  { opening = openAtOnce, hasCaches = false } = {},
): string {
  return `'use strict';
${loading('__dirname')}
${first === undefined ? '' : `${runFirst(first)}\n`}${connects ? `${opening}\n` : ''}const rest = load('${main}');
${runRest(first)}
${hasCaches ? reportUnused : ''}exports.handler = main.handler;
`;
}

/** The line that tells an operator that the functions start slower than they were built to: `ops preflight` looks for it. */
export const cacheUnusedCode = 'CODE_CACHE_UNUSED';
const reportUnused = `if (unused > 0) console.warn({ code: '${cacheUnusedCode}', scripts: unused, v8: process.versions.v8, processor: process.arch });
`;

/** JavaScript that both begin with: `load` compiles a script, `run` calls it as a module. */
function loading(folder: string): string {
  return `const { readFileSync } = ${builtIn('fs')};
const { Script } = ${builtIn('vm')};
const scripts = new Map();
let unused = 0;
function load(name) {
  const filename = ${folder} + '/' + name;
  let cachedData;
  try {
    cachedData = readFileSync(filename + ${cacheSuffix});
  } catch {}
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
  scripts.set(filename, script);
  if (cachedData === undefined || script.cachedDataRejected) unused += 1;
  return script.runInThisContext();
}
function run(script, required) {
  const module = { exports: {} };
  script(module, module.exports, required);
  return module.exports;
}`;
}

function runFirst(first: string): string {
  return `const first = run(load('${first}'), require);`;
}

function runRest(first: string | undefined): string {
  const required = first === undefined ? 'require' : `(id) => (id === '${FIRST}' ? first : require(id))`;
  return `const main = run(rest, ${required});`;
}

function builtIn(name: string): string {
  return `process.getBuiltinModule('node:${name}')`;
}
