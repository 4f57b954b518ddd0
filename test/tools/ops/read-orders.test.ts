import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readOrders } from '../../../infra/cli/many/read-orders.ts';

const path = join(mkdtempSync(join(tmpdir(), 'read-orders-')), 'orders.csv');
const read = (content: string | Buffer) => {
  writeFileSync(path, content);
  return readOrders(path);
};
const idsOf = (content: string | Buffer): readonly string[] => read(content).orders.map(({ externalId }) => externalId);

describe('a file of orders', () => {
  test.each([
    ['with a byte order mark', '\ufeffexternalId\na\nb\n', ['a', 'b']],
    ['with CRLF, and empty lines', 'externalId\r\na\r\n\r\nb\r\n', ['a', 'b']],
    ['without a line end after the last one', 'externalId\na\nb', ['a', 'b']],
    ['with quoted fields', 'externalId\n"a,1"\n"b ""2"""\n', ['a,1', 'b "2"']],
    ['with spaces, which count', 'externalId\n a \n', [' a ']],
    ['with names in any script', 'externalId\n注文-7\ncommande-é\n😀\n', ['注文-7', 'commande-é', '😀']],
  ])('%s', (_what, content, externalIds) => {
    expect(idsOf(content)).toEqual(externalIds);
  });

  test('has a reason where it says one', () => {
    expect(read('externalId,reason\na,withdrawn\nb,\n').orders).toEqual([
      { externalId: 'a', reason: 'withdrawn' },
      { externalId: 'b' },
    ]);
  });

  test('counts the lines of a record over several', () => {
    expect(() => read('externalId,reason\n"a","one\ntwo"\n')).toThrow(/line 2: reason must not contain control/);
    expect(() => read('"external\nId"\n')).toThrow(/line 1: must be the heading/);
    expect(() => read('externalId\na\n\nb"c\n')).toThrow(/line 4: has a quote/);
  });

  test('names the lines that repeat an externalId', () => {
    expect(read('externalId\na\nb\na\n').repeated).toEqual([{ line: 4, externalId: 'a' }]);
  });

  test('has another hash after any change', () => {
    const hashes = ['externalId\na\n', 'externalId\na\n\n', 'externalId\nb\n'].map((content) => read(content).fileHash);

    expect(new Set(hashes).size).toBe(3);
  });
});
