import type { Random } from '../simulation/random.ts';
import { Attacker, Refused } from './attacker.ts';
import { type DrawnLog, drawLog } from './draw-log.ts';
import type { Actor, Refuser } from './rights.ts';
import { Stage } from './stage.ts';

export type Place = 'table' | 'settings' | 'archive' | 'digests' | 'keys' | 'clocks';

/** By what a forgery is found. */
export interface Finders {
  /** An alarm by archive-records, within the batch, or by seal-archive, with its next digest. */
  readonly alarm?: string;
  /** An alarm on CloudTrail. */
  readonly trail?: string;
  /** verify-audit --archive, in the archive alone. */
  readonly archive?: string;
  /** verify-audit of the table alone. */
  readonly log?: string;
  /** verify-audit --archive, by holding the table against the archive. */
  readonly comparison?: string;
}
export type Finder = keyof Finders;

/** When the first of them finds it. */
export type Soon =
  | 'at the write'
  | 'in its batch'
  | 'at the next audit'
  | 'with the next digest'
  | 'with the second next digest';

/** Each finder with a code that is among what it finds: the others find nothing, but for one that may find more. */
export type Expected = { readonly refusedBy: Refuser } | (Finders & { readonly soon: Soon; readonly also?: Finder });

export interface Scene {
  readonly stage: Stage;
  readonly log: DrawnLog;
  readonly random: Random;
  readonly attacker: Attacker;
}

export interface Forgery {
  readonly place: Place;
  /** What the attacker does. */
  readonly what: string;
  readonly by: Actor;
  /** The change does not reach archive-records: the stream was off, or the function stopped for a day. */
  readonly isUnseen?: boolean;
  readonly lock?: 'GOVERNANCE';
  /** @returns the folder with the copy that an auditor is handed, where the archive's copy is forged */
  readonly forge: (scene: Scene) => Promise<string | undefined | void>;
  readonly expected: Expected;
}

export type Played =
  | { readonly kind: 'refused'; readonly by: Refuser }
  | {
      readonly kind: 'made';
      readonly found: Readonly<Partial<Record<Finder, readonly string[]>>>;
      readonly soon: Soon | undefined;
    };

/** Draws a log, makes the forgeries on it, and lets every check look: at once, and after each of the next two digests. */
export async function playForgeries(forgeries: readonly Omit<Forgery, 'expected'>[], random: Random): Promise<Played> {
  const lock = forgeries.find((forgery) => forgery.lock !== undefined)?.lock;
  const stage = await Stage.open({ random, ...(lock !== undefined && { lock }) });
  try {
    const log = await drawLog(stage);
    let copy: string | undefined;
    for (const forgery of forgeries) {
      await stage.pump();
      copy = (await forgery.forge({ stage, log, random, attacker: new Attacker(stage, forgery.by) })) ?? copy;
      if (forgery.isUnseen === true) await stage.loseStream();
    }
    return { kind: 'made', ...(await look(stage, copy)) };
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', by: error.by };
    throw error;
  } finally {
    await stage.close();
  }
}

async function look(stage: Stage, copy: string | undefined) {
  const found: Partial<Record<Finder, string[]>> = {};
  let soon: Soon | undefined;
  const note = (finder: Finder, codes: readonly string[], when: Soon): void => {
    if (codes.length === 0) return;
    found[finder] = [...(found[finder] ?? []), ...codes];
    soon ??= when;
  };
  const audit = async (when: Soon): Promise<void> => {
    const { archive, log, comparison } = await stage.audit({ copy });
    note('archive', archive, when);
    note('log', log, when);
    note('comparison', comparison, when);
  };
  await stage.pump();
  note('trail', stage.trail.splice(0), 'at the write');
  note('alarm', stage.alarms.splice(0), 'in its batch');
  await audit('at the next audit');
  if (copy !== undefined) return { found, soon };
  for (const when of ['with the next digest', 'with the second next digest'] as const) {
    await stage.sealNextHour();
    note('alarm', stage.alarms.splice(0), when);
    await audit(when);
  }
  return { found, soon };
}

/** What is not as expected; nothing: all is. */
export function judge({ expected }: Forgery, played: Played): string | undefined {
  if (played.kind === 'refused') {
    return 'refusedBy' in expected && expected.refusedBy === played.by ? undefined : `refused by ${played.by}`;
  }
  const { found, soon } = played;
  const shown = `found ${soon ?? 'by nothing'}: ${JSON.stringify(found)}`;
  if ('refusedBy' in expected) return `not refused; ${shown}`;
  const { soon: expectedSoon, also, ...finders } = expected;
  const names = new Set([...Object.keys(finders), ...Object.keys(found)]) as ReadonlySet<Finder>;
  const isAsExpected = [...names].every((name) => {
    const code = finders[name];
    return code === undefined ? name === also : found[name]?.includes(code) === true;
  });
  return isAsExpected && soon === expectedSoon ? undefined : shown;
}
