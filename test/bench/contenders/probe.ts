import * as z from 'zod/mini';

/** The signals that a measured process answers, each with one line on its standard output. */
export const probes = { cpu: 'SIGUSR2', memory: 'SIGHUP' } as const;

/** User and system time of all threads since the spawn. */
export interface Cpu {
  readonly cpuMs: number;
}

/** In bytes. */
export interface Memory {
  /** As it is: Lambda compares it with the memory size. */
  readonly rss: number;
  /** After a full garbage collection. */
  readonly heapUsed: number;
}

const lineSchema = z.object({
  probe: z.union([z.object({ cpuMs: z.number() }), z.object({ rss: z.number(), heapUsed: z.number() })]),
});

/** @returns what a line reports; `undefined` for a line that the contender printed itself */
export function readProbe(line: string): Cpu | Memory | undefined {
  return line.startsWith('{"probe"') ? lineSchema.parse(JSON.parse(line)).probe : undefined;
}
