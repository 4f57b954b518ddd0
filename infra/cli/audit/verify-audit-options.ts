import { existsSync } from 'node:fs';
import type { Timestamp } from '../../../functions/core/identifiers.ts';
import type { TableName } from '../../blueprint/tables.ts';
import type { PublicKey } from '../../../functions/core/archive/public-key.ts';
import { type ArchivePlace, archiveOptions, readArchivePlace, readKept, readPublicKeys } from './archive-options.ts';
import { CannotDo, type CommandDescription, readTime, type Values } from '../command.ts';
import { readRegion } from '../places/deployed-place.ts';
import { type LocalAccess, readLocalAccess } from '../places/local-place.ts';

/** The table's name in the local run. */
const localTable = 'CancellationLog' satisfies TableName;

const options = {
  table: {
    hint: 'NAME',
    what: `the table; on AWS the physical name, an output of the stateful stack (default: ${localTable})`,
  },
  endpoint: { hint: 'URL', what: "another DynamoDB endpoint than AWS's" },
  region: { hint: 'REGION', what: "the table's region (default: AWS_REGION, or the profile's)" },
  'closed-before': {
    hint: 'TIME',
    what: 'the digest of the heads covers only streams that closed before: 2026-11-01, 2026-11-01T12:00:00Z',
  },
  ...archiveOptions,
  json: { what: 'one line of JSON for each finding, then one with the summary' },
} as const;

/** `npm run verify-audit`, as the parser and the help read it. */
export const verifyAudit = {
  name: 'verify-audit',
  call: 'npm run verify-audit --',
  summary: `Recomputes the hash chains of a cancellation log, and names every event that was altered, is missing or is out of place.
Without --table and --endpoint it reads the log of the local run ("npm start") of this folder.
With --archive it verifies a sealed archive: signatures, digests, objects and chains; and with --table, or for the local run's own
archive, each record of the table against it. docs/audit.md says what that shows, and what it cannot.`,
  notes: `
The digest of the heads is one hash over the newest event of every stream. Keep it where no writer of the table can write.
What a stream was when it closed never changes. If the digest of a past day, with the same --closed-before, differs later, a closed stream
was deleted, inserted, or rewritten with all its hashes: a chain alone cannot show that. A stream that has expired is left out, so compare
digests within the retention. An archive shows it without that digest, and for longer.
On AWS this needs dynamodb:DescribeTable, Scan and Query on the table, and s3:ListBucket and GetObject on the archive.`,
  options,
  exitCodes: { 0: 'nothing found', 1: 'something was found', 2: 'could not verify' },
  wrongUsage: 2,
} as const satisfies CommandDescription<typeof options>;

export interface VerifyOptions {
  readonly table: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** The key of the local run, where the endpoint is its. */
  readonly aws: LocalAccess<'dynamodb'>['aws'] | undefined;
  readonly closedBefore: Timestamp | undefined;
  readonly archive: ArchiveRequest | undefined;
  readonly json: boolean;
}

export interface ArchiveRequest {
  readonly place: ArchivePlace;
  readonly keys: readonly PublicKey[];
  readonly kept: readonly string[];
  readonly nowMs: number;
  /** Whether the table is held against it. */
  readonly withTable: boolean;
}

/** @throws CannotDo (2) for a value that is not valid, or when there is no local run to read from */
export function readVerifyOptions(values: Values<typeof options>, credentialsPath: string): VerifyOptions {
  const { table, endpoint, region, 'closed-before': closedBefore, json } = values;
  const archive = readArchive(values, credentialsPath);
  const given = {
    table: table === undefined ? localTable : readTable(table),
    endpoint: endpoint === undefined ? undefined : readEndpoint(endpoint),
    region: region === undefined ? undefined : readRegion(region),
    aws: undefined,
    closedBefore: closedBefore === undefined ? undefined : readTime('--closed-before', closedBefore),
    archive,
    json,
  };
  if (archive?.withTable === false) return given;
  // The run of this folder, and no other endpoint, gets the run's key.
  const isOfRun = endpoint !== undefined && /^http:\/\/127\.0\.0\.1:\d+$/.test(endpoint) && existsSync(credentialsPath);
  if ((table !== undefined || endpoint !== undefined) && !isOfRun) return given;
  const { endpoints, aws, tables } = readLocalAccess(credentialsPath, ['dynamodb'], 'name a table with --table');
  const inUse = table === undefined ? { table: tables?.[localTable] ?? localTable } : {};
  return endpoint === undefined || endpoint === endpoints.dynamodb
    ? { ...given, ...inUse, endpoint: endpoints.dynamodb, aws }
    : given;
}

function readArchive(values: Values<typeof options>, credentialsPath: string): ArchiveRequest | undefined {
  const { archive, table, endpoint, 'public-key': keys = [], kept = [], now, 'closed-before': closedBefore } = values;
  if (archive === undefined) {
    const alone = Object.entries({ 'public-key': keys[0], kept: kept[0], now }).find(
      ([, value]) => value !== undefined,
    );
    if (alone === undefined) return undefined;
    throw new CannotDo(2, `--${alone[0]} is for an archive: name one with --archive.`);
  }
  if (closedBefore !== undefined) {
    throw new CannotDo(2, '--closed-before is for a table alone: an archive needs no digest of the heads.');
  }
  const place = readArchivePlace(archive, credentialsPath);
  const isOfRun = place.kind === 'bucket' && place.isLocal;
  return {
    place,
    keys: readPublicKeys(keys),
    kept: readKept(kept),
    nowMs: now === undefined ? Date.now() : Date.parse(readTime('--now', now)),
    withTable: table !== undefined || endpoint !== undefined || isOfRun,
  };
}

function readEndpoint(value: string): string {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value;
  throw new CannotDo(2, `--endpoint must be an http or https URL, not ${JSON.stringify(value)}.`);
}

function readTable(value: string): string {
  if (/^[\w.-]{3,255}$/.test(value) || /^arn:aws[\w-]*:dynamodb:\S+$/.test(value)) return value;
  throw new CannotDo(2, `--table must be the name or the ARN of a table, not ${JSON.stringify(value)}.`);
}
