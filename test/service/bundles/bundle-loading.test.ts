import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { functions } from '../../../infra/blueprint/functions.ts';
import { rehearse } from '../../../infra/build/rehearse.ts';
import { functionEnvironment } from '../../support/function-environment.ts';
import { startContainer } from '../../../infra/local/aws/lambda/container.ts';

const dist = new URL('../../../dist/functions/', import.meta.url).pathname;
const names = Object.keys(functions).filter((name): name is keyof typeof functions => Object.hasOwn(functions, name));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-loading-'));
  // As packages of a project, so that both ways can say the same name.
  mkdirSync(join(folder, 'node_modules'));
  for (const name of names) symlinkSync(join(dist, name), join(folder, 'node_modules', name));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a new Node process of Lambda's major sees of each module's exports. */
async function exportsSeen(load: 'require' | 'import', specifiers: readonly string[]): Promise<unknown> {
  const script = `
    const seen = [];
    (async () => {
      for (const specifier of ${JSON.stringify(specifiers)}) {
        const loaded = ${load === 'require' ? 'require(specifier)' : 'await import(specifier)'};
        seen.push([Object.keys(loaded).filter((name) => !/^(default|module\\.exports)$/.test(name)), typeof loaded.handler]);
      }
      console.log(JSON.stringify(seen));
      process.exit();
    })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
    cwd: folder,
    env: functionEnvironment,
  });
  return JSON.parse(stdout);
}
const onlyHandler = names.map(() => [['handler'], 'function']);

describe('Each bundle', { timeout: 60_000 }, () => {
  test.each([
    ['require', 'its folder', (name: string) => join(dist, name)],
    ['require', 'index.cjs', (name: string) => join(dist, name, 'index.cjs')],
    ['require', 'the name of its package', (name: string) => name],
    ['import', 'index.mjs', (name: string) => join(dist, name, 'index.mjs')],
    ['import', 'index.cjs', (name: string) => join(dist, name, 'index.cjs')],
    ['import', 'the name of its package', (name: string) => name],
  ] as const)('exports handler, and by this name, to %s of %s', async (load, _what, specifierOf) => {
    expect(await exportsSeen(load, names.map(specifierOf))).toEqual(onlyHandler);
  });

  test.each(['index.mjs', 'index.cjs'] as const)('does its usual work when %s is loaded', async (file) => {
    await rehearse(dist, { file, flags: ['--expose-gc'] });
  });

  test.each(names)('%s starts in Lambda’s runtime loop where only index.cjs is there', async (name) => {
    const copy = join(folder, 'copies', name);
    cpSync(join(dist, name), copy, { recursive: true });
    rmSync(join(copy, 'index.mjs'));

    const definition = {
      functionName: name,
      directory: copy,
      timeoutMs: 5_000,
      memoryMb: 512,
      environment: functionEnvironment,
    };
    const container = await startContainer(definition);
    const ready = await container.ready.finally(() => container.kill());
    await container.ended;

    expect(ready).toBeGreaterThan(0);
  });
});
