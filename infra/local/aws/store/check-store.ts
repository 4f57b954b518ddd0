import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecords, readTables } from './read-leveldb.ts';
import { damaged } from './state-file.ts';

/**
 * Reads the files of a LevelDB store that a killed run left. LevelDB would silently drop a record that does not match its
 * checksum, and begin anew where `CURRENT` is missing. What a kill itself leaves does not count as damage: a last record that is cut, of which
 * no client was told that it was saved, and a table or a MANIFEST file that was being written and that nothing names yet.
 * @throws DataFolderError, which names the damaged file
 */
export async function checkStore(store: string): Promise<void> {
  const names = await readdir(store).catch((): string[] => []);
  if (!names.some((name) => /^MANIFEST-|\.(log|ldb|sst)$/.test(name))) return;
  const wrongWith = (name: string, why: string) => damaged(join(store, name), why, { of: store });
  const current = await readFile(join(store, 'CURRENT'), 'latin1').catch(() => undefined);
  if (current === undefined) throw wrongWith('CURRENT', 'it is missing');
  const manifest = current.trim();
  if (!/^MANIFEST-\d+\n$/.test(current) || !names.includes(manifest)) {
    throw wrongWith('CURRENT', 'it does not name a MANIFEST file that is there');
  }
  const { records, wrong } = readRecords(await readFile(join(store, manifest)));
  if (wrong !== undefined) throw wrongWith(manifest, wrong);
  if (records.length === 0) throw wrongWith(manifest, 'it is cut');
  const tables = readTables(records);
  if (tables === undefined) throw wrongWith(manifest, 'it is not as LevelDB writes it');

  for (const [number, size] of tables) {
    const name = names.find((one) => /\.(ldb|sst)$/.test(one) && Number.parseInt(one, 10) === number);
    if (name === undefined) throw wrongWith(`${String(number).padStart(6, '0')}.ldb`, 'it is missing');
    const content = await readFile(join(store, name));
    if (content.length !== size || !content.subarray(-tableMagic.length).equals(tableMagic)) {
      throw wrongWith(name, 'its end is missing or changed');
    }
  }
  const logs = names.filter((name) => name.endsWith('.log'));
  if (logs.length === 0) throw wrongWith('*.log', 'it is missing');
  for (const name of logs) {
    const log = readRecords(await readFile(join(store, name)));
    if (log.wrong !== undefined) throw wrongWith(name, log.wrong);
  }
}

/** The end of every table. @see https://github.com/google/leveldb/blob/main/doc/table_format.md */
const tableMagic = Buffer.from('57fb808b247547db', 'hex');
