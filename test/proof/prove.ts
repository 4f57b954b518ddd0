import {
  CannotDo,
  type CommandDescription,
  type ExitCode,
  readWholeNumber,
  runScript,
  type Values,
} from '../../infra/cli/command.ts';
import { createProgress, paint } from '../../infra/cli/terminal.ts';
import { proofParts } from './parts.ts';

/** `npm run proof`: the whole evidence; `--seed` replays, `--only` plays one part, `--json` is for machines. */
const partNames = proofParts.map(({ name }) => name).join(', ');
const options = {
  seed: { hint: 'N', what: 'the seed of every random choice; printed by each run, so that it can be replayed' },
  only: { hint: 'PART', what: `one part alone: ${partNames}` },
  schedules: { hint: 'N', what: 'how many interleavings (20000)' },
  json: { what: 'one line of JSON instead of text' },
} as const;
const command = {
  name: 'proof',
  call: 'npm run proof --',
  summary: 'Plays the proofs: random schedules, seeded bugs, crashes, faults, storm, soak and fuzz.',
  options,
  exitCodes: { 0: 'nothing broken', 1: 'something broken', 2: 'wrong usage' },
  wrongUsage: 2,
} as const satisfies CommandDescription<typeof options>;

await runScript(command, prove, { bug: 1 });

async function prove({ only, json, ...values }: Values<typeof options>): Promise<ExitCode> {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : readWholeNumber('--seed', values.seed);
  const schedules = values.schedules === undefined ? 20_000 : readWholeNumber('--schedules', values.schedules);
  const chosen = proofParts.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) throw new CannotDo(2, `--only takes one of ${partNames}, not "${only}".`);

  const say = (text: string): void => {
    if (!json) process.stdout.write(text);
  };
  const progress = createProgress({ isTTY: process.stdout.isTTY, write: say });
  say(`seed ${seed}\n\n`);
  const began = performance.now();
  const results: {
    name: string;
    seconds: number;
    figures: Readonly<Record<string, number | string>>;
    violations: number;
  }[] = [];
  for (const { name, claim, prove: provePart } of chosen) {
    const started = performance.now();
    progress.show(`${name} …`);
    const onProgress = (what: string): void => progress.show(`${name}: ${what}`);
    const { figures, violations, table } = await provePart({ seed, schedules, onProgress });
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    progress.clear();
    const mark = violations.length === 0 ? paint('green', '✓') : paint('red', '✗');
    say(`${mark} ${paint('bold', name.padEnd(14))} ${claim}\n`);
    if (table !== undefined) say(`\n${table}\n`);
    for (const violation of violations) say(`\n${violation}\n`);
    results.push({ name, seconds, figures, violations: violations.length });
  }

  const broken = results.reduce((sum, { violations }) => sum + violations, 0);
  const seconds = Math.round((performance.now() - began) / 1000);
  if (json) process.stdout.write(`${JSON.stringify({ seed, seconds, broken, parts: results })}\n`);
  for (const { name, seconds: took, figures, violations } of results) {
    const row = Object.entries({ ...figures, violations }).map(([figure, value]) => `${figure} ${value}`);
    say(`\n${paint('bold', name.padEnd(14))} ${String(took).padStart(6)} s  ${row.join(', ')}`);
  }
  say(`\n\n${broken === 0 ? 'Nothing broken' : `${broken} broken`} in ${seconds} s; again with --seed ${seed}\n`);
  return broken === 0 ? 0 : 1;
}
