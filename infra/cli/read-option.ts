import type * as z from 'zod/mini';
import { jobIdSchema, type JobId, type PartnerId, partnerIdSchema } from '../../functions/core/identifiers.ts';
import { CannotDo } from './cannot-do.ts';
import type { CommandRequest } from './command.ts';

/** A value checked as it is wherever it enters. @throws CannotDo (2) with what is wrong, in the schema's words */
export const readAs = <Output>(schema: z.ZodMiniType<Output, string>, named: string, value: string): Output => {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new CannotDo(2, `${named} ${error.issues[0]?.message ?? 'is not valid'}.`);
};

/** `--partner`, required. */
export const readPartner = ({ required }: Pick<CommandRequest, 'required'>): PartnerId =>
  readAs(partnerIdSchema, '--partner', required('partner'));

/** A job's id. @param named what the operator calls it: `--job`, `JOBID` */
export const readJobId = (named: string, value: string): JobId => readAs(jobIdSchema, named, value);

/** The parts of `a,b,c`: trimmed, each once; none in an empty text. */
export const readList = (value: string): string[] => [
  ...new Set(
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ),
];

/** How `--partner` is described wherever it is needed. */
export const partnerOption = { hint: 'acme', what: "the partner's partnerId", required: true } as const;
