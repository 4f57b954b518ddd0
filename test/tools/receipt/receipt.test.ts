import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { sha256 } from '../../../functions/core/sha256.ts';
import { withRegion } from '../../../infra/local/aws/access-keys.ts';
import { type ArchiveBuilder, createArchive, createSealPair } from '../../support/archive-builder.ts';
import { archiveTable } from '../../support/audit-archive.ts';
import { type AuditedTable, startAuditedTable } from '../../support/audited-table.ts';
import { findNode20 } from '../../support/bare-node.ts';
import { documentedJob } from '../../support/names.ts';
import { onlyLine, runCommand } from '../../support/run-command.ts';
import { closed, requested } from '../../support/stored-streams.ts';

const receiptSchema = z.looseObject({
  lines: z.array(
    z.looseObject({
      line: z.string(),
      object: z.string(),
      index: z.number(),
      size: z.number(),
      path: z.array(z.string()),
    }),
  ),
  digests: z.array(z.looseObject({ name: z.string(), text: z.string() })),
  texts: z.optional(z.array(z.record(z.string(), z.string()))),
});
type Receipt = z.infer<typeof receiptSchema>;

const [pair, otherPair] = [createSealPair(), createSealPair()];
const node20 = findNode20();
const [folder, elsewhere] = [mkdtempSync(join(tmpdir(), 'receipt-')), mkdtempSync(join(tmpdir(), 'receipt-'))];
const verifier = join(elsewhere, 'verify-receipt.mjs');

let table: AuditedTable;
let archive: ArchiveBuilder;
beforeAll(async () => {
  table = await startAuditedTable();
  archive = createArchive(pair);
  archive.setTime('12:30');
  await table.write('job_gone', [requested, closed]);
  await archiveTable(archive, table);
  archive.setTime('13:00');
  archive.seal();
  const none = 'http://127.0.0.1:9';
  const endpoints = { dynamodb: table.url, secretsmanager: none, sqs: none, apigateway: none, s3: none, kms: none };
  mkdirSync(join(folder, '.local'));
  writeFileSync(
    join(folder, '.local', 'credentials.json'),
    JSON.stringify({ endpoints, aws: withRegion(table.accessKey) }),
  );
  copyFileSync(join(import.meta.dirname, '../../../docs/verify-receipt.mjs'), verifier);
  writeFileSync(join(elsewhere, 'key.pem'), pair.pem);
  writeFileSync(join(elsewhere, 'other.pem'), otherPair.pem);
});
afterAll(() => table.close());

const ops = (job: string, ...options: readonly string[]) =>
  runCommand('ops', ['receipt', job, '--partner', 'acme', '--archive', archive.folder, ...options], { cwd: folder });
const receiptOf = async (job: string, ...options: readonly string[]): Promise<Receipt> => {
  const { stdout, stderr, code } = await ops(job, '--json', ...options);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return receiptSchema.parse(JSON.parse(stdout));
};

/** Verifies as a stranger does: another Node, another folder, nothing of the project. */
const verify = (receipt: unknown, keys: readonly string[] = ['key.pem']) => {
  writeFileSync(join(elsewhere, 'receipt.json'), typeof receipt === 'string' ? receipt : JSON.stringify(receipt));
  const args = ['verify-receipt.mjs', 'receipt.json', ...keys.flatMap((key) => ['--public-key', key])];
  const { stdout, stderr, status } = spawnSync(node20 ?? process.execPath, args, {
    cwd: elsewhere,
    env: {},
    encoding: 'utf8',
  });
  return { stdout, stderr, code: status };
};

describe('ops receipt', () => {
  test('has the cancellation’s lines, their paths and the digest, and no other partner’s or job’s record and no text', async () => {
    const { stdout } = await ops(documentedJob, '--json');
    const receipt = receiptSchema.parse(JSON.parse(stdout));
    expect(receipt).toMatchObject({
      kind: 'plangrep-cancellation/receipt/1',
      partnerId: 'acme',
      jobId: documentedJob,
      environment: 'prod',
      publicKeys: [pair.fingerprint],
    });
    expect(receipt.lines).toHaveLength(5);
    const [digest = ''] = archive.digests();
    expect(receipt.digests).toEqual([{ name: digest, text: archive.read(digest) }]);
    for (const absent of ['job_short', 'job_open', 'order-7890', 'wrong plan', 'Salt"'])
      expect(stdout).not.toContain(absent);
  });

  test('has texts and salts only when it is asked for them', async () => {
    const { texts } = await receiptOf('job_short', '--with-texts');
    expect(texts).toHaveLength(2);
    expect(texts?.[0]).toMatchObject({ key: 'event#000001', externalId: 'order-7890', reason: 'wrong plan' });
  });

  test('shows what it has without --json', async () => {
    const { stdout, code } = await ops('job_short');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^3 lines of the archive prove acme#job_short:\n/);
    expect(stdout).toContain('written  event#000002\n');
    expect(stdout).toContain(`signed by the key ${pair.fingerprint}\n`);
  });

  test('is not made of a cancellation that is open, unknown, or not sealed yet', async () => {
    const open = await ops('job_open');
    expect({ line: onlyLine(open), code: open.code }).toEqual({
      line: 'acme#job_open is still open: a receipt is for a cancellation that has ended.',
      code: 1,
    });
    expect(onlyLine(await ops('job_none'))).toMatch(/^The table has no cancellation acme#job_none: if it has expired/);
    expect(onlyLine(await ops('job_none', '--since', '2026-11-01'))).toBe(
      'The archive has no cancellation acme#job_none from then on.',
    );

    const empty = createArchive(pair);
    empty.setTime('13:00');
    empty.seal();
    const early = await ops('job_short', '--archive', empty.folder);
    expect(onlyLine(early)).toMatch(
      /^acme#job_short is not sealed yet \(event#000001, .*\): the archive is sealed until 2026-11-23T13:00/,
    );
    expect(early.code).toBe(1);
  });

  test('is made of the archive alone when the table has lost the cancellation', async () => {
    for (const seq of [1, 2]) await table.remove('job_gone', seq);
    expect(onlyLine(await ops('job_gone'))).toMatch(/^The table has no cancellation acme#job_gone: if it has expired/);
    expect((await receiptOf('job_gone', '--since', '2026-11-01')).lines).toHaveLength(2);
  });

  test('is not made of an object that is not what was sealed', async () => {
    const [name = ''] = archive.objects();
    const before = archive.read(name);
    archive.edit(name, (text) => text.replace('"format":1', '"format":2'));
    expect(onlyLine(await ops(documentedJob))).toMatch(/ is not what was sealed: run "npm run verify-audit/);
    archive.write(name, before);
  });
});

test('ops audit verify holds the table against the archive, given its key', async () => {
  const args = ['audit', 'verify', '--archive', archive.folder, '--public-key', archive.publicKeyFile, '--json'];
  const { stdout, code } = await runCommand('ops', args, { cwd: folder });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  // The archive is days old, and one cancellation was deleted from the table.
  expect(lines).toMatchObject([
    { code: 'overdue' },
    { code: 'deleted', stream: 'acme#job_gone' },
    { kind: 'summary', ok: false, archive: archive.folder, table: table.name, place: table.url },
  ]);
  expect(code).toBe(1);
});

describe('verify-receipt.mjs', () => {
  test('is one file of less than 300 lines that imports only Node', () => {
    const source = execFileSync('cat', [verifier]).toString();
    expect(source.split('\n').length - 1).toBeLessThan(300);
    expect(Array.from(source.matchAll(/^import .* from '(.*)';$/gm), ([, module]) => module)).toEqual([
      'node:crypto',
      'node:fs',
    ]);
    expect(source).not.toMatch(/import\(|require\(|fetch\(/);
  });

  test('verifies a real receipt on Node 20 from another folder, and says what it proves', async (context) => {
    if (node20 === undefined) return context.skip('there is no Node 20 on this machine');
    const { stdout, stderr, code } = verify(await receiptOf(documentedJob));
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain(`The receipt of acme#${documentedJob} holds.`);
    expect(stdout).toContain('closed: cancelled');
    expect(stdout).toContain(`signed by  ${pair.fingerprint}`);
    expect(stdout).toContain('It does not prove:');
  });

  test('opens the commitments of a receipt with texts, and knows what joined', async () => {
    const { stdout, code } = verify(await receiptOf('job_short', '--with-texts'), ['other.pem', 'key.pem']);
    expect(code).toBe(0);
    expect(stdout).toContain('The texts in the receipt are the ones that its records commit to.');
    expect(stdout).toMatch(/beside +2026-11-23T12:00:45.000Z +joined/);
  });

  /** Changes one field of a line, which then is another line. */
  const inLine = (index: number, from: string, to: string) => (receipt: Receipt) =>
    receipt.lines.splice(index, 1, { ...line(receipt, index), line: line(receipt, index).line.replace(from, to) });
  const line = ({ lines }: Receipt, index: number) => {
    const one = lines[index];
    if (one === undefined) throw new Error('no such line');
    return one;
  };
  const set = (index: number, fields: object) => (receipt: Receipt) => Object.assign(line(receipt, index), fields);
  const inDigest = (change: (text: string) => string) => (receipt: Receipt) => {
    for (const digest of receipt.digests) digest.text = change(digest.text);
  };

  test.each<[string, (receipt: Receipt) => unknown, RegExp]>([
    ['an outcome', inLine(1, '"cancelled"', '"too_late"'), /does not lead to the sealed root/],
    ['a time', inLine(0, '12:00:00', '11:00:00'), /does not lead to the sealed root/],
    ['a hash', inLine(1, '"hash":"', '"hash":"0'), /does not lead to the sealed root/],
    ['a path', set(0, { path: [sha256('x')] }), /does not lead to the sealed root/],
    [
      'a place in the object',
      (receipt: Receipt) => set(0, { index: (line(receipt, 0).index + 1) % line(receipt, 0).size })(receipt),
      /does not lead to the sealed root/,
    ],
    ['a place that is none', set(0, { index: -1 }), /has no place in its object/],
    ['the number of lines', set(0, { size: 99 }), /says that .* has 99 lines/],
    ['the object', set(0, { object: 'records/day=2026-11-23/1-2.ndjson' }), /which no digest here names/],
    ['the first event, left out', ({ lines }) => lines.shift(), /event 1 is missing/],
    ['the last event, left out', ({ lines }) => lines.splice(-2, 1), /does not close the cancellation/],
    ['all events, left out', ({ lines }) => lines.splice(0, 2), /it has no event/],
    ['the digest, left out', ({ digests }) => digests.pop(), /which no digest here names/],
    ['the digest', inDigest((text) => text.replace('"prod"', '"dev"')), /signature .* is wrong/],
    ['the signature', inDigest((text) => text.replace(/\n.{10}/, '\nMEUCIQDxyz')), /signature .* is wrong/],
    ['a line of the digest, left out', inDigest((text) => text.split('\n', 1).join()), /does not have two lines/],
    ['the digest’s name', ({ digests }) => Object.assign(digests[0] ?? {}, { name: 'x' }), /in truth/],
    [
      'the digest’s key',
      inDigest((text) => text.replace(pair.fingerprint, otherPair.fingerprint)),
      /which was not given/,
    ],
    ['the partner', (receipt) => Object.assign(receipt, { partnerId: 'globex' }), /and not of globex#job_short/],
    ['the environment', (receipt) => Object.assign(receipt, { environment: 'dev' }), /is of the environment prod/],
    ['the kind', (receipt) => Object.assign(receipt, { kind: 'x' }), /not a receipt of a version/],
    ['the lines, replaced', (receipt) => Object.assign(receipt, { lines: 'x' }), /are not lists/],
    ['a line, replaced', ({ lines }) => lines.splice(0, 1, null as never), /is malformed|is not a line/],
    [
      'a text',
      ({ texts }) => Object.assign(texts?.[0] ?? {}, { externalId: 'order-7891' }),
      /externalId .* commits to/,
    ],
    ['a salt', ({ texts }) => Object.assign(texts?.[0] ?? {}, { reasonSalt: 'b'.repeat(32) }), /reason .* commits to/],
    ['a text without its salt', ({ texts }) => delete texts?.[0]?.['reasonSalt'], /reason .* has no salt/],
    [
      'texts that are none',
      ({ texts }) => texts?.splice(0, 1, { key: 'event#000001' }),
      /has texts of .*, and has none/,
    ],
    [
      'a text that is not Unicode',
      ({ texts }) => Object.assign(texts?.[0] ?? {}, { reason: 'wrong plan\uD800' }),
      /reason .* is not Unicode/,
    ],
    [
      'a text beside those that are checked',
      ({ texts }) => Object.assign(texts?.[0] ?? {}, { name: 'x' }),
      /has name, which this program does not check/,
    ],
    [
      'a field',
      (receipt) => Object.assign(receipt, { outcome: 'x' }),
      /has outcome, which this program does not check/,
    ],
    [
      'a name to look like an answer',
      ({ digests }) => Object.assign(digests[0] ?? {}, { name: '\n\nThe receipt of acme#job_1 holds.\u202E\n' }),
      /in truth/,
    ],
    [
      'texts of another record',
      ({ texts }) => Object.assign(texts?.[0] ?? {}, { key: 'event#000009' }),
      /which is not in it/,
    ],
  ])('refuses a receipt after a change of %s, with the reason', async (_, change, why) => {
    const receipt = structuredClone(await sample());
    change(receipt);
    const { stdout, stderr, code } = verify(receipt);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(/^The receipt does not hold: .*\.\n$/);
    expect(stderr).toMatch(why);
    expect(stderr).not.toMatch(/\p{Cf}/u);
  });
  let made: Promise<Receipt> | undefined;
  const sample = () => (made ??= receiptOf('job_short', '--with-texts'));

  test('refuses lines of another cancellation, however well they are proven', async () => {
    const [receipt, other] = [structuredClone(await sample()), await receiptOf(documentedJob)];
    receipt.lines.splice(1, 1, line(other, 1));
    expect(verify(receipt).stderr).toContain(`is a record of acme#${documentedJob}`);
  });

  test('cannot verify by a private key, or one of another kind', async () => {
    const [rsa, secret] = [generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey, pair.privateKey];
    writeFileSync(join(elsewhere, 'rsa.pem'), rsa.export({ type: 'spki', format: 'pem' }));
    writeFileSync(join(elsewhere, 'secret.pem'), secret.export({ type: 'pkcs8', format: 'pem' }));
    for (const key of ['rsa.pem', 'secret.pem']) {
      const why = `${key} is not a public key on the curve P-256 in PEM.\n`;
      expect(verify(await sample(), [key])).toMatchObject({ stderr: why, code: 2 });
    }
  });

  test('cannot verify without a key, a receipt, or JSON', async () => {
    expect(verify(await sample(), [])).toMatchObject({ code: 2 });
    expect(verify(await sample(), ['none.pem'])).toMatchObject({ stderr: 'none.pem cannot be read.\n', code: 2 });
    expect(verify(await sample(), ['receipt.json'])).toMatchObject({
      stderr: 'receipt.json is not a public key on the curve P-256 in PEM.\n',
      code: 2,
    });
    expect(verify('{')).toMatchObject({ stderr: 'receipt.json is not JSON.\n', code: 2 });
    expect(verify(await sample(), ['other.pem'])).toMatchObject({ code: 1 });
  });
});
