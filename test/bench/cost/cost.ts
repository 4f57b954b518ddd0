import { keyVariables } from '../../../infra/local/aws/access-keys.ts';
import { functions } from '../../../infra/blueprint/functions.ts';
import { startContainer } from '../../../infra/local/aws/lambda/container.ts';
import { openStage } from '../../proof/crash/stage.ts';
import { callsPerPath, type PathCalls } from '../calls/calls-per-path.ts';
import { beginCounting } from '../calls/count-calls.ts';
import { buildContenders } from '../contenders/build-contenders.ts';
import { baseline, createBaselineTables, defineContainer, isWholePath } from '../contenders/contenders.ts';
import { atMost, type BenchPart, type BenchRow, markdownTable } from '../part.ts';
import {
  type Assumptions,
  type Cost,
  expressWorkflowCost,
  measured,
  oursCost,
  standardWorkflowCost,
  tutorialCost,
  unitsPerCancellation,
} from './cost-model.ts';
import { listPrices } from './list-prices.ts';

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
        'Happy path, Lambda or workflow + DynamoDB. Not included: API Gateway, authorizer, logs and the key, which cost the same for all.',
        `CPU and cold starts as measured on ${measured.on} (test/bench/cost/cost-model.ts). Assumed for a request to DynamoDB: ${usual.dynamoDbMs} ms.`,
        'Ours includes the reconciler, which removes each wake-up. The other three have none: a crash loses the cancellation that was under way.',
        ...(tutorialCalls === undefined ? [] : unitNotes(tutorialCalls, compared)),
      ],
      json: { assumptions: cases, tutorialCalls, compared },
    };
  },
};

/** What the tutorial stack asks of its tables for one warm cancel: counted like ours. */
async function measureTutorialCalls(progress: (text: string) => void): Promise<PathCalls> {
  const built = await buildContenders(true, progress);
  const stage = await openStage();
  try {
    const [contender] = baseline(built);
    if (contender === undefined) throw new Error('the tutorial stack was not built');
    await createBaselineTables(stage.dynamodb.client);
    const container = await startContainer(
      defineContainer(contender, stage.tap.urls, built.bootstrap, keyVariables(stage.dynamodb.accessKey)),
    );
    const cancel = async (event: unknown): Promise<void> => {
      const result = await container.invoke(event);
      if (result.kind === 'answered' && isWholePath(result.payload)) return;
      throw new Error(`the tutorial stack: ${JSON.stringify(result)}`);
    };
    try {
      await cancel(await contender.prepare(stage));
      const event = await contender.prepare(stage);
      const end = beginCounting(stage);
      await cancel(event);
      return await end();
    } finally {
      container.kill();
      await container.ended;
    }
  } finally {
    await stage.close();
    await built.remove();
  }
}

const { memoryMb } = functions['request-cancellation'];
const usual: Assumptions = { plangrepMs: 200, dynamoDbMs: 5, coldShare: 0.01, memoryMb };

/** What is assumed, with one change at a time. */
const cases: readonly { readonly what: string; readonly assumed: Assumptions; readonly tutorialMb?: number }[] = [
  { what: `Plangrep 200 ms, ${memoryMb} MB, 1 % cold`, assumed: usual },
  { what: 'Plangrep 50 ms', assumed: { ...usual, plangrepMs: 50 } },
  { what: 'Plangrep 1,000 ms', assumed: { ...usual, plangrepMs: 1_000 } },
  { what: '10 % cold', assumed: { ...usual, coldShare: 0.1 } },
  { what: 'all cold', assumed: { ...usual, coldShare: 1 } },
  { what: '256 MB', assumed: { ...usual, memoryMb: 256 } },
  { what: '1,024 MB for the tutorial stack alone', assumed: usual, tutorialMb: 1_024 },
];

interface Compared {
  readonly what: string;
  readonly ours: Cost;
  readonly tutorial?: Cost | undefined;
  readonly standard: Cost;
  readonly express: Cost;
}

function compare(tutorialCalls: PathCalls | undefined): readonly Compared[] {
  return cases.map(({ what, assumed, tutorialMb = assumed.memoryMb }) => ({
    what,
    ours: oursCost(measured.ours, callsPerPath.cancelled, assumed),
    tutorial: tutorialCalls && tutorialCost(measured.tutorial, tutorialCalls, { ...assumed, memoryMb: tutorialMb }),
    standard: standardWorkflowCost(),
    express: expressWorkflowCost(assumed),
  }));
}

function barRows([usually]: readonly Compared[]): BenchRow[] {
  if (usually === undefined) return [];
  const { ours, tutorial, standard } = usually;
  const by = (what: string, other: Cost, limit: number): BenchRow => {
    return { what, figure: times(ours, other), bar: atMost(ours.total / other.total, limit, ' ×') };
  };
  return [
    { what: 'this service, Lambda and DynamoDB, per million', figure: parts(ours) },
    ...(tutorial === undefined ? [] : [by('by the tutorial stack', tutorial, 0.6)]),
    by('by Step Functions Standard', standard, 0.1),
  ];
}

function renderCosts(compared: readonly Compared[]): string {
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
  return markdownTable(head, rows);
}

/** The wake-up of `requested` in the index. */
const INDEX_ENTRY = 1;

/** What the money is spent on, and what it would take to meet the bar. */
function unitNotes(tutorialCalls: PathCalls, [usually]: readonly Compared[]): string[] {
  const { writeUnits, readUnits } = unitsPerCancellation;
  const { writeUnits: theirs, readUnits: theirReads } = tutorialCalls;
  const ofWakeUp = INDEX_ENTRY + callsPerPath['reconciler, one is closed'].writeUnits;
  const most = 0.6 * (usually?.tutorial?.total ?? 0);
  return [
    `Per cancellation ours takes ${writeUnits} write and ${readUnits} read units, the tutorial stack ${theirs} and ${theirReads}, as counted; ${ofWakeUp} of our ${writeUnits} are the wake-up’s, which makes a crash harmless.`,
    `0.6 × the tutorial stack is ${dollars(most)}; ours for DynamoDB alone, without Lambda, ${dollars(usually?.ours.dynamoDb ?? 0)}.`,
  ];
}

function parts({ compute, dynamoDb, total }: Cost): string {
  return `${dollars(total)} (${dollars(compute)} + ${dollars(dynamoDb)})`;
}

function times(ours: Cost, other: Cost): string {
  return `${(ours.total / other.total).toFixed(2)} ×`;
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}
