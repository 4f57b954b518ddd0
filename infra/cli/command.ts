import { parseArgs } from 'node:util';
import { CannotDo } from './cannot-do.ts';
import type { Place } from './place.ts';
import type { Terminal } from './terminal.ts';

/** 1: not done, or nothing found. */
export type ExitCode = 0 | 1 | 2;

interface Named {
  /** Stands for the value in the help: `acme`, `N`. */
  readonly hint: string;
  readonly what: string;
  readonly required?: boolean;
}

export interface Command {
  /** As typed: `partner-key issue`. */
  readonly name: string;
  readonly summary: string;
  /** What else to know before using it. */
  readonly notes?: string;
  readonly argument?: Named;
  readonly options?: Readonly<Record<string, Named>>;
  run(request: CommandRequest): Promise<ExitCode>;
}

export interface CommandRequest {
  readonly place: Place;
  readonly terminal: Terminal;
  /** The option's value, if it was given. */
  readonly option: (name: string) => string | undefined;
  /** The argument, or an option that the command requires. */
  readonly required: (name: string) => string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const flag = { type: 'boolean', default: false } as const;
const common = {
  environment: { type: 'string' },
  region: { type: 'string' },
  json: flag,
  yes: flag,
  help: flag,
} as const;

export interface ParsedCommand extends Pick<CommandRequest, 'option' | 'required'> {
  readonly environment: string | undefined;
  readonly region: string | undefined;
  readonly json: boolean;
  readonly yes: boolean;
  readonly help: boolean;
}

/** @throws CannotDo (2) for what makes no sense; it never repeats a value, which may be a secret in the wrong place */
export const parseCommand = (command: Command, args: readonly string[]): ParsedCommand => {
  const { name, argument, options = {} } = command;
  const wrong = (why: string, cause?: unknown): CannotDo =>
    new CannotDo(2, `${why} See "npm run ops -- ${name} --help".`, { cause });
  const own = Object.fromEntries(Object.keys(options).map((option) => [option, { type: 'string' } as const]));
  const parsed = (() => {
    try {
      return parseArgs({ args: [...args], allowPositionals: true, options: { ...own, ...common } });
    } catch (error) {
      const [why = ''] = error instanceof Error ? error.message.split(/\. |\.?\n/) : [];
      throw wrong(`${why.replace(/\.$/, '')}.`, error);
    }
  })();
  const { values, positionals } = parsed;
  const { environment, region, json, yes, help } = values;
  const given = new Map<string, string>();
  for (const [option, value] of Object.entries<unknown>(values)) {
    if (Object.hasOwn(options, option) && typeof value === 'string') given.set(option, value);
  }
  const [first, ...more] = positionals;
  if (argument !== undefined && first !== undefined) given.set(argument.hint, first);
  if (!help) {
    if (more.length > 0 || (argument === undefined && first !== undefined)) {
      throw wrong(`"${name}" takes ${argument === undefined ? 'no argument' : 'one argument'}.`);
    }
    if (argument?.required === true && first === undefined) throw wrong(`"${name}" needs a ${argument.hint}.`);
    for (const [option, { required, hint }] of Object.entries(options)) {
      if (required === true && !given.has(option)) throw wrong(`"${name}" needs --${option} ${hint}.`);
    }
  }
  const option = (asked: string): string | undefined => given.get(asked);
  const required = (asked: string): string => {
    const value = given.get(asked);
    if (value === undefined) throw new Error(`${name} does not require ${asked}`);
    return value;
  };
  return { environment, region, json, yes, help, option, required };
};

const commonOptions: Readonly<Record<string, string>> = {
  '--environment NAME': 'dev, staging or prod (the local run of this folder)',
  '--region REGION': "instead of the environment's own",
  '--json': 'one JSON document instead of text',
  '--yes': 'ask nothing',
  '--help': 'this',
};
const exitCodes = `Exit code
  0  done
  1  not done, or nothing found
  2  wrong usage, or no connection
`;

const columns = (rows: Readonly<Record<string, string>>): string => {
  const width = Math.max(...Object.keys(rows).map((key) => key.length)) + 2;
  return Object.entries(rows)
    .map(([key, what]) => `  ${key.padEnd(width)}${what}\n`)
    .join('');
};

/** The help of one command. */
export const commandUsage = ({ name, summary, notes, argument, options = {} }: Command): string => {
  const needed = Object.entries(options).map(([option, { hint, required }]) =>
    required === true ? ` --${option} ${hint}` : ` [--${option} ${hint}]`,
  );
  const own = Object.entries(options).map(([option, { hint, what }]) => [`--${option} ${hint}`, what]);
  const first = argument === undefined ? [] : [[argument.hint, argument.what]];
  const all = { ...Object.fromEntries([...first, ...own]), ...commonOptions };
  const argumentText = argument === undefined ? '' : ` ${argument.hint}`;
  return [
    `npm run ops -- ${name}${needed.join('')}${argumentText}\n`,
    `${summary}${notes === undefined ? '' : `\n${notes}`}\n`,
    `Options\n${columns(all)}`,
    exitCodes,
  ].join('\n');
};

/** The help of all commands, or of a group. */
export const commandsUsage = (commands: readonly Command[]): string =>
  [
    'npm run ops -- <command> [options]\n',
    `Commands\n${columns(Object.fromEntries(commands.map(({ name, summary }) => [name, summary])))}`,
    `Options of every command\n${columns(commonOptions)}`,
    exitCodes,
  ].join('\n');
