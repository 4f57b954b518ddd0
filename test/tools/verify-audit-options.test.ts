import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CannotVerify, readVerifyOptions } from '../../infra/cli/verify-audit-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'verify-audit-options-'));
afterAll(() => rmSync(folder, { recursive: true }));
const nowhere = join(folder, 'none.json');
const credentials = (text: string): string => {
  const path = join(folder, 'credentials.json');
  writeFileSync(path, text);
  return path;
};

describe('verify-audit reads', () => {
  const local = credentials('{"endpoints":{"dynamodb":"http://127.0.0.1:4567"},"partners":[]}');

  it('the local run’s log when nothing else is named', () => {
    expect(readVerifyOptions([], local)).toMatchObject({
      kind: 'verify',
      table: 'CancellationLog',
      endpoint: 'http://127.0.0.1:4567',
      json: false,
    });
  });

  it('a table on AWS when one is named, whatever runs here', () => {
    const options = readVerifyOptions(['--table', 'stack-CancellationLog-1ABC', '--region', 'eu-central-1'], local);

    expect(options).toMatchObject({ table: 'stack-CancellationLog-1ABC', endpoint: undefined, region: 'eu-central-1' });
  });

  it('the log at another endpoint', () => {
    const options = readVerifyOptions(['--endpoint', 'http://127.0.0.1:8000', '--json'], nowhere);

    expect(options).toMatchObject({ table: 'CancellationLog', endpoint: 'http://127.0.0.1:8000', json: true });
  });

  it('a day as its first moment, a time as it is', () => {
    expect(readVerifyOptions(['--closed-before', '2026-11-01'], local)).toMatchObject({
      closedBefore: '2026-11-01T00:00:00.000Z',
    });
    expect(readVerifyOptions(['--closed-before', '2026-11-01T12:30:00Z'], local)).toMatchObject({
      closedBefore: '2026-11-01T12:30:00.000Z',
    });
  });
});

describe('verify-audit says what is wrong with', () => {
  it.each<[string, string[], RegExp]>([
    ['a stray argument', ['now'], /^Unexpected argument 'now'.*--help/],
    ['the value of an option left out', ['--table'], /^Option '--table.*--help/],
    ['an endpoint that is no URL', ['--endpoint', 'localhost'], /^--endpoint must be .*"localhost"/],
    ['a table’s name that is none', ['--table', 'a b'], /^--table must be .*"a b"/],
    ['a region that is none', ['--region', 'eu central'], /^--region must be .*"eu central"/],
    ['a day that is none', ['--closed-before', '2026-13-01'], /^--closed-before must be .*"2026-13-01"/],
    ['no local run', [], /^There is no local run here/],
  ])('%s', (_, args, line) => {
    expect(() => readVerifyOptions(args, nowhere)).toThrow(CannotVerify);
    expect(() => readVerifyOptions(args, nowhere)).toThrow(line);
  });

  it.each(['{"endpoints":{}}', '{"endpoints":{"dynamodb":"nowhere"}}', 'not JSON'])(
    'a credentials file like %s',
    (content) => {
      expect(() => readVerifyOptions([], credentials(content))).toThrow(/names no endpoints\.dynamodb/);
    },
  );
});
