import { paginateScan } from '@aws-sdk/client-dynamodb';
import type { FunctionName } from '../../infra/blueprint/functions.ts';
import { type CrashCase, type CrashResult, type Crew, playCrash } from './crash/crash-case.ts';
import { type Door, doors } from './crash/doors.ts';
import { lookingDoors } from './crash/looking-doors.ts';
import { openStage, type Stage } from './crash/stage.ts';
import { Random } from './simulation/random.ts';

export interface CrashOptions {
  /** The cases of a short form are drawn by it. */
  readonly seed: number;
  /** How many crash points are played. @default all */
  readonly atMost?: number;
  /** @default all */
  readonly doorNames?: readonly string[];
  /** Worlds that are played in at the same time. @default 3 */
  readonly stages?: number;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface CrashOutcome {
  readonly figures: {
    readonly doors: number;
    readonly crashPoints: number;
    readonly recovered: number;
    readonly longestRecoveryMs: number;
    /** Times that an engine came back from disk between a crash and its recovery, with all it had. */
    readonly restarts: number;
  };
  readonly violations: readonly string[];
  readonly table: string;
}

interface Played extends CrashCase {
  readonly result: CrashResult;
}

/**
 * Crash at every step: the real bundles on an engine on disk, killed (SIGKILL) before and after every request they send,
 * at every door; then time passes, the reconciler runs, and the cancellation must have ended rightly.
 */
export const runCrashes = async (options: CrashOptions): Promise<CrashOutcome> => {
  const { seed, atMost, doorNames, stages: count = 3, onProgress } = options;
  const chosen = [...doors, ...lookingDoors].filter(({ name }) => doorNames?.includes(name) ?? true);
  const stages = await Promise.all(Array.from({ length: count }, openStage));
  try {
    const crews = await Promise.all(stages.map(async (stage) => [stage, await startCrew(stage)] as const));
    const played: Played[] = [];
    const whole = chosen.map((door): CrashCase => ({ door, n: 0, side: 'before', repeats: true }));
    let restarts = 0;
    const play = (cases: readonly CrashCase[], restartAt: number): Promise<void> => {
      const waiting = [...cases];
      const work = async ([stage, crew]: readonly [Stage, Crew]): Promise<void> => {
        let hasRestarted = restartAt === 0;
        let next = waiting.shift();
        let starting = next && stage.start(next.door.functionName);
        while (next !== undefined && starting !== undefined) {
          const current = next;
          const doomed = await starting;
          next = waiting.shift();
          // While this case is played, the process that the next one kills comes up: it fetches the key, and nothing else.
          starting = next && stage.start(next.door.functionName);
          const isRestart = !hasRestarted && waiting.length <= restartAt;
          hasRestarted ||= isRestart;
          const result = await playCrash(stage, crew, doomed, current, isRestart ? () => restart(stage) : undefined);
          if (isRestart) restarts += 1;
          played.push({ ...current, result });
          onProgress?.(played.length, chosen.length + cases.length);
        }
      };
      return Promise.all(crews.map(work)).then(() => undefined);
    };
    await play(whole, 0);
    const points = chosen.flatMap((door) => pointsOf(door, played));
    const drawn = atMost === undefined ? points : draw(points, atMost, new Random(seed));
    await play(drawn, Math.floor(drawn.length / 2));
    return summarize(chosen, played, restarts);
  } finally {
    await Promise.all(stages.map((stage) => stage.close()));
  }
};

const crewNames = [
  'request-cancellation',
  'consume-events',
  'consume-wake-ups',
  'register-job',
  'reconcile-cancellations',
] as const;
const startCrew = async (stage: Stage): Promise<Crew> =>
  Object.fromEntries(
    await Promise.all(crewNames.map(async (name: FunctionName) => [name, await stage.start(name)])),
  ) as Crew;

/** Every step of a door's undisturbed run, both sides, and who may repeat. */
const pointsOf = (door: Door, played: readonly Played[]): CrashCase[] => {
  const steps = played.find((one) => one.door === door)?.result.steps ?? 0;
  const repeats = door.caller === 'https' ? [true, false] : [door.caller === 'queue'];
  return Array.from({ length: steps }, (_, n) => n + 1).flatMap((n) =>
    (['before', 'after'] as const).flatMap((side) => repeats.map((again) => ({ door, n, side, repeats: again }))),
  );
};

const draw = (points: readonly CrashCase[], atMost: number, random: Random): CrashCase[] =>
  points
    .map((point) => ({ point, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, atMost)
    .map(({ point }) => point);

/** What was durable before is there afterwards, and nothing else. */
const restart = async (stage: Stage): Promise<void> => {
  const before = await dump(stage);
  await stage.restartEngine();
  if ((await dump(stage)) !== before) throw new Error('the engine came back from disk with other data');
};

const dump = async ({ dynamodb: { client, tableNames } }: Stage): Promise<string> => {
  const found: string[] = [];
  for (const TableName of Object.values(tableNames)) {
    for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
      found.push(...Items.map((item) => JSON.stringify(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))));
    }
  }
  return found.sort().join('\n');
};

const summarize = (chosen: readonly Door[], played: readonly Played[], restarts: number): CrashOutcome => {
  const violations: string[] = [];
  const rows = [
    `    ${'door'.padEnd(42)} steps  crashes  recovered  longest  cancel calls`,
    ...chosen.map((door) => {
      const own = played.filter((one) => one.door === door);
      const crashes = own.filter(({ n }) => n > 0);
      for (const { n, side, repeats, result } of own) {
        const where = n === 0 ? 'undisturbed' : `${side} step ${n}, ${repeats ? 'repeated' : 'not repeated'}`;
        if (n > 0 && !result.died) violations.push(`${door.name}, ${where}: it never came to that step`);
        for (const what of result.wrong) violations.push(`${door.name}, ${where}: ${what}`);
      }
      const recovered = crashes.filter(({ result }) => result.died && result.wrong.length === 0).length;
      const longest = Math.max(0, ...crashes.map(({ result }) => result.virtualMs));
      const calls = Math.max(0, ...own.map(({ result }) => result.cancelCalls));
      const steps = own.find(({ n }) => n === 0)?.result.steps ?? 0;
      const cells = [String(steps).padStart(5), String(crashes.length).padStart(7), String(recovered).padStart(9)];
      return `    ${door.name.padEnd(42)} ${cells.join('  ')}  ${String(Math.round(longest / 1000)).padStart(5)} s  ≤ ${calls}`;
    }),
  ];
  const crashes = played.filter(({ n }) => n > 0);
  const figures = {
    doors: chosen.length,
    crashPoints: crashes.length,
    recovered: crashes.filter(({ result }) => result.died && result.wrong.length === 0).length,
    longestRecoveryMs: Math.max(0, ...crashes.map(({ result }) => result.virtualMs)),
    restarts,
  };
  return { figures, violations, table: rows.join('\n') };
};
