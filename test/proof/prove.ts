import {
  CannotDo,
  type CommandDescription,
  type ExitCode,
  readWholeNumber,
  runScript,
  type Values,
} from '../../infra/cli/command.ts';
import { createProgress, paint } from '../../infra/cli/terminal.ts';
import { runCrashes } from './crash.ts';
import { runCallbackCrashes } from './crash-callbacks.ts';
import { runFaultMatrix } from './fault-matrix.ts';
import { runFuzz } from './fuzz.ts';
import { runMany } from './many.ts';
import { runMutations } from './mutations.ts';
import { runTestsWithBugs } from './mutations/run-tests-with-bugs.ts';
import { seededBugsOfCallbacks } from './mutations/seeded-bugs-of-callbacks.ts';
import { seededBugsOfMany } from './mutations/seeded-bugs-of-many.ts';
import { describeViolation, runSimulation } from './simulation.ts';
import { runSoakCallbacks } from './soak-callbacks.ts';
import { runSoakArchive } from './soak-archive.ts';
import { runSoak } from './soak.ts';
import { runStorm } from './storm.ts';
import { runTampering } from './tampering.ts';

/** `npm run proof`: the whole evidence. `npm test` plays a short form of each part. */
interface ProofPart {
  readonly name: string;
  readonly claim: string;
  readonly prove: (options: ProofOptions) => Promise<ProofOutcome>;
}
interface ProofOptions {
  readonly seed: number;
  /** How many interleavings are played. */
  readonly schedules: number;
  /** How many cancellations go into the archive. */
  readonly archived: number;
  /** Shows how far the part is: `of` is left out where the total is not known. */
  readonly onProgress: (done: number | string, of?: number) => void;
}
interface ProofOutcome {
  /** Numbers and words are printed; a part shows its lists in its table. */
  readonly figures: object;
  /** What is wrong, in words; empty when the claim holds. */
  readonly violations: readonly string[];
  readonly table?: string;
}
interface PlayedPart {
  readonly name: string;
  readonly seconds: number;
  readonly figures: Readonly<Record<string, number | string>>;
  readonly violations: number;
}

/** What the simulation knows nothing of. */
const testedBugs = [...seededBugsOfCallbacks, ...seededBugsOfMany];

const parts: readonly ProofPart[] = [
  {
    name: 'interleavings',
    claim:
      'no random schedule of doors, wake-ups, crashes, lost answers and messages, wrong clocks and foreign jobs breaks an invariant',
    async prove({ seed, schedules, onProgress }) {
      const { steps, figures, violations, ...played } = await runSimulation({ schedules, seed, onProgress });
      const all = { schedules: played.schedules, steps, ...figures };
      return { figures: all, violations: violations.map(describeViolation) };
    },
  },
  {
    name: 'seeded bugs',
    claim:
      'every bug put into the protocol is caught by an invariant, and into callbacks and many cancels at once by a test',
    async prove({ seed, onProgress }) {
      const { figures, violations } = await runMutations({ schedules: 20_000, seed, onProgress });
      const { caught, mostSchedules } = figures;
      onProgress('by tests');
      const tested = await runTestsWithBugs(testedBugs);
      const rows = [
        ...caught.map(({ bug, invariant, schedules }) => [bug, String(schedules), invariant] as const),
        ...tested.caught.map(({ bug, test }) => [bug, '', test] as const),
      ].map(([bug, schedules, by]) => `    ${bug.padEnd(66)} ${schedules.padStart(5)}  ${by}`);
      const bugs = figures.bugs + testedBugs.length;
      return {
        figures: { bugs, caught: rows.length, mostSchedules },
        violations: [...violations, ...tested.violations],
        table: rows.join('\n'),
      };
    },
  },
  {
    name: 'soak',
    claim: 'of 100,000 cancellations with 5 % faults none is lost, and memory stays flat',
    async prove({ seed, onProgress }) {
      const { figures, violations } = await runSoak({ cancellations: 100_000, seed, onProgress });
      const heapMb = figures.heapMb.map((mb) => Math.round(mb)).join(' → ');
      return { figures: { ...figures, heapMb }, violations };
    },
  },
  {
    name: 'crashes',
    claim: 'the real bundles, killed before and after every request they send, leave nothing undone',
    prove: ({ seed, onProgress }) => runCrashes({ seed, onProgress }),
  },
  {
    name: 'crash-callbacks',
    claim:
      'the functions of the callbacks, killed before and after every call outside, leave nothing untold, and keep the order',
    prove: runCallbackCrashes,
  },
  {
    name: 'fault matrix',
    claim: 'at every hop every fault that can occur there is answered as the design says',
    prove: ({ onProgress }) => runFaultMatrix({ onProgress }),
  },
  {
    name: 'storm',
    claim: '10,000 duplicates over 100 jobs make 100 cancel calls',
    prove: ({ seed, onProgress }) => runStorm({ requests: 10_000, jobs: 100, seed, onProgress }),
  },
  {
    name: 'many',
    claim:
      '10,000 orders by file against a limiting Plangrep, the command killed three times: each cancelled once, no other job',
    prove: ({ seed, onProgress }) => runMany({ orders: 10_000, ratePerSecond: 200, seed, onProgress }),
  },
  {
    name: 'fuzz',
    claim: 'no input at any door and no answer of Plangrep makes a 5xx, a crash or a false cancelled',
    prove: ({ seed, onProgress }) => runFuzz({ seed, inputs: 10_000, overHttp: 500, answers: 5_000, onProgress }),
  },
  {
    name: 'soak-archive',
    claim:
      'of many cancellations with 5 % faults the archive has every record, none twice but for repeats, without a false alarm',
    async prove({ seed, archived, onProgress }) {
      const { figures, violations } = await runSoakArchive({ cancellations: archived, seed, onProgress });
      return { figures, violations };
    },
  },
  {
    name: 'soak-callbacks',
    claim:
      'of 100,000 callbacks with 5 % faults none is lost, each signature verifies, and a partner hears of a job in order',
    async prove({ seed, onProgress }) {
      const callbacks = 100_000;
      return runSoakCallbacks({ callbacks, seed, onProgress: (done) => onProgress(done, callbacks) });
    },
  },
  {
    name: 'tampering',
    claim:
      'every forgery that can be found is found, by whom and as soon as the matrix says; where nothing was forged, nothing is found',
    async prove({ seed, onProgress }) {
      const { figures, violations, table } = await runTampering({
        seed,
        combinations: 100,
        untouched: 100,
        onProgress,
      });
      return { figures, violations, table };
    },
  },
];
const partNames = parts.map(({ name }) => name).join(', ');

const options = {
  seed: { hint: 'N', what: 'the seed of every random choice; each run prints it, so that it can be replayed' },
  only: { hint: 'PART', what: `one part alone: ${partNames}` },
  schedules: { hint: 'N', what: 'how many interleavings (20000)' },
  archived: { hint: 'N', what: 'how many cancellations soak-archive plays (4000; 100000 take a quarter of an hour)' },
  json: { what: 'one line of JSON instead of text' },
} as const;
const command = {
  name: 'proof',
  call: 'npm run proof --',
  summary: 'Plays the proofs: random schedules, seeded bugs, crashes, faults, storm, soak, fuzz and tampering.',
  options,
  exitCodes: { 0: 'nothing broken', 1: 'something broken', 2: 'wrong usage' },
  wrongUsage: 2,
} as const satisfies CommandDescription<typeof options>;

await runScript(command, prove, { bug: 1 });

async function prove({ only, json, ...values }: Values<typeof options>): Promise<ExitCode> {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : readWholeNumber('--seed', values.seed);
  const schedules = values.schedules === undefined ? 20_000 : readWholeNumber('--schedules', values.schedules);
  const archived = values.archived === undefined ? 4_000 : readWholeNumber('--archived', values.archived);
  const chosen = parts.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) throw new CannotDo(2, `--only takes one of ${partNames}, not "${only}".`);

  const say = (text: string): void => {
    if (!json) process.stdout.write(text);
  };
  say(`seed ${seed}\n\n`);
  const began = performance.now();
  const played: PlayedPart[] = [];
  for (const part of chosen) played.push(await play(part, { seed, schedules, archived, say }));

  const broken = played.reduce((sum, { violations }) => sum + violations, 0);
  const seconds = Math.round((performance.now() - began) / 1000);
  if (json) process.stdout.write(`${JSON.stringify({ seed, seconds, broken, parts: played })}\n`);
  for (const { name, seconds: took, figures, violations } of played) {
    const row = Object.entries({ ...figures, violations }).map(([figure, value]) => `${figure} ${value}`);
    say(`\n${paint('bold', name.padEnd(14))} ${String(took).padStart(6)} s  ${row.join(', ')}`);
  }
  say(`\n\n${broken === 0 ? 'Nothing broken' : `${broken} broken`} in ${seconds} s; again with --seed ${seed}\n`);
  return broken === 0 ? 0 : 1;
}

async function play(
  { name, claim, prove: provePart }: ProofPart,
  { say, ...chosen }: Omit<ProofOptions, 'onProgress'> & { say: (text: string) => void },
): Promise<PlayedPart> {
  const progress = createProgress({ isTTY: process.stdout.isTTY, write: say });
  const started = performance.now();
  progress.show(`${name} …`);
  const onProgress: ProofOptions['onProgress'] = (done, of) =>
    progress.show(`${name}: ${done}${of === undefined ? '' : ` of ${of}`}`);
  const { figures, violations, table } = await provePart({ ...chosen, onProgress });
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  progress.clear();
  const mark = violations.length === 0 ? paint('green', '✓') : paint('red', '✗');
  say(`${mark} ${paint('bold', name.padEnd(14))} ${claim}\n`);
  if (table !== undefined) say(`\n${table}\n`);
  for (const violation of violations) say(`\n${violation}\n`);
  return { name, seconds, figures: printable(figures), violations: violations.length };
}

function printable(figures: object): Record<string, number | string> {
  const isPrintable = (entry: [string, unknown]): entry is [string, number | string] =>
    typeof entry[1] === 'number' || typeof entry[1] === 'string';
  return Object.fromEntries(Object.entries(figures).filter(isPrintable));
}
