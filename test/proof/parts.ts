import { runCrashes } from './crash.ts';
import { runFaultMatrix } from './fault-matrix.ts';
import { runFuzz } from './fuzz.ts';
import { runMutations } from './mutations.ts';
import { describeViolation, runSimulation } from './simulation.ts';
import { runSoak } from './soak.ts';
import { runStorm } from './storm.ts';

export interface ProofOptions {
  readonly seed: number;
  /** How many interleavings are played. */
  readonly schedules: number;
  /** Told in words what the part is at. */
  readonly onProgress: (what: string) => void;
}

export interface ProofOutcome {
  readonly figures: Readonly<Record<string, number | string>>;
  /** What should not be, each in words; empty when the part holds. */
  readonly violations: readonly string[];
  readonly table?: string;
}

/** One part of the proof, in full. Its short form is a separate test. */
export interface ProofPart {
  readonly name: string;
  readonly claim: string;
  readonly prove: (options: ProofOptions) => Promise<ProofOutcome>;
}

/** The figures that are one number or word; a part's own lists are for its table. */
const plain = (figures: object): Record<string, number | string> =>
  Object.fromEntries(
    Object.entries(figures).filter(
      (entry): entry is [string, number | string] => typeof entry[1] === 'number' || typeof entry[1] === 'string',
    ),
  );

export const proofParts: readonly ProofPart[] = [
  {
    name: 'interleavings',
    claim: 'no random schedule of doors, reconcilers, crashes and lost answers breaks an invariant',
    async prove({ seed, schedules, onProgress }) {
      const played = await runSimulation({ schedules, seed, onProgress: (done) => onProgress(`${done} schedules`) });
      const { steps, figures, violations } = played;
      return {
        figures: { schedules: played.schedules, steps, ...plain(figures) },
        violations: violations.map(describeViolation),
      };
    },
  },
  {
    name: 'seeded bugs',
    claim: 'every bug put into the protocol is caught by an invariant',
    async prove({ seed, onProgress }) {
      const result = await runMutations({ schedules: 5_000, seed, onProgress: (done) => onProgress(`${done} bugs`) });
      const { bugs, caught, mostSchedules } = result.figures;
      const table = caught.map(({ bug, invariant, schedules }) => {
        return `    ${bug.padEnd(66)} ${String(schedules).padStart(5)}  ${invariant}`;
      });
      return {
        figures: { bugs, caught: caught.length, mostSchedules },
        violations: result.violations,
        table: table.join('\n'),
      };
    },
  },
  {
    name: 'soak',
    claim: 'of 100,000 cancellations with 5 % faults none is lost, and memory stays flat',
    async prove({ seed, onProgress }) {
      const result = await runSoak({
        cancellations: 100_000,
        seed,
        onProgress: (done) => onProgress(`${done} cancellations`),
      });
      const heapMb = result.figures.heapMb.map((mb) => Math.round(mb)).join(' → ');
      return { figures: { ...plain(result.figures), heapMb }, violations: result.violations };
    },
  },
  {
    name: 'crashes',
    claim: 'the real bundles, killed before and after every request they send, leave nothing undone',
    async prove({ seed, onProgress }) {
      const { figures, violations, table } = await runCrashes({
        seed,
        onProgress: (done, of) => onProgress(`${done} of ${of} cases`),
      });
      return { figures: plain(figures), violations, table };
    },
  },
  {
    name: 'fault matrix',
    claim: 'at every hop every fault that can happen there is met as the design says',
    async prove({ onProgress }) {
      const { figures, violations, table } = await runFaultMatrix({
        onProgress: (done, of) => onProgress(`${done} of ${of} cells`),
      });
      return { figures: plain(figures), violations, table };
    },
  },
  {
    name: 'storm',
    claim: '10,000 duplicates over 100 jobs make 100 cancel calls',
    async prove({ seed, onProgress }) {
      const { figures, violations } = await runStorm({
        requests: 10_000,
        jobs: 100,
        seed,
        onProgress: (done) => onProgress(`${done} requests`),
      });
      return { figures: plain(figures), violations };
    },
  },
  {
    name: 'fuzz',
    claim: 'no input at any door and no answer of Plangrep makes a 5xx, a crash or a false cancelled',
    async prove({ seed, onProgress }) {
      const options = { seed, inputs: 10_000, overHttp: 500, answers: 5_000, onProgress };
      const { figures, violations, table } = await runFuzz(options);
      return { figures: plain(figures), violations, table };
    },
  },
];
