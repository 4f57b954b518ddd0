import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { CannotDo } from '../command.ts';

/** Lines that are sorted in files, because there may be more than fit into memory. */
export interface DiskSort {
  /** @param line without a line break */
  add(line: string): void;
  /** All lines, sorted by their UTF-16 code units. To be called once, after the last `add`. */
  sorted(): Iterable<string>;
}

/** A folder for temporary files that only this user can read. It goes when the process ends, by Ctrl-C too. */
export interface WorkFolder {
  readonly path: string;
  remove(): void;
}

/** So many characters are sorted at once. */
const RUN_CHARACTERS = 8 * 1024 * 1024;
/** So many files are merged at once: each is open, with a part of it in memory. */
const MERGED_AT_ONCE = 128;
const CHUNK_BYTES = 32 * 1024;

/** @throws CannotDo (2) where no temporary file can be */
export function openWorkFolder(): WorkFolder {
  const path = makeFolder(tmpdir());
  const removeFolder = (): void => rmSync(path, { recursive: true, force: true });
  const leave = (signal: 'SIGINT' | 'SIGTERM'): void => process.exit(signal === 'SIGINT' ? 130 : 143);
  process.once('exit', removeFolder);
  process.once('SIGINT', leave);
  process.once('SIGTERM', leave);
  return {
    path,
    remove() {
      removeFolder();
      process.off('exit', removeFolder);
      process.off('SIGINT', leave);
      process.off('SIGTERM', leave);
    },
  };
}

function makeFolder(parent: string): string {
  try {
    return mkdtempSync(join(parent, 'plangrep-audit-'));
  } catch (cause) {
    throw new CannotDo(2, `No temporary file can be written below ${parent}: set TMPDIR to another folder.`, { cause });
  }
}

/** Sorts runs of lines as they come, writes each run to a file, and merges the files. Memory holds one run. */
export function createDiskSort({ path }: WorkFolder, name: string, runCharacters = RUN_CHARACTERS): DiskSort {
  let run: string[] = [];
  let characters = 0;
  let files = 0;
  let runs: string[] = [];

  function writeFile(lines: Iterable<string>): string {
    files += 1;
    const file = join(path, `${name}-${files}`);
    const descriptor = openSync(file, 'wx', 0o600);
    try {
      let text = '';
      for (const line of lines) {
        text += `${line}\n`;
        if (text.length < CHUNK_BYTES) continue;
        writeFileSync(descriptor, text);
        text = '';
      }
      writeFileSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
    return file;
  }

  function endRun(): void {
    if (run.length > 0) runs.push(writeFile(run.sort()));
    run = [];
    characters = 0;
  }

  return {
    add(line) {
      run.push(line);
      characters += line.length;
      if (characters >= runCharacters) endRun();
    },
    sorted() {
      if (runs.length === 0) return run.sort();
      endRun();
      while (runs.length > MERGED_AT_ONCE) {
        const some = runs.slice(0, MERGED_AT_ONCE);
        runs = [...runs.slice(MERGED_AT_ONCE), writeFile(mergeFiles(some))];
        for (const file of some) rmSync(file);
      }
      return mergeFiles(runs);
    },
  };
}

interface Head {
  line: string;
  readonly rest: Iterator<string>;
}

function* mergeFiles(files: readonly string[]): Generator<string> {
  const heads: Head[] = [];
  for (const file of files) {
    const rest = linesOf(file);
    const { value, done } = rest.next();
    if (done !== true) heads.push({ line: value, rest });
  }
  heads.sort((a, b) => (a.line < b.line ? -1 : 1));
  for (;;) {
    const [least] = heads;
    if (least === undefined) return;
    yield least.line;
    const { value, done } = least.rest.next();
    if (done === true) {
      heads.shift();
      continue;
    }
    least.line = value;
    sink(heads, least);
  }
}

/** Moves the first head to its place. */
function sink(heads: Head[], moved: Head): void {
  let [low, high] = [1, heads.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((heads[middle]?.line ?? '') < moved.line) low = middle + 1;
    else high = middle;
  }
  if (low === 1) return;
  heads.copyWithin(0, 1, low);
  heads[low - 1] = moved;
}

function* linesOf(file: string): Generator<string> {
  const descriptor = openSync(file, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const decoder = new StringDecoder('utf8');
    let text = '';
    for (;;) {
      const size = readSync(descriptor, chunk);
      if (size === 0) return;
      const lines = (text + decoder.write(chunk.subarray(0, size))).split('\n');
      text = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    closeSync(descriptor);
  }
}
