import type { Container } from '../../infra/local/aws/lambda/container.ts';
import { openStage, type Stage } from './crash/stage.ts';
import { type FaultName, faultNames } from './fault-matrix/faults.ts';
import { playCallbackCells } from './fault-matrix/callback-cells.ts';
import { awsHops, type Hop, plangrepHops, wakeUpHops } from './fault-matrix/hops.ts';
import { type CellResult, type Helpers, playCell } from './fault-matrix/play-cell.ts';
import { playQueueCells, type QueueCell } from './fault-matrix/queue-cells.ts';

export interface FaultMatrixOptions {
  /** @default all */
  readonly faults?: readonly FaultName[];
  /** What partners' endpoints do, by name. @default all */
  readonly endpoints?: readonly string[];
  /** Worlds that are played in at the same time. @default 5 */
  readonly stages?: number;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface FaultMatrixOutcome {
  readonly figures: { readonly cells: number; readonly recovered: number; readonly impossible: number };
  readonly violations: readonly string[];
  readonly table: string;
}

interface Cell {
  readonly hop: Hop;
  readonly fault: FaultName;
}
interface Played extends Cell {
  readonly result: CellResult;
}

/** A process that met many faults has its SDK's retries used up: a fresh one now and then is what Lambda would have. */
const CELLS_A_PROCESS = 10;

/**
 * Fault matrix: every hop × every fault that can happen there, through the real bundles. The answer must be one that the
 * design allows; then the fault ends, the reconciler runs, and the cancellation must close as the job really ended. Partners'
 * endpoints are a hop of their own kind: what they do must be on record, and lose nothing.
 */
export const runFaultMatrix = async (options: FaultMatrixOptions = {}): Promise<FaultMatrixOutcome> => {
  const { faults = faultNames, endpoints, stages: count = 5, onProgress } = options;
  const hops = [...awsHops, ...wakeUpHops, ...plangrepHops];
  // The slow ones first, so that no stage is left alone with them in the end.
  const cells = faultNames
    .filter((fault) => faults.includes(fault))
    .flatMap((fault) => hops.map((hop) => ({ hop, fault })));
  const waiting = [...cells];
  const played: Played[] = [];
  let others: readonly (readonly QueueCell[])[] = [];
  const stages = await Promise.all(Array.from({ length: count }, openStage));
  const work = async (stage: Stage): Promise<void> => {
    const helpers: Helpers = {
      repeater: await stage.start('request-cancellation'),
      reconciler: await stage.start('reconcile-cancellations'),
    };
    const workers = new Map<string, { container: Container; uses: number }>();
    const workerFor = async ({ hop, fault }: Cell): Promise<Container> => {
      const known = workers.get(hop.functionName);
      const mustBeFresh = hop.isCold === true || fault === 'refused' || (known?.uses ?? 0) >= CELLS_A_PROCESS;
      if (known !== undefined && !mustBeFresh) {
        known.uses += 1;
        return known.container;
      }
      known?.container.kill();
      const container = await stage.start(hop.functionName, hop.isCold === true ? 'key under way' : 'key waited for');
      workers.set(hop.functionName, { container, uses: 1 });
      return container;
    };
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const result = await playCell(stage, helpers, () => workerFor(cell), cell.hop, cell.fault);
      played.push({ ...cell, result });
      onProgress?.(played.length, cells.length);
    }
  };
  try {
    const [first] = stages;
    await Promise.all(stages.map(work));
    if (first !== undefined) others = [await playQueueCells(first), await playCallbackCells(first, endpoints)];
  } finally {
    await Promise.all(stages.map((stage) => stage.close()));
  }
  return summarize(played, others, faults);
};

const FAULT_WIDTH = 17;
const COLUMN_WIDTH = 9;

const summarize = (
  played: readonly Played[],
  [queue = [], endpoints = []]: readonly (readonly QueueCell[])[],
  faults: readonly FaultName[],
): FaultMatrixOutcome => {
  const whys: string[] = [];
  const noteOf = (why: string): string => {
    if (!whys.includes(why)) whys.push(why);
    return `(${String.fromCharCode(97 + whys.indexOf(why))})`;
  };
  const show = ({ shown, why, wrong }: CellResult): string =>
    why === undefined ? `${wrong.length === 0 ? '' : '✗ '}${shown}` : noteOf(why);
  const grid = (hops: readonly Hop[]): string[] => [
    `    ${''.padEnd(FAULT_WIDTH)}${hops.map(({ name }) => name.padEnd(COLUMN_WIDTH)).join('')}`,
    ...faultNames
      .filter((fault) => faults.includes(fault))
      .map((fault) => {
        const row = hops.map((hop) => played.find((one) => one.hop === hop && one.fault === fault));
        const shown = row.map((cell) => (cell === undefined ? '' : show(cell.result)).padEnd(COLUMN_WIDTH));
        return `    ${fault.padEnd(FAULT_WIDTH)}${shown.join('')}`;
      }),
    ...hops.map(({ name, what }) => `      ${name}: ${what}`),
  ];
  const aws = grid(awsHops);
  const wakeUps = grid(wakeUpHops);
  const plangrep = grid(plangrepHops);
  const list = (cells: readonly QueueCell[]): string[] =>
    cells.map(({ name, result }) => `    ${name.padEnd(FAULT_WIDTH)} ${result.why ?? show(result)}`);
  const notes = whys.map((why) => `      ${noteOf(why)} cannot happen: ${why}`);
  const all = [
    ...played.map(({ hop, fault, result }) => ({ name: `${hop.name} × ${fault}`, result })),
    ...queue.map(({ name, result }) => ({ name: `queue × ${name}`, result })),
    ...endpoints.map(({ name, result }) => ({ name: `endpoint × ${name}`, result })),
  ];
  const possible = all.filter(({ result }) => result.why === undefined);
  return {
    figures: {
      cells: possible.length,
      recovered: possible.filter(({ result }) => result.wrong.length === 0).length,
      impossible: all.length - possible.length,
    },
    violations: all.flatMap(({ name, result }) => result.wrong.map((what) => `${name}: ${what}`)),
    table: [
      [...aws, ''],
      [...wakeUps, ''],
      [...plangrep, ...notes],
      ['', '    a message from the queue', ...list(queue)],
      ['', '    a partner’s endpoint, called with what happened', ...list(endpoints)],
    ]
      .flat()
      .join('\n'),
  };
};
