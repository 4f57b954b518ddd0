import { parseArgs, styleText } from 'node:util';
import { type ProofPart, proofParts } from './parts.ts';

/** `npm run proof`: the evidence, whole; `--seed` replays, `--only` plays one part, `--json` is for machines. */
const usage = `npm run proof [-- options]

Options
  --seed N      where every random choice begins; printed by each run, so a run can be played again
  --only PART   one part alone: ${proofParts.map(({ name }) => name).join(', ')}
  --schedules N how many interleavings (20000)
  --json        one line of JSON instead of text
  --help        this
`;

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

const readOptions = () => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ options: { seed: text, only: text, schedules: text, json: flag, help: flag } }).values;
  } catch (error) {
    const [why] = error instanceof Error ? error.message.split('. ') : [];
    return fail(`${why}. See "npm run proof -- --help".`);
  }
};

const wholeNumber = (name: string, value: string | undefined, otherwise: number): number => {
  if (value === undefined) return otherwise;
  return /^\d{1,10}$/.test(value) ? Number(value) : fail(`--${name} takes a whole number, not "${value}".`);
};

const { only, json, help, ...values } = readOptions();
if (help) {
  process.stdout.write(usage);
  process.exit(0);
}
const seed = wholeNumber('seed', values.seed, Math.floor(Math.random() * 2 ** 31));
const schedules = wholeNumber('schedules', values.schedules, 20_000);
const chosen: readonly ProofPart[] = proofParts.filter(({ name }) => only === undefined || name === only);
if (chosen.length === 0) fail(`--only takes one of ${proofParts.map(({ name }) => name).join(', ')}, not "${only}".`);

const say = (text: string): void => {
  if (!json) process.stdout.write(text);
};
/** What long work is at, on one line that is written over: for a terminal alone. */
const progress = (text: string): void => {
  if (!json && process.stdout.isTTY) process.stdout.write(`\r\u001b[2K${styleText('dim', text)}`);
};

say(`seed ${seed}\n\n`);
const began = performance.now();
const results: {
  name: string;
  seconds: number;
  figures: Readonly<Record<string, number | string>>;
  violations: number;
}[] = [];
for (const { name, claim, prove } of chosen) {
  const started = performance.now();
  progress(`${name} …`);
  const { figures, violations, table } = await prove({
    seed,
    schedules,
    onProgress: (what) => progress(`${name}: ${what}`),
  });
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  progress('');
  const mark = violations.length === 0 ? styleText('green', '✓') : styleText('red', '✗');
  say(`${mark} ${styleText('bold', name.padEnd(14))} ${claim}\n`);
  if (table !== undefined) say(`\n${table}\n`);
  for (const violation of violations) say(`\n${violation}\n`);
  results.push({ name, seconds, figures, violations: violations.length });
}

const broken = results.reduce((sum, { violations }) => sum + violations, 0);
const seconds = Math.round((performance.now() - began) / 1000);
if (json) process.stdout.write(`${JSON.stringify({ seed, seconds, broken, parts: results })}\n`);
for (const { name, seconds: took, figures, violations } of results) {
  const row = Object.entries({ ...figures, violations }).map(([figure, value]) => `${figure} ${value}`);
  say(`\n${styleText('bold', name.padEnd(14))} ${String(took).padStart(6)} s  ${row.join(', ')}`);
}
say(`\n\n${broken === 0 ? 'Nothing broken' : `${broken} broken`} in ${seconds} s; again with --seed ${seed}\n`);
process.exitCode = broken === 0 ? 0 : 1;
