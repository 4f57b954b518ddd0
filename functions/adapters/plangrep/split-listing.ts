import * as z from 'zod/mini';

/** A job of the documented size has about 1 KB. */
const MAX_ENTRY_BYTES = 256 * 1024;
/** About 10 for each entry, and what else the answer may have. */
const MAX_FRAME_CHARACTERS = 8 * 1024 * 1024;

const [QUOTE, BACKSLASH] = [0x22, 0x5c] as const;
/** In ASCII `[` and `]` differ from `{` and `}` in this bit alone. */
const BRACE_BIT = 0x20;
const [OPEN, CLOSE] = [0x7b, 0x7d] as const;
/** How many brackets are open where an entry of `{"jobs":[entry, …]}` begins. */
const ENTRY_DEPTH = 2;

/** @returns whether to go on */
export type TakeEntry = (json: Buffer) => boolean;

export interface ListingSplitter {
  /** @returns false when the answer cannot be a list, or an entry was not taken: what follows does not count */
  readonly take: (chunk: Buffer) => boolean;
  /**
   * The entries of `jobs` by their numbers, which count all entries taken from 0 on; undefined for one that is neither an
   * object nor an array. Nothing unless the answer was a whole list.
   */
  readonly finish: () => readonly (number | undefined)[] | undefined;
}

/**
 * Cuts an answer `{"jobs": [entry, …]}` into its entries while it arrives. What is left of the answer, its frame, has
 * their numbers in their places: `{"jobs":[[0],[1]]}`. Only brackets and quotes are looked at, because entries and frame
 * are read by `JSON.parse`: where a bracket or quote is wrong, one of them is not JSON.
 */
export function createListingSplitter(takeEntry: TakeEntry): ListingSplitter {
  let depth = 0;
  let isInText = false;
  /** How many bytes of the next chunk are the rest of an escape. */
  let escaped = 0;
  let entries = 0;
  /** What earlier chunks have of the entry that is read. */
  let held: Buffer[] = [];
  let heldBytes = 0;
  let frame = '';

  function take(chunk: Buffer): boolean {
    const { length } = chunk;
    /** Where that begins which is neither in the frame yet nor in an entry. */
    let from = 0;
    let at = escaped;
    // Variables of this call are a third faster in the loop than those around it.
    let [level, inText] = [depth, isInText];
    for (; at < length; at += 1) {
      if (inText) {
        at = findQuote(chunk, at);
        inText = at >= length;
        if (inText) break;
        continue;
      }
      const byte = Number(chunk[at]);
      if (byte === QUOTE) inText = true;
      else if ((byte | BRACE_BIT) === OPEN) {
        if (level === ENTRY_DEPTH) {
          frame += chunk.toString('latin1', from, at);
          from = at;
        }
        level += 1;
      } else if ((byte | BRACE_BIT) === CLOSE) {
        level -= 1;
        if (level === ENTRY_DEPTH) {
          if (!endEntry(chunk.subarray(from, at + 1))) return false;
          from = at + 1;
        }
      }
    }
    [depth, isInText, escaped] = [level, inText, at - length];
    if (depth <= ENTRY_DEPTH) frame += chunk.toString('latin1', from);
    else hold(chunk.subarray(from));
    return heldBytes <= MAX_ENTRY_BYTES && frame.length <= MAX_FRAME_CHARACTERS;
  }

  function hold(part: Buffer): void {
    held.push(part);
    heldBytes += part.length;
  }

  function endEntry(last: Buffer): boolean {
    hold(last);
    const json = held.length === 1 ? last : Buffer.concat(held);
    held = [];
    heldBytes = 0;
    frame += `[${entries}]`;
    entries += 1;
    return takeEntry(json);
  }

  return { take, finish: () => readFrame(frame, entries) };
}

/** @returns where the text ends; if that is in the next chunk, the length, or one more after the half of an escape */
function findQuote(chunk: Buffer, from: number): number {
  let at = from;
  for (; at < chunk.length; at += 1) {
    const byte = chunk[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  return at;
}

const frameSchema = z.object({ jobs: z.array(z.unknown()) });
const numberSchema = z.tuple([z.number()]);

function readFrame(frame: string, entries: number): readonly (number | undefined)[] | undefined {
  let json: unknown;
  try {
    // A byte order mark, byte by byte.
    json = JSON.parse(frame.replace(/^\xef\xbb\xbf/, ''));
  } catch {
    return undefined;
  }
  const { data } = frameSchema.safeParse(json);
  // Of two fields named `jobs` only the last is left, without the other's entries: it is not known which one counts.
  const left = valuesOf(json).flatMap(valuesOf).filter(Array.isArray).length;
  return data === undefined || left < entries
    ? undefined
    : data.jobs.map((entry) => numberSchema.safeParse(entry).data?.[0]);
}

function valuesOf(json: unknown): readonly unknown[] {
  return typeof json === 'object' && json !== null ? Object.values(json) : [];
}
