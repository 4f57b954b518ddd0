import { parseArgs } from 'node:util';
import { startFrontServer } from '../support/front-server.ts';
import { startTestRun } from '../support/local-run.ts';
import { type Played, playCases } from './play-cases.ts';
import { startRunner } from './start-runner.ts';

/** `npm run conformance -- --runner "python3 my_runner.py" [--json]`: see README.md beside this file. */
const { values } = parseArgs({ options: { runner: { type: 'string' }, json: { type: 'boolean', default: false } } });
if (values.runner === undefined) {
  process.stderr.write('Usage: npm run conformance -- --runner "python3 my_runner.py" [--json]\n');
  process.exit(2);
}
const signs = { passed: '✓', failed: '✗', unsupported: '–' } as const;
const show = ({ name, result, why }: Played): void => {
  process.stderr.write(`${signs[result]} ${name}${why === undefined ? '' : `: ${why}`}\n`);
};

const run = await startTestRun({ reconcileEveryMs: 1_000 });
const front = await startFrontServer(run.baseUrl);
const runner = startRunner(values.runner);
try {
  const played = await playCases(runner, { run, front, onPlayed: show });
  const count = (result: Played['result']): number => played.filter((one) => one.result === result).length;
  const counts = { passed: count('passed'), failed: count('failed'), unsupported: count('unsupported') };
  if (values.json) process.stdout.write(`${JSON.stringify({ ...counts, cases: played })}\n`);
  else process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.unsupported} unsupported\n`);
  process.exitCode = counts.failed > 0 ? 1 : 0;
} finally {
  await runner.close();
  await front.close();
  await run.close();
}
