import { serviceFunctions } from '../../infra/blueprint/functions.ts';
import { type CommandDescription, parseCommand, readChoices, readWholeNumber } from '../../infra/cli/command.ts';
import type { BenchPart } from './part.ts';

export interface BenchOptions {
  readonly seed: number;
  readonly parts: readonly BenchPart[];
  readonly functions: readonly string[] | undefined;
  readonly rounds: number | undefined;
  readonly withBaseline: boolean;
  readonly json: boolean;
}

const functionNames = Object.keys(serviceFunctions);

/** `npm run bench`, as the parser and the help read it. */
export function describeBench(parts: readonly BenchPart[]) {
  return {
    name: 'bench',
    call: 'npm run bench --',
    summary:
      'Measures what is in dist/ against an empty handler, the usual tutorial stack and the least possible, side by side.',
    options: {
      only: { hint: 'PARTS', what: `comma-separated: ${parts.map(({ name }) => name).join(', ')}` },
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
}

/** @returns the options; nothing when help is asked for @throws CannotDo (2) */
export function readOptions(args: readonly string[], parts: readonly BenchPart[]): BenchOptions | undefined {
  const parsed = parseCommand(describeBench(parts), args);
  if (parsed.kind === 'help') return undefined;
  const { only, functions, seed, rounds, json, 'no-baseline': withoutBaseline } = parsed.values;
  const names = parts.map(({ name }) => name);
  const wanted = only === undefined ? names : readChoices('--only', only, names);
  return {
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 31) : readWholeNumber('--seed', seed),
    parts: parts.filter(({ name }) => wanted.includes(name)),
    functions: functions === undefined ? undefined : readChoices('--functions', functions, functionNames),
    rounds: rounds === undefined ? undefined : readWholeNumber('--rounds', rounds, 1),
    withBaseline: !withoutBaseline,
    json,
  };
}
