import { jobIdSchema, type JobId, type PartnerId, partnerIdSchema } from '../../functions/core/identifiers.ts';
import { type CommandDescription, type ExitCode, type Options, parseCommand, readAs, type Values } from './command.ts';
import type { Place } from './places.ts';
import type { Terminal } from './terminal.ts';

export interface OpsRequest<Given extends Options = Options> {
  readonly place: Place;
  readonly terminal: Terminal;
  readonly values: Values<Given>;
  readonly argument: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** One command of `npm run ops`. */
export interface OpsCommand<Given extends Options = Options>
  extends Pick<CommandDescription<Given>, 'name' | 'summary' | 'notes' | 'argument' | 'options'> {
  run(request: OpsRequest<Given>): Promise<ExitCode>;
}

/** Types `run` by the options that are described beside it. */
export function opsCommand<const Given extends Options>(command: OpsCommand<Given>): OpsCommand<Given> {
  return command;
}

/** The options of every command. */
export const commonOptions = {
  environment: { hint: 'NAME', what: 'dev, staging or prod (default: the local run of this folder)' },
  region: { hint: 'REGION', what: "instead of the environment's own" },
  json: { what: 'one JSON document instead of text' },
  yes: { what: 'do not ask for confirmation' },
} as const;

export const opsExitCodes = { 0: 'done', 1: 'not done, or nothing found', 2: 'wrong usage, or no connection' };

/** The command as the parser and the help read it. */
export function describeOps({ name, summary, notes, argument, options }: OpsCommand): CommandDescription {
  return {
    name,
    call: `npm run ops -- ${name}`,
    summary,
    ...(notes !== undefined && { notes }),
    ...(argument !== undefined && { argument }),
    options: { ...options, ...commonOptions },
    exitCodes: opsExitCodes,
    wrongUsage: 2,
  };
}

/** `--partner`, where it is required. */
export const partnerOption = { hint: 'acme', what: "the partner's partnerId", required: true } as const;

/** @throws CannotDo (2) */
export function readPartner(value: string): PartnerId {
  return readAs(partnerIdSchema, '--partner', value);
}

/** @param named what the operator calls it: `--job`, `JOBID` @throws CannotDo (2) */
export function readJobId(named: string, value: string): JobId {
  return readAs(jobIdSchema, named, value);
}

/** @throws CannotDo (2) for wrong usage */
export function parseOps(command: OpsCommand, args: readonly string[]) {
  return parseCommand(describeOps(command), args);
}
