import type { Context } from 'aws-lambda';
import { type Connections, createConnections } from './adapters/plangrep/plangrep-connections.ts';
import { parsePlangrepOrigin } from './adapters/plangrep/plangrep-origin.ts';

// The connection to Plangrep is opened as the first thing of a start: cancels are rare, so a start is usual, and a TCP and a
// TLS handshake take two round trips. The build makes a bundle of this file alone, which `index.mjs` runs before the rest
// of the function is loaded (infra/build/load-function.ts).

let connections: Connections | undefined;

/** The process's connections to Plangrep. @throws Error unless `PLANGREP_BASE_URL` is an origin */
export function plangrepConnections(): Connections {
  connections ??= createConnections(parsePlangrepOrigin(process.env['PLANGREP_BASE_URL'] ?? ''), Date.now);
  return connections;
}

/**
 * The same handler, which has a connection opened beside its first look-ups when none is there: for functions that
 * probably call Plangrep. That includes a request that will be refused: another connection takes the process at least 4 s.
 */
export function connectFirst<Event, Answer>(
  handler: (event: Event, context: Context) => Answer,
): (event: Event, context: Context) => Answer {
  return (event, context) => {
    plangrepConnections().openAhead();
    return handler(event, context);
  };
}
