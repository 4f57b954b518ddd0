const BLOCK = 32_768;
const HEADER = 7;
/** What a physical record holds: a whole record, or one part of it. */
const [WHOLE, FIRST, MIDDLE, LAST] = [1, 2, 3, 4];

export interface LogRecords {
  readonly records: readonly Buffer[];
  /** What is not as LevelDB writes it. A last record that is cut is left out: it is what a kill or a full disk leaves. */
  readonly wrong: string | undefined;
}

/**
 * The records of a log or a MANIFEST file of LevelDB, up to what is wrong.
 * @see https://github.com/google/leveldb/blob/main/doc/log_format.md
 */
export function readRecords(content: Buffer): LogRecords {
  const records: Buffer[] = [];
  let parts: Buffer[] = [];
  let at = 0;
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
    if (HEADER + length > left) return { records, wrong: `the record at byte ${at} is longer than its block` };
    const isCut = end > content.length;
    const isKnown = type === WHOLE || type === FIRST || type === MIDDLE || type === LAST;
    if (!isKnown || (!isCut && checksum !== mask(crc32c(content.subarray(at + 6, end))))) {
      return { records, wrong: `the record at byte ${at} does not match its checksum` };
    }
    if (isCut) break;
    if (type === WHOLE || type === FIRST) parts = [];
    parts.push(content.subarray(at + HEADER, end));
    if (type === WHOLE || type === LAST) records.push(Buffer.concat(parts));
    at = end;
  }
  return { records, wrong: undefined };
}

/**
 * The tables that a store has, by their numbers, with their sizes in bytes. Others may lie beside them: a compaction that a kill ended
 * leaves tables that nothing names, and LevelDB removes them when it opens the store.
 * @param records of the MANIFEST file
 * @returns undefined for what LevelDB does not write
 * @see https://github.com/google/leveldb/blob/main/db/version_edit.cc
 */
export function readTables(records: readonly Buffer[]): ReadonlyMap<number, number> | undefined {
  const tables = new Map<number, number>();
  for (const record of records) {
    let at = 0;
    const readNumber = (): number => {
      let [number, factor, byte] = [0, 1, 0x80];
      for (; byte >= 0x80; factor *= 128) {
        byte = record[at] ?? 0;
        at += 1;
        number += (byte % 128) * factor;
      }
      return number;
    };
    const skipText = (): void => {
      const length = readNumber();
      at += length;
    };
    while (at < record.length) {
      switch (readNumber()) {
        case 1: // The comparator.
          skipText();
          break;
        case 2: // The log.
        case 3: // The next file.
        case 4: // The last sequence.
        case 9: // The log before.
          readNumber();
          break;
        case 5: // Where a level's next compaction begins.
          readNumber();
          skipText();
          break;
        case 6: // A table that a level has no more.
          readNumber();
          tables.delete(readNumber());
          break;
        case 7: {
          // A table that a level has from now on, with its first and its last key.
          readNumber();
          const number = readNumber();
          tables.set(number, readNumber());
          skipText();
          skipText();
          break;
        }
        default:
          return undefined;
      }
    }
    if (at > record.length) return undefined;
  }
  return tables;
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
