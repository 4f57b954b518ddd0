import { jobIdSchema, type JobId, type PartnerId, partnerIdSchema } from '../../functions/core/identifiers.ts';
import { type CommandDescription, type ExitCode, type Options, readAs, type Values } from './command.ts';
import type { Place } from './places/place.ts';
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
export interface OpsCommand<Given extends Options = Options> extends CommandDescription<Given> {
  run(request: OpsRequest<Given>): Promise<ExitCode>;
}

/** The options of every command. */
export const commonOptions = {
  environment: { hint: 'NAME', what: 'dev, staging or prod (default: the local run of this folder)' },
  region: { hint: 'REGION', what: "instead of the environment's own" },
  json: { what: 'one JSON document instead of text' },
  yes: { what: 'do not ask for confirmation' },
} as const;

/** What all the commands have in common, beside their options. */
export const common = {
  exitCodes: { 0: 'done', 1: 'not done, or nothing found', 2: 'wrong usage, or no connection' },
  wrongUsage: 2,
} as const;

type Own<Given extends Options> = Omit<OpsCommand<Given>, 'call' | keyof typeof common>;

/** Adds what all the commands have in common, and types `run` by the options that are described beside it. */
export function opsCommand<const Given extends Options>(own: Own<Given>): OpsCommand<Given & typeof commonOptions> {
  return { ...own, ...common, call: `npm run ops -- ${own.name}`, options: { ...own.options, ...commonOptions } };
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

/** What selects the same place in another command: for a command to paste. */
export function environmentOption({ environment }: Pick<Place, 'environment'>): string {
  return environment === 'local' ? '' : ` --environment ${environment}`;
}
