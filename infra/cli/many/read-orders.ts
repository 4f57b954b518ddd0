import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import type * as z from 'zod/mini';
import type { Order } from '../../../client/src/index.ts';
import { externalIdSchema, reasonSchema } from '../../../functions/core/identifiers.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { CannotDo } from '../command.ts';

/** A file of orders to cancel, as it was read. */
export interface OrdersFile {
  readonly orders: readonly Order[];
  /** Lines that repeat the externalId of an earlier one: they were left out. */
  readonly repeated: readonly { readonly line: number; readonly externalId: string }[];
  /** Of its bytes. */
  readonly fileHash: string;
}

/**
 * Reads a CSV file (RFC 4180) in UTF-8, with or without a byte order mark, with the columns `externalId` or `externalId,reason`.
 * Nothing is repaired, and a text counts with its spaces. @throws CannotDo (2) that names the line
 */
export function readOrders(path: string): OrdersFile {
  const bytes = readBytes(path);
  const fail = (line: number, why: string): CannotDo => new CannotDo(2, `${path}, line ${line}: ${why}.`);
  const [header, ...records] = parseCsv(decode(bytes, fail), fail);
  const columns = header?.fields.join(',');
  if (header === undefined || (columns !== 'externalId' && columns !== 'externalId,reason')) {
    throw fail(1, 'must be the heading externalId, or externalId,reason');
  }
  const byId = new Map<string, Order>();
  const repeated: { line: number; externalId: string }[] = [];
  for (const { line, fields } of records) {
    if (fields.length !== header.fields.length) {
      const hint = fields.length < header.fields.length ? ': without a reason, end it with a comma' : '';
      throw fail(
        line,
        `does not have as many fields (${fields.length}) as the heading (${header.fields.length})${hint}`,
      );
    }
    const [given = '', why = ''] = fields;
    const read = (schema: z.ZodMiniType<string, string>, name: string, value: string): string => {
      const { success, data, error } = schema.safeParse(value);
      if (success) return data;
      throw fail(line, `${name} ${error.issues[0]?.message}`);
    };
    const externalId = read(externalIdSchema, 'externalId', given);
    const reason = why === '' ? undefined : read(reasonSchema, 'reason', why);
    if (byId.has(externalId)) repeated.push({ line, externalId });
    else byId.set(externalId, { externalId, ...(reason !== undefined && { reason }) });
  }
  if (byId.size === 0) throw new CannotDo(2, `${path} has no orders.`);
  return { orders: [...byId.values()], repeated, fileHash: sha256(bytes) };
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new CannotDo(2, `--file cannot be read (${code}).`, { cause });
  }
}

type Fail = (line: number, why: string) => CannotDo;

function decode(bytes: Buffer, fail: Fail): string {
  // Takes a byte order mark away.
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  // A line feed is no part of another character in UTF-8.
  let [line, from] = [1, 0];
  for (let end = bytes.indexOf(10); end >= 0 && isUtf8(bytes.subarray(from, end)); end = bytes.indexOf(10, from)) {
    [line, from] = [line + 1, end + 1];
  }
  throw fail(line, 'has bytes that are not UTF-8: save the file as UTF-8');
}

interface CsvRecord {
  /** From 1 on; a quoted field may have several lines. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** A field, quoted or plain, and what ends it. */
const csvField = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n|$)/y;

function* parseCsv(text: string, fail: Fail): Generator<CsvRecord> {
  let [line, at] = [1, 0];
  let record = { line, fields: [] as string[] };
  while (at < text.length || record.fields.length > 0) {
    csvField.lastIndex = at;
    const match = csvField.exec(text);
    if (match === null) throw fail(line, 'has a quote where none can be, or one that is not closed');
    const [whole, quoted, plain = '', end] = match;
    record.fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    at += whole.length;
    line += whole.split('\n').length - 1;
    if (end === ',') continue;
    // An empty line is none.
    if (record.fields.join('') !== '' || record.fields.length > 1) yield record;
    record = { line, fields: [] };
  }
}
