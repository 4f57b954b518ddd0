import { isDeepStrictEqual } from 'node:util';
import type { AwsStage, OperatorStage, WebStage } from './stage.ts';

/** What was not as it should be. */
export interface Fault {
  readonly seen: string;
  readonly expected: string;
}

/** No fault: it is as it should be. */
export type Outcome = readonly Fault[] | { readonly skipped: string };

/** One thing that the deployment must do, and how to see whether it does. */
export type Check =
  | CheckOf<'https', WebStage>
  | CheckOf<'operator credentials', OperatorStage>
  | CheckOf<'AWS', AwsStage>;
/** What a check needs beside the address of the API. */
export type Needs = Check['needs'];

interface CheckOf<What extends string, Stage> {
  /** `routes.unknown`: also what `--only` takes. */
  readonly id: string;
  /** In one line, for a table. */
  readonly shows: string;
  readonly needs: What;
  /** Where to look when it fails: a file, a page of the documentation, a log. */
  readonly lookAt: string;
  /** It leaves something behind, or sends what a partner would: only in a sandbox. */
  readonly changes?: true;
  /**
   * `beside` the others, since it waits most of the time; `alone`, after all others, since it disturbs them.
   * @default one after the other
   */
  readonly runs?: 'beside' | 'alone';
  /** After which it has failed. @default 60_000 */
  readonly limitMs?: number;
  run(stage: Stage): Promise<Outcome>;
}

export function fault(seen: string, expected: string): readonly Fault[] {
  return [{ seen, expected }];
}

/** Compares two values of any depth. @param what `status`, `header Allow` */
export function same(what: string, seen: unknown, wanted: unknown): readonly Fault[] {
  return isDeepStrictEqual(seen, wanted) ? [] : fault(`${what} ${show(seen)}`, `${what} ${show(wanted)}`);
}

/** @param expected in words */
export function holds(isSo: boolean, seen: string, expected: string): readonly Fault[] {
  return isSo ? [] : fault(seen, expected);
}

/** At most so much of a value is shown. */
const SHOWN = 200;

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
