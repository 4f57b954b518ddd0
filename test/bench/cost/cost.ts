import { callsPerPath, type PathCalls } from '../calls/calls-per-path.ts';
import { functions } from '../../../infra/blueprint/functions.ts';
import { listPrices } from './list-prices.ts';
import { unitsPerCancellation } from './monthly-cost.ts';
import {
  type Assumptions,
  type Cost,
  expressWorkflowCost,
  oursCost,
  standardWorkflowCost,
  tutorialCost,
} from './cost-model.ts';
import { measureTutorialCalls } from './cost-tutorial.ts';
import { measured } from './measured.ts';
import { atMost, type BenchPart, type BenchRow } from '../part.ts';

const { memoryMb } = functions['request-cancellation'];
const usual: Assumptions = { plangrepMs: 200, dynamoDbMs: 5, coldShare: 0.01, memoryMb };

/** What is assumed, one thing changed at a time. */
const cases: readonly { readonly what: string; readonly assumed: Assumptions; readonly tutorialMb?: number }[] = [
  { what: `Plangrep 200 ms, ${memoryMb} MB, 1 % cold`, assumed: usual },
  { what: 'Plangrep 50 ms', assumed: { ...usual, plangrepMs: 50 } },
  { what: 'Plangrep 1,000 ms', assumed: { ...usual, plangrepMs: 1_000 } },
  { what: '10 % cold', assumed: { ...usual, coldShare: 0.1 } },
  { what: 'all cold', assumed: { ...usual, coldShare: 1 } },
  { what: '256 MB', assumed: { ...usual, memoryMb: 256 } },
  { what: `1,024 MB for the tutorial stack alone`, assumed: usual, tutorialMb: 1_024 },
];

interface Compared {
  readonly what: string;
  readonly ours: Cost;
  readonly tutorial?: Cost | undefined;
  readonly standard: Cost;
  readonly express: Cost;
}

const compare = (tutorialCalls: PathCalls | undefined): readonly Compared[] =>
  cases.map(({ what, assumed, tutorialMb = assumed.memoryMb }) => ({
    what,
    ours: oursCost(measured.ours, callsPerPath.cancelled, assumed),
    tutorial: tutorialCalls && tutorialCost(measured.tutorial, tutorialCalls, { ...assumed, memoryMb: tutorialMb }),
    standard: standardWorkflowCost(),
    express: expressWorkflowCost(assumed),
  }));

/** The wake-up of `requested` in the index. */
const INDEX_ENTRY = 1;

const dollars = (amount: number): string => `$${amount.toFixed(2)}`;
const parts = ({ compute, dynamoDb, total }: Cost): string =>
  `${dollars(total)} (${dollars(compute)} + ${dollars(dynamoDb)})`;
const times = (ours: Cost, other: Cost): string => `${(ours.total / other.total).toFixed(2)} ×`;

/** For docs/performance.md. */
export const renderCosts = (compared: readonly Compared[]): string => {
  const head = ['per million', 'this service', 'tutorial stack', 'ours by it', 'Standard', 'ours by it', 'Express'];
  const rows = compared.map(({ what, ours, tutorial, standard, express }) => [
    what,
    parts(ours),
    tutorial === undefined ? '' : parts(tutorial),
    tutorial === undefined ? '' : times(ours, tutorial),
    parts(standard),
    times(ours, standard),
    parts(express),
  ]);
  return [head, ['---', ...head.slice(1).map(() => '---:')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
};

const barRows = ([usually]: readonly Compared[]): BenchRow[] => {
  if (usually === undefined) return [];
  const { ours, tutorial, standard } = usually;
  const by = (other: Cost): number => ours.total / other.total;
  return [
    { what: 'this service, Lambda and DynamoDB, per million', figure: parts(ours) },
    ...(tutorial === undefined
      ? []
      : [{ what: 'by the tutorial stack', figure: times(ours, tutorial), bar: atMost(by(tutorial), 0.6, ' ×') }]),
    { what: 'by Step Functions Standard', figure: times(ours, standard), bar: atMost(by(standard), 0.1, ' ×') },
  ];
};

/** Where the money goes, and what a bar would take. */
const unitNotes = (tutorialCalls: PathCalls, [usually]: readonly Compared[]): string[] => {
  const { writeUnits, readUnits } = unitsPerCancellation;
  const { writeUnits: theirs, readUnits: theirReads } = tutorialCalls;
  const ofWakeUp = INDEX_ENTRY + callsPerPath['reconciler, one is closed'].writeUnits;
  const most = 0.6 * (usually?.tutorial?.total ?? 0);
  return [
    `Per cancellation ours takes ${writeUnits} write and ${readUnits} read units, the tutorial stack ${theirs} and ${theirReads}, as counted; ${ofWakeUp} of our ${writeUnits} are the wake-up’s, which makes a crash harmless.`,
    `0.6 × the tutorial stack is ${dollars(most)}; ours for DynamoDB alone, were Lambda free, ${dollars(usually?.ours.dynamoDb ?? 0)}.`,
  ];
};

export const cost: BenchPart = {
  name: 'cost',
  title: `Cost: dollars per million cancellations at list prices (${listPrices.region}, ${listPrices.asOf})`,
  async run({ withBaseline, progress }) {
    const tutorialCalls = withBaseline ? await measureTutorialCalls(progress) : undefined;
    const compared = compare(tutorialCalls);
    return {
      rows: barRows(compared),
      table: renderCosts(compared),
      notes: [
        'Happy path, Lambda or workflow + DynamoDB; API Gateway, authorizer, logs and the key are left out: equal for all.',
        `CPU and cold starts as measured on ${measured.on} (test/bench/cost/measured.ts); a request to DynamoDB is taken as ${usual.dynamoDbMs} ms.`,
        'Ours includes the reconciler, which takes each wake-up away; the other three have none: they lose what was under way in a crash.',
        ...(tutorialCalls === undefined ? [] : unitNotes(tutorialCalls, compared)),
      ],
      json: { assumptions: cases, tutorialCalls, compared },
    };
  },
};
