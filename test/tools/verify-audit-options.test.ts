import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CannotDo, parseCommand } from '../../infra/cli/command.ts';
import { readVerifyOptions, verifyAudit } from '../../infra/cli/audit/verify-audit-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'verify-audit-options-'));
const nowhere = join(folder, 'none.json');
const credentials = (text: string): string => {
  const path = join(folder, 'credentials.json');
  writeFileSync(path, text);
  return path;
};

const read = (args: readonly string[], credentialsPath: string) => {
  const parsed = parseCommand(verifyAudit, args);
  return parsed.kind === 'run' ? readVerifyOptions(parsed.values, credentialsPath) : parsed;
};

describe('verify-audit reads', () => {
  const aws = { accessKeyId: 'LOCAL1', secretAccessKey: 's', region: 'eu-west-1' };
  const local = credentials(JSON.stringify({ endpoints: { dynamodb: 'http://127.0.0.1:4567' }, aws, partners: [] }));

  test('the local run’s log when nothing else is named', () => {
    expect(read([], local)).toMatchObject({
      table: 'CancellationLog',
      endpoint: 'http://127.0.0.1:4567',
      aws,
      json: false,
    });
    expect(read(['--endpoint', 'http://127.0.0.1:4567', '--table', 'CancellationLog'], local)).toMatchObject({ aws });
  });

  test.each(['http://127.0.0.1:4568', 'http://127.0.0.1.example:4567', 'https://example.com'])(
    'the log at %s without the key of the local run',
    (endpoint) => {
      expect(read(['--endpoint', endpoint], local)).toMatchObject({ endpoint, aws: undefined });
    },
  );

  test('a table on AWS when one is named, whatever runs here', () => {
    const options = read(['--table', 'stack-CancellationLog-1ABC', '--region', 'eu-central-1'], local);

    expect(options).toMatchObject({ table: 'stack-CancellationLog-1ABC', endpoint: undefined, region: 'eu-central-1' });
  });

  test('the log at another endpoint', () => {
    const options = read(['--endpoint', 'http://127.0.0.1:8000', '--json'], nowhere);

    expect(options).toMatchObject({ table: 'CancellationLog', endpoint: 'http://127.0.0.1:8000', json: true });
  });

  test('a day as its first moment, a time as it is', () => {
    expect(read(['--closed-before', '2026-11-01'], local)).toMatchObject({
      closedBefore: '2026-11-01T00:00:00.000Z',
    });
    expect(read(['--closed-before', '2026-11-01T12:30:00Z'], local)).toMatchObject({
      closedBefore: '2026-11-01T12:30:00.000Z',
    });
  });
});

describe('verify-audit says what is wrong with', () => {
  test.each<[string, string[], RegExp]>([
    ['a stray argument', ['now'], /^"verify-audit" takes no argument.*--help/],
    ['the value of an option left out', ['--table'], /^Option '--table.*--help/],
    ['an endpoint that is not a URL', ['--endpoint', 'localhost'], /^--endpoint must be .*"localhost"/],
    ['an invalid table name', ['--table', 'a b'], /^--table must be .*"a b"/],
    ['an invalid region', ['--region', 'eu central'], /^--region must be .*"eu central"/],
    ['a day that does not exist', ['--closed-before', '2026-13-01'], /^--closed-before must be .*"2026-13-01"/],
    ['no local run', [], /^There is no local run here/],
  ])('%s', (_, args, line) => {
    expect(() => read(args, nowhere)).toThrow(CannotDo);
    expect(() => read(args, nowhere)).toThrow(line);
  });

  test.each([
    '{"endpoints":{}}',
    '{"endpoints":{"dynamodb":"http://127.0.0.1:1"}}',
    '{"endpoints":{"dynamodb":"nowhere"}}',
    'not JSON',
  ])('a credentials file like %s', (content) => {
    expect(() => read([], credentials(content))).toThrow(/has no endpoints\.dynamodb/);
  });
});
