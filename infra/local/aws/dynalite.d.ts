declare module 'dynalite' {
  import type { Server } from 'node:http';

  export interface DynaliteOptions {
    /** How many milliseconds a table stays in CREATING. */
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
    /** The folder of the LevelDB store. @default in memory */
    readonly path?: string;
  }

  /** Returns an HTTP server that does not listen yet. Its `close` closes the store too. */
  export default function dynalite(options?: DynaliteOptions): Server;
}
