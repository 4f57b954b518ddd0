declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** Milliseconds that a table stays in CREATING. */
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
    /** The folder of the LevelDB store; in memory without it. */
    readonly path?: string;
  }

  /** An HTTP server that is not listening yet; `close` closes the store too. */
  export default function dynalite(options?: DynaliteOptions): Server;
}
