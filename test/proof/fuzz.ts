import { type EventFigures, fuzzEvents } from './fuzz/fuzz-events.ts';
import { fuzzGateway } from './fuzz/fuzz-gateway.ts';
import { fuzzHttp, type Statuses } from './fuzz/fuzz-http.ts';
import { fuzzUpstream, type UpstreamFigures } from './fuzz/fuzz-upstream.ts';
import { httpDoors } from './fuzz/http-inputs.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Inputs at each door, through the production handlers on memory ports. */
  readonly inputs: number;
  /** Inputs over HTTP through the gateway and the bundles. */
  readonly overHttp: number;
  /** Answers of Plangrep's, through the production client. */
  readonly answers: number;
  readonly onProgress?: (what: string) => void;
}

export interface FuzzOutcome {
  readonly figures: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  readonly table: string;
}

/** So many are worth reading; a broken rule shows in every second input. */
const STOP_AFTER = 20;

/** Fuzz: seeded mutations of valid inputs and answers. A violation names the seed that plays its one input again. */
export const runFuzz = async ({ seed, inputs, overHttp, answers, onProgress }: FuzzOptions): Promise<FuzzOutcome> => {
  const violations: string[] = [];
  const rows: string[] = [];
  const row = (door: string, count: number, ends: Iterable<readonly [string | number, number]>): void => {
    const sorted = [...ends].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    const words = sorted.map(([end, times]) => `${end}: ${times}`).join(', ');
    rows.push(`    ${door.padEnd(28)} ${String(count).padStart(6)}  ${words}`);
  };

  for (const door of httpDoors) {
    onProgress?.(door);
    const statuses: Statuses = new Map();
    for (let n = 0; n < inputs && violations.length < STOP_AFTER; n += 1) {
      violations.push(...(await fuzzHttp(door, seed + n, statuses)));
    }
    row(door, inputs, statuses);
  }
  onProgress?.('events');
  const events: EventFigures = { done: 0, again: 0 };
  for (let n = 0; n < inputs && violations.length < STOP_AFTER; n += 1) {
    violations.push(...(await fuzzEvents(seed + n, events)));
  }
  row('events', inputs, Object.entries(events));

  onProgress?.('the bundles over HTTP');
  const statuses: Statuses = new Map();
  violations.push(...(await fuzzGateway(overHttp, seed, statuses)));
  row('the bundles over HTTP', overHttp, statuses);

  onProgress?.('Plangrep’s answers');
  const upstream: UpstreamFigures = { answers: 0, results: new Map() };
  violations.push(...(await fuzzUpstream(answers, seed, upstream)));
  row('Plangrep’s answers', upstream.answers, upstream.results);

  const figures = { inputs: inputs * (httpDoors.length + 1), overHttp, answers: upstream.answers };
  return { figures, violations, table: rows.join('\n') };
};
