import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ContainerDefinition } from '../../infra/local/aws/lambda/container.ts';
import { localRegion } from '../../infra/local/aws/loopback.ts';

/** Closes a part when the current test has finished. */
export function closeAfterTest<Part extends { close(): Promise<void> | void }>(part: Part): Part {
  onTestFinished(() => part.close());
  return part;
}

/** An empty folder. vitest's `globalSetup` removes it after the last test. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'local-'));
}

/**
 * Bundles of functions, each in its folder.
 * @param sources of each function's `index.cjs`, by its name
 */
export function writeFunctions(
  sources: Readonly<Record<string, string>>,
  { timeoutMs, environment = {} }: Pick<ContainerDefinition, 'timeoutMs'> & Partial<ContainerDefinition>,
): ContainerDefinition[] {
  const folder = temporaryFolder();
  return Object.entries(sources).map(([functionName, source]) => {
    const directory = join(folder, functionName);
    mkdirSync(directory);
    writeFileSync(join(directory, 'index.cjs'), source);
    return {
      functionName,
      directory,
      environment: { AWS_REGION: localRegion, ...environment },
      timeoutMs,
      memoryMb: 256,
    };
  });
}
