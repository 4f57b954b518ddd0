import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/**
 * Writes the package's content to `dist`: one minified module with its declarations, as an ES module (`.js`) and for
 * `require` (`.cjs`), and the licence.
 */
const file = (path: string): string => new URL(path, import.meta.url).pathname;

await rm(file('dist'), { recursive: true, force: true });
for (const [format, name] of [
  ['esm', 'index.js'],
  ['cjs', 'index.cjs'],
] as const) {
  const options = {
    bundle: true,
    minify: true,
    // Node prints the line that threw, whole, before the error's message.
    lineLimit: 120,
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'warning',
  } as const;
  const { outputFiles } = await build({ ...options, entryPoints: [file('src/index.ts')], format, write: false });
  // Minified code has lost the comments that keep a bundler from a module which only Node 18 needs.
  const code = outputFiles[0]?.text.replace(/\bimport\((?=\w)/, 'import(/* webpackIgnore: true *//* @vite-ignore */');
  await mkdir(file('dist'), { recursive: true });
  await writeFile(file(`dist/${name}`), code ?? '');
}

const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
const compiler = join(dirname(typescript), 'bin', 'tsc');
const options =
  '--ignoreConfig --strict --skipLibCheck --target es2022 --lib es2022 --module nodenext --types node ' +
  '--allowImportingTsExtensions --declaration --emitDeclarationOnly --outDir dist';
execFileSync(process.execPath, [compiler, 'src/index.ts', ...options.split(' ')], { cwd: file('.'), stdio: 'inherit' });
for (const name of await readdir(file('dist'))) {
  if (!name.endsWith('.d.ts')) continue;
  const declarations = await readFile(file(`dist/${name}`), 'utf8');
  // The compiler leaves `.ts` in declarations, which only the newest compilers accept.
  for (const [ending, module] of [
    ['.d.ts', 'js'],
    // Types for `require`: those of an ES module cannot be imported there without a cast.
    ['.d.cts', 'cjs'],
  ]) {
    const path = file(`dist/${name.replace('.d.ts', ending ?? '')}`);
    await writeFile(path, declarations.replaceAll(/(from '\.\/[\w-]+)\.ts'/g, `$1.${module}'`));
  }
}
await copyFile(file('../LICENSE'), file('dist/LICENSE'));
