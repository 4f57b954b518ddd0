/**
 * Ends the name of a code cache: V8 refuses one that another V8 made, or the same under other flags. Of those only
 * `--expose-gc` counts here (heap sizes do not): Lambda's own start script is known to set it in some runtimes.
 * Evaluated where a cache is made and where it is read.
 */
const suffix = "'.' + process.arch + '-' + process.versions.v8 + (typeof gc === 'function' ? '-gc' : '') + '.cache'";

/** The caches of a bundle that this very Node can make: with {@link suffix} as it is under either setting of the flag. */
export const cacheNamesOf = (bundle: string): readonly string[] =>
  ['-gc', ''].map((flag) => `${bundle}.${process.arch}-${process.versions.v8}${flag}.cache`);

/**
 * `index.cjs`, which Lambda loads: runs the bundle beside it from V8's code cache, so that a cold start compiles nothing of
 * it again. Under another V8 or processor there is no cache of that name, or V8 refuses it, and the bundle is compiled as
 * ever: that costs time and nothing else. V8 compares no more of the source than its length, so the names of both files
 * carry the source's hash.
 * @param bundle the file's name: a function expression over `module`, `exports` and `require`, in ASCII
 * @see https://nodejs.org/docs/latest-v24.x/api/vm.html#new-vmscriptcode-options
 */
export const loader = (bundle: string): string => `'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const filename = __dirname + '/${bundle}';
let cachedData;
try {
  cachedData = readFileSync(filename + ${suffix});
} catch {}
const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
script.runInThisContext()(module, exports, require);
`;

/**
 * An `index.cjs` that runs the bundle without a cache and leaves one in its own folder: after each invocation anew, since V8
 * compiles a function when it is first called, and a cache that holds it spares the next start that too.
 * @param bundle the file's path
 */
export const recordingLoader = (bundle: string): string => `'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { basename } = require('node:path');
const { Script } = require('node:vm');
const filename = ${JSON.stringify(bundle)};
const script = new Script(readFileSync(filename, 'latin1'), { filename });
script.runInThisContext()(module, exports, require);
const cache = __dirname + '/' + basename(filename) + ${suffix};
const record = () => writeFileSync(cache, script.createCachedData());
const { handler } = module.exports;
module.exports = { handler: (event, context) => handler(event, context).finally(record) };
record();
`;
