import { serviceFunctions } from '../../infra/blueprint/functions.ts';
import { type CommandDescription, parseCommand, readChoices, readWholeNumber } from '../../infra/cli/command.ts';
import { calls } from './calls/calls.ts';
import { cold } from './contenders/cold.ts';
import { warm } from './contenders/warm.ts';
import { cost } from './cost/cost.ts';
import { growth } from './growth/growth.ts';
import { lateness } from './lateness/lateness.ts';
import { listing } from './listing/listing.ts';
import { pages } from './pages/time-pages.ts';
import { reach } from './reach/reach.ts';
import { timeTo404 } from './refusals/time-to-404.ts';
import { fairShares } from './shares/fair-shares.ts';
import { callbacks } from './callbacks/callbacks.ts';
import type { BenchPart } from './part.ts';

/** In the order in which they are run and shown. */
export const benchParts: readonly BenchPart[] = [
  cold,
  warm,
  reach,
  calls,
  growth,
  listing,
  fairShares,
  timeTo404,
  pages,
  lateness,
  callbacks,
  cost,
];

const partNames = benchParts.map(({ name }) => name);
const functionNames = Object.keys(serviceFunctions);

/** `npm run bench`, as the parser and the help read it. */
export const benchCommand = {
  name: 'bench',
  call: 'npm run bench --',
  summary:
    'Measures what is in dist/ against an empty handler, the usual tutorial stack and the least possible, side by side.',
  options: {
    only: { hint: 'PARTS', what: `comma-separated: ${partNames.join(', ')}` },
    functions: {
      hint: 'NAMES',
      what: `comma-separated, for the parts that measure functions: ${functionNames.join(', ')}`,
    },
    rounds: { hint: 'N', what: 'how often a part repeats what it measures' },
    'no-baseline': { what: 'without the tutorial stack, whose packages "npm ci" installs in test/bench/baseline' },
    seed: { hint: 'N', what: 'the seed of every random choice; printed by each run' },
    json: { what: 'one line of JSON instead of text' },
  },
  exitCodes: {
    0: 'everything was measured, whether or not a bar was met',
    1: 'something could not be measured',
    2: 'wrong usage',
  },
  wrongUsage: 2,
} as const satisfies CommandDescription;

export interface BenchOptions {
  readonly seed: number;
  readonly parts: readonly BenchPart[];
  readonly functions: readonly string[] | undefined;
  readonly rounds: number | undefined;
  readonly withBaseline: boolean;
  readonly json: boolean;
}

/** @throws CannotDo (2) for wrong usage */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const parsed = parseCommand(benchCommand, args);
  if (parsed.kind === 'help') return 'help';
  const { only, functions, seed, rounds, json, 'no-baseline': withoutBaseline } = parsed.values;
  const wanted = only === undefined ? partNames : readChoices('--only', only, partNames);
  return {
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 31) : readWholeNumber('--seed', seed),
    parts: benchParts.filter(({ name }) => wanted.includes(name)),
    functions: functions === undefined ? undefined : readChoices('--functions', functions, functionNames),
    rounds: rounds === undefined ? undefined : readWholeNumber('--rounds', rounds, 1),
    withBaseline: !withoutBaseline,
    json,
  };
}
