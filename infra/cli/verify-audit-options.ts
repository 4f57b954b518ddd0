import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { type Timestamp, toTimestamp } from '../../functions/core/identifiers.ts';
import type { TableName } from '../blueprint/tables.ts';

/** What the local run calls it. */
const localTable = 'CancellationLog' satisfies TableName;

export const usage = `npm run verify-audit [-- options]

Recomputes the hash chains of a cancellation log, and names every event that was altered, is missing or stands where it
does not belong. Without --table and --endpoint it reads the log of the local run ("npm start") of this folder.

Options
  --table NAME           the table; on AWS the physical name, an output of the stateful stack (${localTable})
  --endpoint URL         another DynamoDB endpoint than AWS's
  --region REGION        the table's region (AWS_REGION, or the profile's)
  --closed-before TIME   the digest of the heads takes in only streams that closed before: 2026-11-01, 2026-11-01T12:00:00Z
  --json                 one line of JSON for each finding, then one with the summary
  --help                 this

Exit code
  0  nothing found
  1  something was found
  2  could not verify

The digest of the heads is one hash of the newest event of every stream. Keep it where nobody who can write the table
can write. Closed streams never change: if the digest of a day that is past differs later, with the same --closed-before,
a closed stream was deleted, put in, or rewritten with all its hashes, which no chain can show by itself.
On AWS this takes dynamodb:DescribeTable, Scan and Query on the table.
`;

/** Why the log cannot be verified, in one line that tells what to do: shown as it is, without a stack. */
export class CannotVerify extends Error {
  override readonly name = 'CannotVerify';
}

export interface VerifyOptions {
  readonly kind: 'verify';
  readonly table: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly closedBefore: Timestamp | undefined;
  readonly json: boolean;
}

const readFlags = (args: readonly string[]) => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { table: text, endpoint: text, region: text, 'closed-before': text, json: flag, help: flag };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const [why] = error instanceof Error ? error.message.split(/\. |\n/) : [];
    throw new CannotVerify(`${why}. See "npm run verify-audit -- --help".`, { cause: error });
  }
};

const readEndpoint = (value: string): string => {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value;
  throw new CannotVerify(`--endpoint must be an http or https URL, not ${JSON.stringify(value)}.`);
};

const readTable = (value: string): string => {
  if (/^[\w.-]{3,255}$/.test(value) || /^arn:aws[\w-]*:dynamodb:\S+$/.test(value)) return value;
  throw new CannotVerify(`--table must be the name or the ARN of a table, not ${JSON.stringify(value)}.`);
};

const readRegion = (value: string): string => {
  if (/^[a-z0-9-]{1,30}$/.test(value)) return value;
  throw new CannotVerify(`--region must be a region like eu-central-1, not ${JSON.stringify(value)}.`);
};

const readTime = (value: string): Timestamp => {
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/.test(value) && !Number.isNaN(Date.parse(value));
  if (isTime) return toTimestamp(Date.parse(value));
  throw new CannotVerify(
    `--closed-before must be a day or a time in UTC like 2026-11-01T12:00:00Z, not ${JSON.stringify(value)}.`,
  );
};

const credentialsSchema = z.object({ endpoints: z.object({ dynamodb: z.url() }) });

/** The endpoint of the local run whose credentials are in the file. */
const readLocalEndpoint = (credentialsPath: string): string => {
  let text: string;
  try {
    text = readFileSync(credentialsPath, 'utf8');
  } catch (cause) {
    const why = `There is no local run here (no ${credentialsPath})`;
    throw new CannotVerify(`${why}: begin one with "npm start", or name a table with --table.`, { cause });
  }
  try {
    return credentialsSchema.parse(JSON.parse(text)).endpoints.dynamodb;
  } catch (cause) {
    throw new CannotVerify(`${credentialsPath} names no endpoints.dynamodb: begin a local run with "npm start".`, {
      cause,
    });
  }
};

/** @throws CannotVerify for what makes no sense */
export const readVerifyOptions = (
  args: readonly string[],
  credentialsPath: string,
): { readonly kind: 'help' } | VerifyOptions => {
  const { table, endpoint, region, 'closed-before': closedBefore, json, help } = readFlags(args);
  if (help) return { kind: 'help' };
  const given = {
    table: table === undefined ? localTable : readTable(table),
    endpoint: endpoint === undefined ? undefined : readEndpoint(endpoint),
    region: region === undefined ? undefined : readRegion(region),
    closedBefore: closedBefore === undefined ? undefined : readTime(closedBefore),
  };
  const isLocal = table === undefined && endpoint === undefined;
  return {
    kind: 'verify',
    ...given,
    endpoint: isLocal ? readLocalEndpoint(credentialsPath) : given.endpoint,
    json,
  };
};
