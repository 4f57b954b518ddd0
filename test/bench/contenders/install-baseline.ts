import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const folder = new URL('../baseline', import.meta.url).pathname;

/** Installs the baseline's own dependencies with `npm ci`, unless what is there is what its lockfile says. */
export const installBaseline = async (progress: (text: string) => void): Promise<void> => {
  if (await isInstalled()) return;
  progress("npm ci in test/bench/baseline: its packages are the bench's own");
  const options = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const child = spawn('npm', ['ci', ...options], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('close', (code) => {
    if (code === 0) resolve();
    else reject(new Error(`npm ci in test/bench/baseline ended with ${code}; --no-baseline measures without it`));
  });
  return promise;
};

/** npm writes down what it installed. */
const isInstalled = async (): Promise<boolean> => {
  try {
    const versions = async (path: string): Promise<string> => {
      const { packages } = JSON.parse(await readFile(join(folder, path), 'utf8'));
      const { '': _root, ...installed } = packages;
      return JSON.stringify(
        Object.entries<{ version: string }>(installed).map(([name, { version }]) => [name, version]),
      );
    };
    return (await versions('package-lock.json')) === (await versions('node_modules/.package-lock.json'));
  } catch {
    return false;
  }
};
