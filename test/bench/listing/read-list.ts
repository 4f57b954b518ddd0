import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod/mini';
import type { ListFigures } from './read-list-process.ts';

const script = fileURLToPath(new URL('./read-list-process.ts', import.meta.url));
const figuresSchema = z.object({
  result: z.string(),
  jobs: z.number(),
  matches: z.number(),
  bytes: z.number(),
  cpuMs: z.number(),
  entryMs: z.number(),
  wholeMs: z.number(),
  residentMiB: z.number(),
});

/**
 * Reads a list of so many jobs in a separate process, whose memory is its own.
 * @param heapMiB what JavaScript may use of the memory: the process dies beyond it
 * @param url Plangrep's; without it the list is made in the process
 */
export async function readLongList(jobs: number, heapMiB: number, url?: string): Promise<ListFigures> {
  const args = [`--max-old-space-size=${heapMiB}`, script, String(jobs), ...(url === undefined ? [] : [url])];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return figuresSchema.parse(JSON.parse(stdout));
}
