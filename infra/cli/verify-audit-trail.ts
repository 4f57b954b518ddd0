import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Command } from './command.ts';

const verifyAudit = new URL('./verify-audit.ts', import.meta.url).pathname;

export const verifyAuditTrail: Command = {
  name: 'audit verify',
  summary: 'Recomputes the hash chains of the cancellation log: "npm run verify-audit" for this place.',
  notes: 'Its own exit codes: 0 nothing found, 1 something was found, 2 could not verify.',
  options: {
    'closed-before': { hint: 'TIME', what: 'the digest takes in only streams that closed before: 2026-11-01' },
  },
  async run({ place, terminal, option }) {
    const closedBefore = option('closed-before');
    const args = [
      '--table',
      await place.table('CancellationLog'),
      '--region',
      place.region,
      ...(place.environment === 'local' ? ['--endpoint', place.where] : []),
      ...(closedBefore === undefined ? [] : ['--closed-before', closedBefore]),
      ...(terminal.json ? ['--json'] : []),
    ];
    // A process of its own: what verifies is the very command that anybody else can run.
    const child = spawn(process.execPath, [verifyAudit, ...args], { stdio: 'inherit' });
    const [code]: unknown[] = await once(child, 'exit');
    return code === 0 || code === 1 ? code : 2;
  },
};
