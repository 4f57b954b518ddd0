import { Random } from './simulation/random.ts';
import { drawLog } from './tampering/draw-log.ts';
import { Attacker, Refused } from './tampering/attacker.ts';
import { forgeriesOfArchive } from './tampering/forgeries-of-archive.ts';
import { forgeriesOfDigests } from './tampering/forgeries-of-digests.ts';
import { forgeriesOfClocks, forgeriesOfKeys } from './tampering/forgeries-of-keys-and-clocks.ts';
import { forgeriesOfRecords } from './tampering/forgeries-of-records.ts';
import { forgeriesOfSettings } from './tampering/forgeries-of-settings.ts';
import { type Finder, type Forgery, judge, type Place, playForgeries, type Played } from './tampering/forgery.ts';
import { Stage } from './tampering/stage.ts';
import { unfindable } from './tampering/unfindable.ts';

export { rowsWithoutForgery, unfindable } from './tampering/unfindable.ts';

/** Every kind of forgery, at every place, by those with the rights and those without. */
export const forgeries: readonly Forgery[] = [
  ...forgeriesOfRecords,
  ...forgeriesOfSettings,
  ...forgeriesOfArchive,
  ...forgeriesOfDigests,
  ...forgeriesOfKeys,
  ...forgeriesOfClocks,
];

export interface TamperingOptions {
  readonly seed: number;
  /** How many random combinations of forgeries are played, each on another log. */
  readonly combinations: number;
  /** On how many random logs nothing is forged. */
  readonly untouched: number;
  /** One of so many forgeries is played; the others are left out. @default 1: all */
  readonly oneOf?: number;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface TamperingResult {
  readonly violations: readonly string[];
  readonly figures: {
    readonly forgeries: number;
    readonly refused: number;
    readonly found: number;
    readonly combinations: number;
    readonly unfindable: number;
    readonly untouched: number;
    /** Records that were audited where nothing was forged. */
    readonly untouchedRecords: number;
    readonly falseAlarms: number;
  };
  /** How many forgeries of each place are found first by what, and how soon. */
  readonly table: string;
}

/**
 * The tampering matrix: each forgery on another random log, by the real parts. A forgery must be found by exactly the
 * checks that the matrix names, as soon as it says; one that the policies or the stores refuse must be refused by the named
 * one, and leave nothing behind. What is listed as not to be found is played too, and must not be. On logs that nothing was
 * done to, nothing may be found.
 */
export async function runTampering(options: TamperingOptions): Promise<TamperingResult> {
  const { seed, combinations, untouched, oneOf = 1, onProgress } = options;
  const random = new Random(seed);
  const nextSeed = (): number => random.between(0, 2 ** 31 - 1);
  const violations: string[] = [];
  const tally = new Map<string, number>();
  const chosen = oneOf === 1 ? forgeries : forgeries.filter(() => random.chance(1 / oneOf));
  const refusable = chosen.filter(({ expected }) => 'refusedBy' in expected);
  const findable = chosen.filter(({ expected }) => !('refusedBy' in expected));
  const of = findable.length + combinations + unfindable.length + untouched + 1;
  let done = 0;
  const step = (): void => onProgress?.((done += 1), of);

  violations.push(...(await playRefused(refusable, nextSeed())));
  for (const { place, expected } of refusable)
    if ('refusedBy' in expected) count(tally, place, `refused by ${expected.refusedBy}`);
  step();
  for (const forgery of findable) {
    const own = nextSeed();
    const played = await play([forgery], own);
    const wrong = typeof played === 'string' ? played : judge(forgery, played);
    if (wrong !== undefined)
      violations.push(`${nameOf(forgery)} (log ${own}): expected ${JSON.stringify(forgery.expected)}, ${wrong}`);
    else if (typeof played !== 'string' && played.kind === 'made') count(tally, forgery.place, firstOf(played));
    step();
  }
  for (let n = 0; n < combinations; n += 1) {
    violations.push(...(await playCombination(random, nextSeed())));
    step();
  }
  for (const forgery of unfindable) {
    const played = await play([forgery], nextSeed());
    const isUnfound = typeof played !== 'string' && played.kind === 'made' && Object.keys(played.found).length === 0;
    if (!isUnfound) violations.push(`${nameOf(forgery)}: listed as not to be found, but ${JSON.stringify(played)}`);
    step();
  }
  let [untouchedRecords, falseAlarms] = [0, 0];
  for (let n = 0; n < untouched; n += 1) {
    const { records, found } = await playUntouched(nextSeed());
    untouchedRecords += records;
    falseAlarms += found.length;
    if (found.length > 0) violations.push(`nothing was forged, but: ${found.join(', ')}`);
    step();
  }
  const figures = {
    forgeries: chosen.length,
    refused: refusable.length,
    found: findable.length,
    combinations,
    unfindable: unfindable.length,
    untouched,
    untouchedRecords,
    falseAlarms,
  };
  return { violations, figures, table: tableOf(tally) };
}

function nameOf({ place, what, by, isUnseen = false }: Pick<Forgery, 'place' | 'what' | 'by' | 'isUnseen'>): string {
  return `${place}: ${what}, by ${by}${isUnseen ? ', while the stream is off' : ''}`;
}

/** What breaks a forgery is shown with it. */
async function play(chosen: Parameters<typeof playForgeries>[0], seed: number): Promise<Played | string> {
  try {
    return await playForgeries(chosen, new Random(seed));
  } catch (error) {
    return `it broke: ${error instanceof Error ? error.stack : String(error)}`;
  }
}

/** On one log: what is refused must leave nothing behind. */
async function playRefused(refusable: readonly Forgery[], seed: number): Promise<readonly string[]> {
  const violations: string[] = [];
  const random = new Random(seed);
  for (const lock of [undefined, 'GOVERNANCE'] as const) {
    const own = refusable.filter((forgery) => forgery.lock === lock);
    if (own.length === 0) continue;
    const stage = await Stage.open({ random, ...(lock !== undefined && { lock }) });
    const log = await drawLog(stage);
    for (const forgery of own) {
      const by = await refuserOf(() =>
        forgery.forge({ stage, log, random, attacker: new Attacker(stage, forgery.by) }),
      );
      const wrong = judge(
        forgery,
        by === undefined ? { kind: 'made', found: {}, soon: undefined } : { kind: 'refused', by },
      );
      if (wrong !== undefined)
        violations.push(`${nameOf(forgery)}: expected ${JSON.stringify(forgery.expected)}, ${wrong}`);
    }
    const found = await lookAt(stage);
    if (found.length > 0) violations.push(`what was refused left something behind: ${found.join(', ')}`);
    await stage.close();
  }
  return violations;
}

async function refuserOf(forge: () => Promise<unknown>): Promise<Refused['by'] | undefined> {
  try {
    await forge();
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.by;
    throw error;
  }
}

/** What all checks find now. */
async function lookAt(stage: Stage): Promise<readonly string[]> {
  await stage.pump();
  const { archive, log, comparison } = await stage.audit();
  return [...stage.alarms, ...archive, ...log, ...comparison];
}

/** Forgeries of one bucket and one table that can follow one another in any order. */
const combinable = forgeries.filter(
  ({ expected, what, place, lock }) =>
    !('refusedBy' in expected) &&
    !what.endsWith(', in a copy') &&
    lock === undefined &&
    (place === 'table' || place === 'archive' || place === 'digests'),
);

/** Two to four forgeries on one log: something must be found, and at once if any of them rings in its batch. */
async function playCombination(random: Random, seed: number): Promise<readonly string[]> {
  const some = Array.from({ length: random.between(2, 4) }, () => combinable[random.between(0, combinable.length - 1)]);
  const chosen = some.filter((forgery) => forgery !== undefined);
  const names = chosen.map(nameOf).join(' + ');
  // What another one has deleted cannot be forged any more.
  const tolerant = chosen.map((forgery) => ({
    ...forgery,
    forge: async (scene: Parameters<Forgery['forge']>[0]) => {
      try {
        return await forgery.forge(scene);
      } catch (error) {
        if (error instanceof Refused || isGone(error)) return undefined;
        throw error;
      }
    },
  }));
  const played = await play(tolerant, seed);
  if (typeof played === 'string') return [`${names} (log ${seed}): ${played}`];
  return played.kind === 'made' && Object.keys(played.found).length > 0
    ? []
    : [`${names} (log ${seed}): found by nothing`];
}

function isGone(error: unknown): boolean {
  return error instanceof Error && /there is no|has every event|has two lines|has digests/.test(error.message);
}

async function playUntouched(seed: number): Promise<{ readonly records: number; readonly found: readonly string[] }> {
  const stage = await Stage.open({ random: new Random(seed) });
  try {
    await drawLog(stage);
    const found = [...(await lookAt(stage))];
    await stage.sealNextHour();
    const { archive, log, comparison, totals } = await stage.audit();
    return { records: totals.records, found: [...found, ...stage.alarms, ...archive, ...log, ...comparison] };
  } finally {
    await stage.close();
  }
}

const inOrder: readonly (readonly [Finder, string])[] = [
  ['trail', 'the alarm on CloudTrail'],
  ['alarm', 'an alarm of the archive’s functions'],
  ['log', 'verify-audit of the table'],
  ['archive', 'verify-audit --archive'],
  ['comparison', 'verify-audit --archive with the table'],
];

function firstOf({ found, soon }: Extract<Played, { kind: 'made' }>): string {
  const isEarly = soon === 'at the next audit';
  const first = inOrder.find(
    ([finder]) => found[finder] !== undefined && !(isEarly && (finder === 'alarm' || finder === 'trail')),
  );
  return `${first?.[1] ?? ''}, ${soon ?? ''}`;
}

function count(tally: Map<string, number>, place: Place, by: string): void {
  const row = `${place.padEnd(9)} ${by}`;
  tally.set(row, (tally.get(row) ?? 0) + 1);
}

function tableOf(tally: ReadonlyMap<string, number>): string {
  return [...tally].map(([row, times]) => `${String(times).padStart(6)}  ${row}`).join('\n');
}
