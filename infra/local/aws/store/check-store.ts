import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged } from './state-file.ts';

/**
 * Reads the files of a LevelDB store that a killed run left. LevelDB would silently drop a record that does not match its
 * checksum, and begin anew where `CURRENT` is missing. A last record that is cut is what a kill or a full disk leaves: no client was
 * told that it was saved.
 * @see https://github.com/google/leveldb/blob/main/doc/log_format.md
 * @see https://github.com/google/leveldb/blob/main/doc/table_format.md
 * @throws DataFolderError, which names the damaged file
 */
export async function checkStore(store: string): Promise<void> {
  const names = await readdir(store).catch((): string[] => []);
  const kept = names.filter((name) => /^MANIFEST-|\.(log|ldb|sst)$/.test(name));
  if (kept.length === 0) return;
  const current = await readFile(join(store, 'CURRENT'), 'latin1').catch(() => undefined);
  if (current === undefined) throw damaged(join(store, 'CURRENT'), 'it is missing', { of: store });
  if (!/^MANIFEST-\d+\n$/.test(current) || !names.includes(current.trim())) {
    throw damaged(join(store, 'CURRENT'), 'it does not name a MANIFEST file that is there', { of: store });
  }
  if (!kept.some((name) => name.endsWith('.log'))) throw damaged(join(store, '*.log'), 'it is missing', { of: store });
  for (const name of kept) {
    const content = await readFile(join(store, name));
    const why = /\.(ldb|sst)$/.test(name)
      ? wrongInTable(content)
      : wrongInLog(content, { least: name.startsWith('MANIFEST') ? 1 : 0 });
    if (why !== undefined) throw damaged(join(store, name), why, { of: store });
  }
}

/** The end of every table. */
const tableMagic = Buffer.from('57fb808b247547db', 'hex');

function wrongInTable(content: Buffer): string | undefined {
  return content.subarray(-tableMagic.length).equals(tableMagic) ? undefined : 'its end is missing or changed';
}

const BLOCK = 32_768;
const HEADER = 7;

/** @param options `least`: the records that it has at least */
function wrongInLog(content: Buffer, { least }: { readonly least: number }): string | undefined {
  let [at, records] = [0, 0];
  while (content.length - at >= HEADER) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) {
      at += left;
      continue;
    }
    const [checksum, length, type] = [content.readUInt32LE(at), content.readUInt16LE(at + 4), content[at + 6] ?? 0];
    const end = at + HEADER + length;
    if (type === 0 && length === 0) {
      at += left; // Space that the system had set aside.
      continue;
    }
    if (HEADER + length > left) return `the record at byte ${at} is longer than its block`;
    const isCut = end > content.length;
    if (type < 1 || type > 4 || (!isCut && checksum !== mask(crc32c(content.subarray(at + 6, end))))) {
      return `the record at byte ${at} does not match its checksum`;
    }
    if (isCut) break;
    at = end;
    records += 1;
  }
  return records < least ? 'it is cut' : undefined;
}

/** LevelDB stores checksums so, because a checksum of data that holds checksums is a weak one. */
function mask(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const castagnoli = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = ((castagnoli[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)) >>> 0;
  return (crc ^ 0xffffffff) >>> 0;
}
