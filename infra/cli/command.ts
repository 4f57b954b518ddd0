import { parseArgs } from 'node:util';
import type * as z from 'zod/mini';
import { isLoopback } from '../../functions/core/loopback.ts';
import type { Timestamp } from '../../functions/core/identifiers.ts';
import { explainSystemError } from '../explain-system-error.ts';

export type ExitCode = 0 | 1 | 2;

/** Why a command stops, in one line that says what to do. It is shown without a stack trace. */
export class CannotDo extends Error {
  override readonly name = 'CannotDo';
  /** For most commands 1: understood, but not done; 2: wrong usage, or no connection. */
  readonly exitCode: 1 | 2;
  constructor(exitCode: 1 | 2, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** An option without a `hint` is a flag; the hint stands for the value in the help: `acme`, `N`. */
export type Option =
  | { readonly what: string; readonly hint?: never; readonly many?: never }
  | { readonly what: string; readonly hint: string; readonly required?: boolean; readonly many?: never }
  /** May be given several times. */
  | { readonly what: string; readonly hint: string; readonly required?: never; readonly many: true };
export type Options = Readonly<Record<string, Option>>;

type Value<Given> = Given extends { hint: string }
  ? Given extends { many: true }
    ? readonly string[] | undefined
    : Given extends { required: true }
      ? string
      : string | undefined
  : boolean;
/** The options as they were given: text or a flag, by what describes them. */
export type Values<Given extends Options> = { readonly [Name in keyof Given]: Value<Given[Name]> };

/** What a command is called, takes and promises: the parser and the help both read it. */
export interface CommandDescription<Given extends Options = Options> {
  /** In messages: `partner-key issue`, `smoke`. */
  readonly name: string;
  /** What is typed before the options: `npm run smoke --`. */
  readonly call: string;
  readonly summary: string;
  readonly notes?: string;
  /** The one argument, required. */
  readonly argument?: { readonly hint: string; readonly what: string };
  readonly options: Given;
  /** Further parts of the help, by title: rows of a name and what it means. */
  readonly sections?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly exitCodes: Readonly<Record<number, string>>;
  /** The exit code for wrong usage. */
  readonly wrongUsage: 1 | 2;
}

export interface ParsedCommand<Given extends Options = Options> {
  readonly kind: 'run';
  readonly values: Values<Given>;
  /** Empty for a command that takes no argument. */
  readonly argument: string;
}

/** @throws CannotDo for wrong usage. Its message never repeats a value: that may be a secret in the wrong place. */
export function parseCommand<const Given extends Options>(
  command: CommandDescription<Given>,
  args: readonly string[],
): ParsedCommand<Given> | { readonly kind: 'help' } {
  const { name, call, argument, options, wrongUsage } = command;
  const wrong = (why: string, cause?: unknown): CannotDo =>
    new CannotDo(wrongUsage, `${why} See "${call} --help".`, { cause });
  const { values, positionals } = parse(options, args, wrong);
  if (values['help']) return { kind: 'help' };
  if (positionals.length > (argument === undefined ? 0 : 1)) {
    throw wrong(`"${name}" takes ${argument === undefined ? 'no argument' : 'one argument'}.`);
  }
  const [given = ''] = positionals;
  if (argument !== undefined && given === '') throw wrong(`"${name}" needs ${argument.hint}.`);
  const missing = Object.entries(options).find(([option, described]) => isRequired(described) && !(option in values));
  if (missing !== undefined) throw wrong(`"${name}" needs --${missing[0]} ${missing[1].hint}.`);
  if (!areValues(values, options)) throw new Error('parseArgs gave other types than it was asked for');
  return { kind: 'run', values, argument: given };
}

function isRequired(option: Option): boolean {
  return 'required' in option && option.required === true;
}

function parse(options: Options, args: readonly string[], wrong: (why: string, cause: unknown) => CannotDo) {
  const [text, flag] = [{ type: 'string' } as const, { type: 'boolean', default: false } as const];
  const known = Object.entries(options).map(([name, { hint, many = false }]) => {
    return [name, hint === undefined ? flag : { ...text, multiple: many }] as const;
  });
  try {
    const config = { ...Object.fromEntries(known), help: flag };
    return parseArgs({ args: [...args], allowPositionals: true, options: config });
  } catch (error) {
    const [why = ''] = error instanceof Error ? error.message.split(/\. |\.?\n/) : [];
    throw wrong(`${why.replace(/\.$/, '')}.`, error);
  }
}

function areValues<Given extends Options>(values: object, options: Given): values is Values<Given> {
  const given: Readonly<Record<string, unknown>> = { ...values };
  return Object.entries<Option>(options).every(([name, { hint, many = false }]) => {
    const value = given[name];
    if (hint === undefined) return typeof value === 'boolean';
    return value === undefined || (many ? Array.isArray(value) : typeof value === 'string');
  });
}

/** Rows of two columns. A second column of several lines stays in its column. */
function describeRows(rows: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(rows).map((key) => key.length)) + 2;
  return Object.entries(rows)
    .map(([key, what]) => `  ${key.padEnd(width)}${what.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}\n`)
    .join('');
}

/** The help of one command. */
export function usageOf({ call, summary, notes, argument, options, sections, exitCodes }: CommandDescription): string {
  const rows = Object.entries(options).map(([name, option]) => {
    const left = option.hint === undefined ? `--${name}` : `--${name} ${option.hint}`;
    return { left, what: option.what, option };
  });
  const required = rows.filter(({ option }) => isRequired(option)).map(({ left }) => ` ${left}`);
  const all = [...rows, { left: '--help', what: 'this help' }].map(({ left, what }) => [left, what]);
  const parts = {
    Options: Object.fromEntries(argument === undefined ? all : [[argument.hint, argument.what], ...all]),
    ...sections,
    'Exit code': exitCodes,
  };
  return [
    `${call}${required.join('')} [options]${argument === undefined ? '' : ` ${argument.hint}`}\n`,
    `${summary}${notes === undefined ? '' : `\n${notes}`}\n`,
    ...Object.entries(parts).map(([title, described]) => `${title}\n${describeRows(described)}`),
  ].join('\n');
}

/**
 * Runs a command to its exit code: one line on stderr for what cannot be done, the stack trace for a bug.
 * @param bug the exit code for a bug
 */
export async function endProcess(run: () => Promise<ExitCode> | ExitCode, bug: 1 | 2): Promise<void> {
  // The reader of the output may have gone: the exit code still counts.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    process.exitCode = await run();
  } catch (error) {
    const isExpected = error instanceof CannotDo;
    const line = isExpected ? error.message : explainSystemError(error);
    process.exitCode = isExpected ? error.exitCode : bug;
    if (line === undefined) console.error(error);
    else process.stderr.write(`${line}\n`);
  }
}

/** A script's whole life: its arguments are parsed, `--help` is answered, anything else is `run`. */
export async function runScript<const Given extends Options>(
  command: CommandDescription<Given>,
  run: (values: Values<Given>) => Promise<ExitCode>,
  { bug = command.wrongUsage } = {},
): Promise<void> {
  await endProcess(() => {
    const parsed = parseCommand(command, process.argv.slice(2));
    if (parsed.kind === 'run') return run(parsed.values);
    process.stdout.write(usageOf(command));
    return 0;
  }, bug);
}

/** Checks a value as it is checked wherever it enters. @throws CannotDo (2) in the schema's words */
export function readAs<Output>(schema: z.ZodMiniType<Output, string>, named: string, value: string): Output {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new CannotDo(2, `${named} ${error.issues[0]?.message ?? 'is not valid'}.`);
}

/** The parts of `a,b,c`: trimmed, each once. */
export function readList(value: string): string[] {
  const parts = value.split(',').map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ''))];
}

/** A whole number of at most ten digits. @throws CannotDo (2) */
export function readWholeNumber(named: string, value: string, least = 0): number {
  if (/^\d{1,10}$/.test(value) && Number(value) >= least) return Number(value);
  throw new CannotDo(2, `${named} takes a whole number from ${least}, not "${value}".`);
}

/** A day or a time in UTC: `2026-11-01`, `2026-11-01T12:00:00Z`. @throws CannotDo (2) */
export function readTime(named: string, value: string): Timestamp {
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/.test(value) && !Number.isNaN(Date.parse(value));
  if (isTime) return new Date(value).toISOString();
  const rule = 'must be a day or a time in UTC like 2026-11-01T12:00:00Z';
  throw new CannotDo(2, `${named} ${rule}, not ${JSON.stringify(value)}.`);
}

/** The parts of `a,b`, each one of those that are known. @throws CannotDo (2) */
export function readChoices(named: string, value: string, known: readonly string[]): readonly string[] {
  const chosen = value.split(',');
  const stranger = chosen.find((one) => !known.includes(one));
  if (stranger === undefined) return chosen;
  throw new CannotDo(2, `${named} takes some of ${known.join(', ')}, not "${stranger}".`);
}

/**
 * The address of the API, with a slash at its end: API Gateway's stage is part of the path.
 * @param option what `--url` says; without it `CANCELLATION_URL` counts, as in a partner's program
 * @throws CannotDo (2) unless it is https, or http on this machine
 */
export function readApiUrl(option: string | undefined, { name, call }: Pick<CommandDescription, 'name' | 'call'>): URL {
  const value = option ?? process.env['CANCELLATION_URL'] ?? '';
  if (value === '') throw new CannotDo(2, `"${name}" needs --url URL or CANCELLATION_URL. See "${call} --help".`);
  const from = option === undefined ? 'CANCELLATION_URL' : '--url';
  const example = `like ${from}${option === undefined ? '=' : ' '}https://api.example.com/`;
  if (!URL.canParse(value)) throw new CannotDo(2, `${from} must be an address, ${example}.`);
  const url = new URL(value);
  const isHere = url.protocol === 'http:' && isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !isHere) throw new CannotDo(2, `${from} must be https, ${example}.`);
  if (`${url.search}${url.hash}${url.username}` !== '')
    throw new CannotDo(2, `${from} must be an address without user, query and fragment, ${example}.`);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}
