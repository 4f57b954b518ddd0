import type { ListAnswer } from '../../core/plangrep.ts';
import { createJobList, type ListedJob, ofAnyName, readEntry } from './listed-jobs.ts';
import { type PlangrepAnswer, readFailure, unknown } from './plangrep-answer.ts';
import { type BodyStream, isSuccess } from './plangrep-http.ts';
import { createListingSplitter } from './split-listing.ts';

/** Of all lists that are read at the same time: about 300 bytes of each job are kept, of a function's 512 MB. */
export const MAX_JOBS_READ = 200_000;
const MAX_BYTES = 256 * 1024 * 1024;
/** A list of which so much arrived before its time was over is too long: a slow connection brings less. */
const LONG_BYTES = 8 * 1024 * 1024;

/** How many jobs may still be read: what one list takes of it, others cannot have. */
export interface ListingRoom {
  jobs: number;
}

export interface ListingReader extends BodyStream {
  /**
   * What the answer means, whose body the reader took.
   * @param listedAt milliseconds since 1970, from before the call
   * @param hadItsTime whether the call had all the time that one may have
   */
  readonly finish: (answer: PlangrepAnswer, listedAt: number, hadItsTime: boolean) => ListAnswer;
  /** Gives back the room. */
  readonly release: () => void;
}

/**
 * Reads a project's list while it arrives: 100,000 jobs have 100 MB, and of each only that is kept by which it is found.
 * An entry that cannot be read does not spoil the list: it matters to those who look for a job that it may be.
 */
export function createListingReader(room: ListingRoom): ListingReader {
  const entries: ListedJob[] = [];
  const splitter = createListingSplitter(takeEntry);
  let bytes = 0;

  function takeEntry(json: Buffer): boolean {
    entries.push(readEntry(json));
    room.jobs -= 1;
    return room.jobs >= 0;
  }

  return {
    maxBytes: MAX_BYTES,
    take(chunk) {
      bytes += chunk.length;
      return splitter.take(chunk);
    },
    finish(answer, listedAt, hadItsTime) {
      const { status, interrupted, key } = answer;
      if (status === 404) return { kind: 'not_found' };
      if (!isSuccess(status)) return readFailure(answer);
      const ranOutOfTime = interrupted === 'timeout' && hadItsTime && bytes >= LONG_BYTES;
      if (ranOutOfTime || room.jobs < 0) return unknown('oversized_answer', status);
      if (interrupted !== undefined) return unknown(interrupted, status);
      const numbers = splitter.finish();
      if (numbers === undefined) return unknown('unreadable_answer', status);
      return createJobList(
        numbers.map((number = -1) => entries[number] ?? ofAnyName),
        listedAt,
        key,
      );
    },
    release() {
      room.jobs += entries.length;
    },
  };
}
