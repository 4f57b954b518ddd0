import { calls } from './calls.ts';
import { cold } from './cold.ts';
import { cost } from './cost.ts';
import { growth } from './growth.ts';
import type { BenchPart } from './part.ts';
import { warm } from './warm.ts';

/** In the order in which they are run and shown. */
export const benchParts: readonly BenchPart[] = [cold, warm, calls, growth, cost];
