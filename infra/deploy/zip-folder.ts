import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

/** 1 January 1980, the earliest date that a zip archive can have: the same files make the same archive. */
const DATE = 0x0021;
const VERSION = 20;
const DEFLATED = 8;
const UTF_8 = 0x0800;
/** Unix, and a file that all may read: Lambda runs the code as another user. */
const MADE_ON_UNIX = (3 << 8) | VERSION;
const MODE = 0o100644 * 0x1_0000;

/**
 * Makes a zip archive of a folder's files, without links and empty folders.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function zipFolder(folder: string): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const path of filesIn(folder)) {
    const name = Buffer.from(relative(folder, path).split(sep).join('/'));
    const content = readFileSync(path);
    const packed = deflateRawSync(content);
    const description = Buffer.concat([
      numbers(2, VERSION, 2, UTF_8, 2, DEFLATED, 2, 0, 2, DATE, 4, crc32(content)),
      numbers(4, packed.length, 4, content.length, 2, name.length, 2, 0),
    ]);
    const local = Buffer.concat([numbers(4, 0x0403_4b50), description, name, packed]);
    const place = numbers(2, 0, 2, 0, 2, 0, 4, MODE, 4, offset);
    locals.push(local);
    centrals.push(Buffer.concat([numbers(4, 0x0201_4b50, 2, MADE_ON_UNIX), description, place, name]));
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const count = centrals.length;
  const end = numbers(4, 0x0605_4b50, 2, 0, 2, 0, 2, count, 2, count, 4, central.length, 4, offset, 2, 0);
  return Buffer.concat([...locals, central, end]);
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

/** Pairs of a size in bytes and a value, little-endian. */
function numbers(...pairs: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const part = Buffer.alloc(pairs[at] ?? 0);
    part.writeUIntLE(pairs[at + 1] ?? 0, 0, part.length);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
