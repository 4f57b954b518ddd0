import * as z from 'zod/mini';

/** The signals that a measured process answers, each with a line on its standard output. */
export const probes = { cpu: 'SIGUSR2', memory: 'SIGHUP' } as const;

/** User and system time of all threads since the spawn. */
export interface Cpu {
  readonly cpuMs: number;
}

/** In bytes. */
export interface Memory {
  /** As it stands: what Lambda bills by. */
  readonly rss: number;
  /** After a full garbage collection: what is held on to. */
  readonly heapUsed: number;
}

const lineSchema = z.object({
  probe: z.union([z.object({ cpuMs: z.number() }), z.object({ rss: z.number(), heapUsed: z.number() })]),
});

/** What a line tells, if it is a probe's. */
export const readProbe = (line: string): Cpu | Memory | undefined =>
  line.startsWith('{"probe"') ? lineSchema.parse(JSON.parse(line)).probe : undefined;
