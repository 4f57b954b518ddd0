import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { findNode20 } from '../../support/bare-node.ts';
import { givenOps } from '../../support/given-ops.ts';

const ops = givenOps({ sealEveryMs: 1_000 });
const { service } = ops;
const receiver = mkdtempSync(join(tmpdir(), 'receiver-'));
const program = join(import.meta.dirname, '../../../docs/verify-receipt.mjs');

test('a cancellation of the local run is archived, sealed, audited with its table, and proven by a receipt', async () => {
  const names = await service.newJob();
  await service.cancel({ ...names, reason: 'wrong plan ✏️' });
  await service.cancel({ ...names, reason: 'asked twice' });
  await service.cancel({ externalId: 'unknown' });

  const key = await ops.run('archive keys');
  writeFileSync(join(receiver, 'key.pem'), key.stdout);
  const made = await sealedReceipt(names.jobId);
  const receipt = join(receiver, 'receipt.json');
  writeFileSync(receipt, made);
  const node = findNode20() ?? process.execPath;
  const args = [program, receipt, '--public-key', join(receiver, 'key.pem')];
  const { stdout, stderr } = spawnSync(node, args, { cwd: receiver, env: {}, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toContain(`The receipt of acme#${names.jobId} holds.`);
  expect(stdout).toContain('The texts in the receipt are the ones that its records commit to.');
  expect(stdout).toMatch(/beside .* joined/);

  const audit = await ops.run(['audit', 'verify', '--public-key', join(receiver, 'key.pem')]);
  expect(audit.stdout).toContain(
    'Nothing found: the digests hold, every chain holds, and the table is what the archive says.',
  );
  expect(audit).toMatchObject({ stderr: '', code: 0 });
});

/** Waits for the digest that seals the cancellation. */
async function sealedReceipt(jobId: string): Promise<string> {
  const end = Date.now() + 20_000;
  for (;;) {
    const { stdout, stderr, code } = await ops.run(`receipt ${jobId} --partner acme --with-texts --json`);
    if (code === 0) return stdout;
    expect(stderr).toMatch(/ is not sealed yet /);
    if (Date.now() > end) throw new Error(stderr);
    await sleep(300);
  }
}
