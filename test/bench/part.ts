/** What `npm run bench` is made of: each part measures one thing and returns rows for the table at the end. */
export interface BenchPart {
  /** For `--only`: one word. */
  readonly name: string;
  /** What is measured, in a line. */
  readonly title: string;
  /** @throws when it cannot measure; a bar that is missed is a result like any other */
  readonly run: (context: BenchContext) => Promise<BenchResult>;
}

export interface BenchContext {
  /** Where every random choice begins. */
  readonly seed: number;
  /** How often the part repeats what it measures, in the part's own unit. @default what its bars need */
  readonly rounds?: number | undefined;
  /** The functions that are measured, by name. @default all */
  readonly functions?: readonly string[] | undefined;
  /** Whether the tutorial baseline is measured too, which needs its packages. */
  readonly withBaseline: boolean;
  /** Tells in a few words what the part is at. */
  readonly progress: (text: string) => void;
}

export interface BenchResult {
  readonly rows: readonly BenchRow[];
  /** Whatever the part has to show beside its rows, laid out: a table with columns of its own. Printed as it is. */
  readonly table?: string;
  /** What a reader must know to read the figures: one sentence each. */
  readonly notes?: readonly string[];
  /** The figures for machines, raw ones too. Goes through `JSON.stringify`. */
  readonly json: unknown;
}

export interface BenchRow {
  readonly what: string;
  /** As shown, with its unit and, where it was measured more than once, its spread. */
  readonly figure: string;
  readonly bar?: Bar | undefined;
}

/** A limit that the figure is held to. */
export interface Bar {
  /** As shown: `≤ 2.6 ×`. */
  readonly limit: string;
  readonly met: boolean;
  readonly stretch?: { readonly limit: string; readonly met: boolean } | undefined;
}

/**
 * The bar "at most `limit`".
 * @param unit as shown behind the limit: `' ×'`, `' KB'`
 */
export const atMost = (figure: number, limit: number, unit = '', stretch?: number): Bar => ({
  limit: `≤ ${limit}${unit}`,
  met: figure <= limit,
  ...(stretch !== undefined && { stretch: { limit: `≤ ${stretch}${unit}`, met: figure <= stretch } }),
});

/** Rows as a Markdown table. @param leftColumns so many columns are aligned left, the others right */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  leftColumns = 1,
): string {
  const alignment = head.map((_, column) => (column < leftColumns ? '---' : '---:'));
  return [head, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
