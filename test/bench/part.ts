/** One part of `npm run bench`: it measures one thing and returns rows for the table at the end. */
export interface BenchPart {
  /** For `--only`: one word. */
  readonly name: string;
  /** What is measured, in a line. */
  readonly title: string;
  /** @throws Error when it cannot measure; a missed bar is a normal result */
  readonly run: (context: BenchContext) => Promise<BenchResult>;
}

export interface BenchContext {
  /** The seed of every random choice. */
  readonly seed: number;
  /** How often the part repeats what it measures, in the part's own unit. @default what its bars need */
  readonly rounds?: number | undefined;
  /** The functions that are measured, by name. @default all */
  readonly functions?: readonly string[] | undefined;
  /** Whether to measure the tutorial baseline too, whose packages may have to be installed. */
  readonly withBaseline: boolean;
  /** Takes a few words about what the part is doing. */
  readonly progress: (text: string) => void;
}

export interface BenchResult {
  readonly rows: readonly BenchRow[];
  /** A table with the part's own columns, in Markdown, printed below the rows. */
  readonly table?: string;
  /** What a reader must know to understand the figures: one sentence each. */
  readonly notes?: readonly string[];
  /** The figures for machines, raw ones too: `JSON.stringify` writes them. */
  readonly json: unknown;
}

export interface BenchRow {
  readonly what: string;
  /** As shown, with its unit and, if it was measured more than once, its spread. */
  readonly figure: string;
  readonly bar?: Bar | undefined;
}

/** The limit for a figure. */
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
export function atMost(figure: number, limit: number, unit = '', stretch?: number): Bar {
  return {
    limit: `≤ ${limit}${unit}`,
    met: figure <= limit,
    ...(stretch !== undefined && { stretch: { limit: `≤ ${stretch}${unit}`, met: figure <= stretch } }),
  };
}

/** Rows as a Markdown table. @param leftColumns so many columns are aligned left, the others right */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  leftColumns = 1,
): string {
  const alignment = head.map((_, column) => (column < leftColumns ? '---' : '---:'));
  return [head, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
