import { isUtf8 } from 'node:buffer';
import * as z from 'zod/mini';
import { REPLACEMENT_CHARACTER } from '../../core/identifiers.ts';
import type { JobList } from '../../core/plangrep.ts';
import { addressableSchema, jobSchema } from './plangrep-job.ts';

/** What is kept of an entry of a list. */
export interface ListedJob {
  /** Null: it has none. Undefined: it may have any. */
  readonly externalId: string | null | undefined;
  /** Whether it can be asked about, and has a status. */
  readonly isReadable: boolean;
  /** Of a readable entry with an externalId, as Plangrep shows it: it is checked when it is looked for, as most never are. */
  readonly job?: Readonly<Record<string, string | undefined>> | undefined;
}

export const ofAnyName: ListedJob = { externalId: undefined, isReadable: false };
const nameless: ListedJob = { externalId: null, isReadable: true };
const unreadableNameless: ListedJob = { externalId: null, isReadable: false };

/** No externalId is longer, in UTF-16 units, and no other text that is read. */
const MAX_LENGTH = 2 * 180;
const namedSchema = z.object({ externalId: z.nullish(z.string()) });
const raw = z.optional(z.unknown());
const entrySchema = z.extend(addressableSchema, { projectId: raw, createdAt: raw, updatedAt: raw, expiresAt: raw });

/** @param json an entry's bytes */
export function readEntry(json: Buffer): ListedJob {
  let entry: unknown;
  try {
    entry = JSON.parse(json.toString());
  } catch {
    return ofAnyName;
  }
  const named = namedSchema.safeParse(entry).data;
  if (named === undefined) return ofAnyName;
  const { externalId } = named;
  // Bytes that are not UTF-8 may stand for any character, of the field's name too.
  const isSure = externalId !== undefined && externalId?.includes(REPLACEMENT_CHARACTER) !== true;
  if (!isSure && !isUtf8(json)) return ofAnyName;
  const fields = entrySchema.safeParse(entry).data;
  if (typeof externalId !== 'string' || externalId.length > MAX_LENGTH) return fields ? nameless : unreadableNameless;
  if (fields === undefined) return { externalId, isReadable: false };
  const { projectId, createdAt, updatedAt, expiresAt } = fields;
  const [project, created, updated, expires] = [projectId, createdAt, updatedAt, expiresAt].map(shortText);
  const shown = { projectId: project, createdAt: created, updatedAt: updated, expiresAt: expires };
  return {
    externalId,
    isReadable: true,
    job: { externalId, id: fields.id, status: fields.status, ...shown },
  };
}

function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= MAX_LENGTH ? value : undefined;
}

/**
 * The list of these entries.
 * @param listedAt milliseconds since 1970
 * @param key what goes no further: an entry that repeats it is not read
 */
export function createJobList(entries: readonly ListedJob[], listedAt: number, key: string): JobList {
  const listed = entries.map((entry) => (repeats(entry, key) ? ofAnyName : entry));
  return {
    kind: 'jobs',
    listedAt,
    count: listed.length,
    unreadable: listed.filter(({ isReadable }) => !isReadable).length,
    jobsOf(wanted) {
      const named = listed.filter(({ externalId = wanted }) => externalId === wanted);
      const jobs = named.flatMap(({ job }) => (job === undefined ? [] : [jobSchema.parse(job)]));
      return { jobs, isWhole: jobs.length === named.length };
    },
  };
}

function repeats({ job = {} }: ListedJob, key: string): boolean {
  return Object.values(job).some((text) => text?.includes(key));
}
