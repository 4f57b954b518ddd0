import { parseArgs } from 'node:util';
import { serviceFunctions } from '../../infra/blueprint/functions.ts';
import type { BenchPart } from './part.ts';

export interface BenchOptions {
  readonly seed: number;
  readonly parts: readonly BenchPart[];
  readonly functions: readonly string[] | undefined;
  readonly rounds: number | undefined;
  readonly withBaseline: boolean;
  readonly json: boolean;
}

export const usage = (parts: readonly BenchPart[]): string => `npm run bench [-- options]

Measures what is in dist/ against an empty handler, the usual tutorial stack and the least possible, side by side.

Options
  --only PARTS      comma-separated: ${parts.map(({ name }) => name).join(', ')}
  --functions NAMES comma-separated, for the parts that measure functions: ${Object.keys(serviceFunctions).join(', ')}
  --rounds N        how often a part repeats what it measures
  --no-baseline     without the tutorial stack, whose packages "npm ci" installs in test/bench/baseline
  --seed N          where every random choice begins; printed by each run
  --json            one line of JSON instead of text
  --help            this

Exit code: 0 when everything was measured, whether or not a bar was met; 1 when something could not be measured; 2 for a
bad option.
`;

/** An option that cannot be: the message is for whoever typed it. */
export class BadOption extends Error {}

/** @returns the options; nothing when help is asked for @throws BadOption */
export const readOptions = (args: readonly string[], parts: readonly BenchPart[]): BenchOptions | undefined => {
  const { only, functions: chosen, seed, rounds, json, help, baseline } = parse(args);
  if (help) return undefined;
  const names = parts.map(({ name }) => name);
  const wanted = list('only', only, names);
  return {
    seed: wholeNumber('seed', seed) ?? Math.floor(Math.random() * 2 ** 31),
    parts: parts.filter(({ name }) => wanted?.includes(name) ?? true),
    functions: list('functions', chosen, Object.keys(serviceFunctions)),
    rounds: wholeNumber('rounds', rounds, 1),
    withBaseline: baseline,
    json,
  };
};

const parse = (args: readonly string[]) => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { only: text, functions: text, seed: text, rounds: text, json: flag, help: flag } as const;
  const baseline = { type: 'boolean', default: true } as const;
  try {
    return parseArgs({ args: [...args], options: { ...options, baseline }, allowNegative: true }).values;
  } catch (error) {
    const [why = ''] = error instanceof Error ? error.message.split('. ') : [];
    throw new BadOption(`${why}. See "npm run bench -- --help".`);
  }
};

const list = (name: string, value: string | undefined, known: readonly string[]): readonly string[] | undefined => {
  const chosen = value?.split(',');
  const stranger = chosen?.find((one) => !known.includes(one));
  if (stranger === undefined) return chosen;
  throw new BadOption(`--${name} takes some of ${known.join(', ')}, not "${stranger}".`);
};

const wholeNumber = (name: string, value: string | undefined, least = 0): number | undefined => {
  if (value === undefined) return undefined;
  if (/^\d{1,10}$/.test(value) && Number(value) >= least) return Number(value);
  throw new BadOption(`--${name} takes a whole number from ${least}, not "${value}".`);
};
