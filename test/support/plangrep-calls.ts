import { createPlangrep } from '../../functions/adapters/plangrep/plangrep-client.ts';
import { type Connections, createConnections } from '../../functions/adapters/plangrep/plangrep-connections.ts';
import type { PlangrepKey } from '../../functions/adapters/plangrep/plangrep-key.ts';
import { parsePlangrepOrigin } from '../../functions/adapters/plangrep/plangrep-origin.ts';
import type { Plangrep } from '../../functions/core/ports.ts';
import { documentedJob, documentedProject } from './names.ts';

export const API_KEY = 'pgk_live_canary0key1never2shown3';

/** Secrets Manager's part played by two values: the key in memory, and the newest one. */
export const keyOf = (cached: string, newest = cached): PlangrepKey => ({
  get: () => Promise.resolve(cached),
  renew: () => Promise.resolve(newest),
});

/** The three calls, for what holds for each of them alike. */
export const calls = {
  cancel: (plangrep: Plangrep, untilMs: number) => plangrep.cancel(documentedJob, untilMs),
  read: (plangrep: Plangrep, untilMs: number) => plangrep.read(documentedJob, untilMs),
  list: (plangrep: Plangrep, untilMs: number) => plangrep.list(documentedProject, untilMs),
} as const;
export const callNames = ['cancel', 'read', 'list'] as const;

/** @param now milliseconds since 1970 */
export const connectionsTo = (baseUrl: string, now: () => number = Date.now): Connections =>
  createConnections(parsePlangrepOrigin(baseUrl), now);

/** The client, with connections of its own. */
export const clientOf = (baseUrl: string, key = keyOf(API_KEY), now: () => number = Date.now): Plangrep =>
  createPlangrep({ connections: connectionsTo(baseUrl, now), key, clock: { now } });
