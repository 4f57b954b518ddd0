import { execFileSync } from 'node:child_process';
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/** Writes the package's content to `dist`: one minified ES module, its declarations, and the licence. */
const file = (path: string): string => new URL(path, import.meta.url).pathname;

await rm(file('dist'), { recursive: true, force: true });
await build({
  entryPoints: [file('src/index.ts')],
  outfile: file('dist/index.js'),
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  logLevel: 'warning',
});

const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
const compiler = join(dirname(typescript), 'bin', 'tsc');
const options =
  '--ignoreConfig --strict --skipLibCheck --target es2022 --lib es2022 --module nodenext --types node ' +
  '--allowImportingTsExtensions --declaration --emitDeclarationOnly --outDir dist';
execFileSync(process.execPath, [compiler, 'src/index.ts', ...options.split(' ')], { cwd: file('.'), stdio: 'inherit' });
for (const name of await readdir(file('dist'))) {
  if (!name.endsWith('.d.ts')) continue;
  // The compiler leaves `.ts` in declarations, which only the newest compilers accept.
  const path = file(`dist/${name}`);
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"));
}
await copyFile(file('../LICENSE'), file('dist/LICENSE'));
