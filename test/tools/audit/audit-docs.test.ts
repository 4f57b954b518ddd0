import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withRegion } from '../../../infra/local/aws/access-keys.ts';
import { startLocalS3 } from '../../../infra/local/aws/s3/local-s3.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { archiveBucket } from '../../../infra/local/seeds.ts';
import { type ArchiveBuilder, createArchive, createSealPair } from '../../support/archive-builder.ts';
import { archiveTable } from '../../support/audit-archive.ts';
import { type AuditedTable, startAuditedTable } from '../../support/audited-table.ts';
import { findNode20 } from '../../support/bare-node.ts';
import { documentedJob } from '../../support/names.ts';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/audit.md'), 'utf8');
const blocks = Array.from(page.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = '']) => block);

const pair = createSealPair();
const auditor = mkdtempSync(join(tmpdir(), 'auditor-'));
let table: AuditedTable;
let archive: ArchiveBuilder;
let s3: Awaited<ReturnType<typeof startLocalS3>>;
beforeAll(async () => {
  table = await startAuditedTable();
  archive = createArchive(pair, { environment: 'local', bucket: archiveBucket });
  archive.setTimeMs(Date.now() - 60_000);
  await archiveTable(archive, table);
  archive.setTimeMs(Date.now());
  archive.seal();
  s3 = await startLocalS3({ accessKey: table.accessKey, buckets: { [archiveBucket]: undefined } });
  const client = new S3Client({
    endpoint: s3.url,
    region: localRegion,
    credentials: table.accessKey,
    forcePathStyle: true,
  });
  for (const name of [...archive.objects(), ...archive.digests()]) {
    await client.send(new PutObjectCommand({ Bucket: archiveBucket, Key: name, Body: archive.read(name) }));
  }
  client.destroy();
  const none = 'http://127.0.0.1:9';
  const endpoints = { dynamodb: table.url, secretsmanager: none, sqs: none, apigateway: none, s3: s3.url, kms: none };
  mkdirSync(join(auditor, '.local'));
  writeFileSync(
    join(auditor, '.local', 'credentials.json'),
    JSON.stringify({ endpoints, aws: withRegion(table.accessKey) }),
  );
  writeFileSync(join(auditor, 'key.pem'), pair.pem);
  copyFileSync(join(root, 'docs/verify-receipt.mjs'), join(auditor, 'verify-receipt.mjs'));
});
afterAll(() => Promise.all([table.close(), s3.close()]));

/** Plays a block as an auditor would paste it. `aws` copies and exports what AWS would. */
async function play(block: string): Promise<string> {
  const der = createPublicKey(pair.pem).export({ type: 'spki', format: 'der' }).toString('base64');
  const prelude = `
    npm() { local script="$2"; shift 3; '${process.execPath}' '${root}'/infra/cli/"$script".ts "$@"; }
    node() { '${findNode20() ?? process.execPath}' "$@"; }
    aws() {
      case "$1 $2" in
        's3 sync') cp -rp '${archive.folder}' "$4" ;;
        'kms get-public-key') echo '${der}' ;;
        *) return 9 ;;
      esac
    }
    set -e -o pipefail`;
  const commands = block
    .replaceAll('<jobId>', documentedJob)
    .replace('--table <table> --region eu-central-1', `--endpoint ${table.url}`)
    .replaceAll('plangrep-cancellation-prod-archive --', `${archiveBucket} --`);
  const env = { PATH: process.env['PATH'] ?? '', TMPDIR: process.env['TMPDIR'] ?? tmpdir() };
  const { stdout } = await promisify(execFile)('bash', ['-c', `${prelude}\n${commands}`], { cwd: auditor, env });
  return stdout;
}

test('every command of the page works as it is written, with OpenSSL and bare Node too', async () => {
  const shown: string[] = [];
  for (const block of blocks) shown.push(await play(block));
  const [copied, signature, named, beside, , verified, published] = shown;

  expect(copied).toContain('Nothing found: the digests hold');
  expect(signature).toBe('Verified OK\n');
  expect(named).toBe(
    `${pair.fingerprint}\n"publicKey":"${pair.fingerprint}"\n${archive
      .objects()
      .map((name) => `archive/${name}: OK\n`)
      .join('')}`,
  );
  expect(beside).toContain('the table is what the archive says');
  expect(verified).toContain(`The receipt of acme#${documentedJob} holds.`);
  expect(published).toContain(pair.fingerprint);
  expect(shown).toHaveLength(7);
});

test('the page has every finding', () => {
  const source = readFileSync(join(root, 'functions/core/archive-audit/archive-findings.ts'), 'utf8');
  const [, codes = ''] = /^export type ArchiveFindingCode =(.*?);$/ms.exec(source) ?? [];
  const named = [
    ...Array.from(codes.matchAll(/'(\w+)'/g), ([, code = '']) => code),
    'foreign',
    'rewritten',
    'removed',
    'silenced',
  ];

  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

test('OpenSSL does not verify a digest that was changed', async () => {
  const [first = '', signature = ''] = blocks;
  await play(first.replace('archive\n', 'changed\n').replace('--archive archive', '--archive changed'));
  const [name = ''] = archive.digests();
  const changed = readFileSync(join(auditor, 'changed', name), 'utf8').replace('"local"', '"lokal"');
  writeFileSync(join(auditor, 'changed', name), changed);
  await expect(play(signature.replace('archive/digests', 'changed/digests'))).rejects.toMatchObject({
    stdout: expect.stringMatching(/^Verification failure/i) as string,
  });
});
