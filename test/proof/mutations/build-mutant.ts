import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import type { runSimulation } from '../simulation.ts';
import type { SeededBug } from './seeded-bug.ts';

const root = join(import.meta.dirname, '../../..');

/**
 * Builds the simulation with one text of the production code replaced, and loads it.
 * @param bug undefined: the code is unchanged
 * @throws Error when the text is not in its file exactly once, or the file is not part of the simulation
 */
export const buildMutant = async (bug: SeededBug | undefined): Promise<typeof runSimulation> => {
  let isApplied = bug === undefined;
  const { outputFiles } = await build({
    entryPoints: [join(root, 'test/proof/simulation.ts')],
    bundle: true,
    write: false,
    logLevel: 'silent',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    plugins: [
      {
        name: 'seeded-bug',
        setup: (building) => {
          building.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            if (bug === undefined || relative(root, path).replaceAll(sep, '/') !== bug.file) return undefined;
            const parts = (await readFile(path, 'utf8')).split(bug.from);
            if (parts.length !== 2) {
              throw new Error(`“${bug.name}”: its text is in ${bug.file} ${parts.length - 1} times, not once`);
            }
            isApplied = true;
            return { contents: parts.join(bug.to), loader: 'ts' };
          });
        },
      },
    ],
  });
  const [output] = outputFiles;
  if (!isApplied || output === undefined) throw new Error(`“${bug?.name}”: ${bug?.file} is not part of the simulation`);
  const url = `data:text/javascript;base64,${Buffer.from(output.contents).toString('base64')}`;
  const module = (await import(/* @vite-ignore */ url)) as { runSimulation: typeof runSimulation };
  return module.runSimulation;
};
