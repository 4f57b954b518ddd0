import { calls } from './calls/calls.ts';
import { cold } from './contenders/cold.ts';
import { cost } from './cost/cost.ts';
import { growth } from './growth/growth.ts';
import type { BenchPart } from './part.ts';
import { warm } from './contenders/warm.ts';

/** In the order in which they are run and shown. */
export const benchParts: readonly BenchPart[] = [cold, warm, calls, growth, cost];
