import type { ArchiveFinding } from './archive-findings.ts';
import { type ArchivedLine, readArchivedLine } from '../archive/archived-line.ts';
import { type SealedObject } from '../archive/digest.ts';
import { sha256 } from '../sha256.ts';
import { leafHash, rootOf } from '../archive/merkle-tree.ts';

/** A line of an object, and where it stands. */
export interface PlacedLine extends ArchivedLine {
  readonly object: string;
  /** 1, 2, 3 …. */
  readonly line: number;
}

export interface ReadObject {
  readonly findings: readonly ArchiveFinding[];
  readonly lines: readonly PlacedLine[];
}

/**
 * Holds an object against what a digest says of it. The lines of one that was altered are returned too: the chains of
 * events then show which record it was.
 */
export function verifyObject(sealed: SealedObject, bytes: Uint8Array): ReadObject {
  const { name } = sealed;
  const text = Buffer.from(bytes).toString('utf8');
  const texts = textsOf(text);
  const { findings, lines } = readLines(name, texts);
  const { sha256: _, ...facts } = sealed;
  const found = { name, bytes: bytes.length, records: texts.length, root: rootOf(texts.map(leafHash)) };
  const altered: string[] = [];
  if (sha256(bytes) !== sealed.sha256) {
    altered.push(`${name} is not what was sealed: its bytes have another SHA-256.`);
  } else {
    const wrong = (['bytes', 'records', 'root'] as const).filter((fact) => facts[fact] !== found[fact]);
    if (wrong.length > 0)
      altered.push(`${name} has the sealed SHA-256, but the digest is wrong in ${wrong.join(', ')}.`);
    const [first, last] = [lines[0]?.sequence, lines.at(-1)?.sequence];
    if (!name.endsWith(`/${first}-${last}.ndjson`))
      altered.push(`${name} has lines of other numbers than its name says.`);
  }
  return {
    findings: [...altered.map((what) => ({ code: 'object_altered', object: name, what }) as const), ...findings],
    lines,
  };
}

/** @returns the lines of an object that no digest names yet, as far as they can be read */
export function readUnsealed(name: string, bytes: Uint8Array): readonly PlacedLine[] {
  return readLines(name, textsOf(Buffer.from(bytes).toString('utf8'))).lines;
}

function readLines(object: string, texts: readonly string[]): ReadObject {
  const findings: ArchiveFinding[] = [];
  const lines: PlacedLine[] = [];
  for (const [index, text] of texts.entries()) {
    const read = readArchivedLine(text);
    const line = index + 1;
    if (read !== undefined) lines.push({ ...read, object, line });
    else
      findings.push({
        code: 'line_unreadable',
        object,
        line,
        what: `Line ${line} of ${object} is not a line of this archive.`,
      });
  }
  return { findings, lines };
}

/** Every line ends with a line break. What stands after the last one counts as a line. */
function textsOf(text: string): readonly string[] {
  const texts = text.split('\n');
  return texts.at(-1) === '' ? texts.slice(0, -1) : texts;
}
