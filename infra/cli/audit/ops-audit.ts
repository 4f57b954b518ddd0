import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { opsCommand } from '../ops-command.ts';

const verifyAudit = new URL('../verify-audit.ts', import.meta.url).pathname;

export const verifyAuditTrail = opsCommand({
  name: 'audit verify',
  summary: 'Recomputes the hash chains of the cancellation log: "npm run verify-audit" for this place.',
  notes: 'The exit codes are those of verify-audit: 0 nothing found, 1 something was found, 2 could not verify.',
  options: {
    'closed-before': { hint: 'TIME', what: 'the digest covers only streams that closed before: 2026-11-01' },
    'public-key': {
      hint: 'FILE',
      what: 'the key that signs the archive: the archive is verified, too, and the table held against it',
      many: true,
    },
    archive: { hint: 'PLACE', what: "with --public-key: a copy of the archive (default: the environment's bucket)" },
    table: { hint: 'NAME', what: 'another table, such as a restored one (default: the one in use)' },
  },
  async run({ place, terminal, values }) {
    const closedBefore = values['closed-before'];
    const keys = values['public-key'] ?? [];
    const archive = keys.length === 0 ? undefined : (values.archive ?? `s3://${await place.archiveBucket()}`);
    const name = values.table ?? (await place.table('CancellationLog'));
    const args = [
      `--table=${name}`,
      `--region=${place.region}`,
      ...(place.environment === 'local' ? [`--endpoint=${place.where}`] : []),
      ...(closedBefore === undefined ? [] : [`--closed-before=${closedBefore}`]),
      ...(archive === undefined ? [] : [`--archive=${archive}`, ...keys.map((key) => `--public-key=${key}`)]),
      ...(terminal.json ? ['--json'] : []),
    ];
    // In another process: exactly the command that an auditor can run without ops.
    const child = spawn(process.execPath, [verifyAudit, ...args], { stdio: 'inherit' });
    const [code]: unknown[] = await once(child, 'exit');
    return code === 0 || code === 1 ? code : 2;
  },
});
