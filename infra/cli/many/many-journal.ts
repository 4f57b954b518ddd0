import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { ManyResult, PlannedOrder } from '../../../client/src/index.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { CannotDo } from '../command.ts';

/** What a run works on: the exact set, and where. */
export interface KeptPlan {
  readonly environment: string;
  readonly partnerId: string;
  /** Of the file of orders, as it was previewed. */
  readonly fileHash: string;
  /** When the preview was made. */
  readonly at: string;
  readonly orders: readonly PlannedOrder[];
}

type Line =
  | { readonly kind: 'plan'; readonly token: string; readonly plan: KeptPlan }
  /** A credential that is borrowed for a run, by its public part. */
  | { readonly kind: 'borrowed' | 'returned'; readonly keyId: string }
  | ({ readonly kind: 'result' } & ManyResult);

/** The file beside the orders that makes a run resumable. Lines are only added, and each is on disk before the next cancel begins. */
export interface ManyJournal {
  readonly path: string;
  readonly kept: { readonly token: string; readonly plan: KeptPlan } | undefined;
  /** The newest of each order. */
  readonly results: readonly ManyResult[];
  /** Credentials of runs that were killed. */
  readonly notReturned: readonly string[];
  append(line: Line): void;
  close(): void;
}

/** Covers everything that a run may touch: a plan or a file that changed has another. */
export function tokenOf({ environment, partnerId, fileHash, at, orders }: KeptPlan): string {
  const set = orders.map(({ externalId, reason, state, jobId }) => [externalId, reason ?? null, state, jobId]);
  return sha256(JSON.stringify([environment, partnerId, fileHash, at, set])).slice(0, 32);
}

/** @throws CannotDo (2) when the file cannot be used */
export function openJournal(ordersPath: string): ManyJournal {
  const path = `${ordersPath}.cancel.jsonl`;
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const lines = text.split('\n').flatMap(parseLine);
  const kept = lines.find((line) => line.kind === 'plan');
  if (kept !== undefined && tokenOf(kept.plan) !== kept.token) {
    throw new CannotDo(2, `The plan in ${path} was changed: move that file away, and preview anew.`);
  }
  const returned = new Set(lines.flatMap((line) => (line.kind === 'returned' ? [line.keyId] : [])));
  const borrowed = lines.flatMap((line) => (line.kind === 'borrowed' ? [line.keyId] : []));
  const results = lines.flatMap((line) => (line.kind === 'result' ? [[line.externalId, line] as const] : []));
  const file = openSync(path, 'a', 0o600);
  const append = (written: string): void => {
    writeSync(file, written);
    fsyncSync(file);
  };
  // What a killed run began to write stays by itself.
  if (text !== '' && !text.endsWith('\n')) append('\n');
  return {
    path,
    kept,
    results: [...new Map(results).values()],
    notReturned: borrowed.filter((keyId) => !returned.has(keyId)),
    append: (line) => append(`${JSON.stringify(line)}\n`),
    close: () => closeSync(file),
  };
}

/** @returns none for half a line. The file is the operator's own: what it says of a plan is checked by its token. */
function parseLine(text: string): readonly Line[] {
  try {
    const line: Line = JSON.parse(text);
    return ['plan', 'borrowed', 'returned', 'result'].includes(line?.kind) ? [line] : [];
  } catch {
    return [];
  }
}
