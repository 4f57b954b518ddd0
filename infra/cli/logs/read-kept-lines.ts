import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { linesFilesOf } from '../../local/kept-lines.ts';
import { CannotDo } from '../command.ts';
import type { FoundLine } from './cloudwatch-logs.ts';
import type { Asked } from './logs-query.ts';
import { searchedBy } from './searched.ts';

const keptSchema = z.looseObject({
  function: z.string(),
  /** Of a line of a function; Lambda's own lines have `time`. */
  timestamp: z.optional(z.string()),
  time: z.optional(z.string()),
});

/**
 * The lines of the local run in which one of the words occurs, in the order in which they were written.
 * @param path where the run keeps them: see infra/local/kept-lines.ts
 * @throws CannotDo (2) when the run keeps none
 */
export function readKeptLines(path: string, { words, fromMs, toMs, limit, keeps }: Asked): readonly FoundLine[] {
  const searched = words.map((word) => searchedBy(word));
  const found = readFiles(path).flatMap((line): FoundLine[] => {
    const fields = parseKept(line);
    if (fields === undefined) return [];
    const { function: from, ...logged } = fields;
    const at = logged.timestamp ?? logged.time ?? '';
    if (!(Date.parse(at) >= fromMs && Date.parse(at) <= toMs)) return [];
    const text = JSON.stringify(logged);
    return searched.some(({ fits }) => fits(text, logged)) ? [{ at, log: from, line: text }] : [];
  });
  return keeps === 'newest' ? found.slice(-limit) : found.slice(0, limit);
}

function readFiles(path: string): readonly string[] {
  const texts = linesFilesOf(path).flatMap((file) => {
    try {
      return [readFileSync(file, 'utf8')];
    } catch {
      return [];
    }
  });
  if (texts.length === 0) throw new CannotDo(2, `The local run keeps no lines: ${path} cannot be read.`);
  return texts.join('').split('\n');
}

/** @returns undefined for what is not a kept line, for example the last one of a run that was killed */
function parseKept(line: string): z.infer<typeof keptSchema> | undefined {
  try {
    return keptSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
