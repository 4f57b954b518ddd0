import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters, styleText } from 'node:util';
import { CannotDo } from './command.ts';

type Style = Parameters<typeof styleText>[0];

/** Coloured where `util.styleText` finds a terminal that wants colours. */
export function paint(style: Style, shown: string): string {
  return styleText(style, shown);
}

/** Escapes control characters: a terminal obeys some of them, and a stored text may hold any. */
export function printable(stored: string): string {
  return stored.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** `12,345` */
export function count(number: number): string {
  return number.toLocaleString('en');
}

/** Roughly how long: `45 s`, `12 min`, `3 h`, `5 d`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** Plain text is made {@link printable}; a coloured cell is ours. */
export type Cell = string | { readonly text: string; readonly style: Style };

/** Rows under their headings, aligned; without headings, the rows alone. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const heading = headings.map((title) => paint('dim', title));
  const shown = rows.map((row) => row.map(showCell));
  return align(headings.length === 0 ? shown : [heading, ...shown]);
}

function showCell(cell: Cell): string {
  return typeof cell === 'string' ? printable(cell) : paint(cell.style, printable(cell.text));
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widthOf = (cell: string): number => stripVTControlCharacters(cell).length;
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const pad = (cell: string, column: number): string => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell));
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}

/** One line for each name, with its value beside it. */
export function labelled(width: number, values: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${paint('dim', name.padEnd(width))}${value}`],
  );
}

export interface Progress {
  show(what: string): void;
  /** Takes away the line of progress before anything else is printed. */
  clear(): void;
}

/**
 * One line that is written over on a terminal. Elsewhere nothing, or with `lineEveryMs` a line now and then.
 * @param stream where it goes
 */
export function createProgress(
  stream: { readonly isTTY?: boolean; write(text: string): unknown },
  { lineEveryMs = Infinity } = {},
): Progress {
  let shownAt = -Infinity;
  let isShown = false;
  return {
    show(what) {
      const isTerminal = stream.isTTY === true;
      if (performance.now() - shownAt < (isTerminal ? 100 : lineEveryMs)) return;
      if (!isTerminal && lineEveryMs === Infinity) return;
      shownAt = performance.now();
      isShown = isTerminal;
      stream.write(isTerminal ? `\r\u001b[2K${paint('dim', what)}` : `${what}\n`);
    },
    clear() {
      if (isShown) stream.write('\r\u001b[2K');
      isShown = false;
    },
  };
}

export interface TerminalOptions {
  readonly json: boolean;
  readonly yes: boolean;
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
  /** Where questions go: never into a pipe with the answer. */
  readonly messages: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** How a command shows its result and asks its user. */
export interface Terminal {
  readonly json: boolean;
  /** For long work: shown where questions go, on a terminal. */
  readonly progress: Progress;
  /** One JSON document with `--json`, the lines without. */
  show(json: unknown, lines: readonly string[]): void;
  /** Asks y/N. @throws CannotDo (2) without a user to answer or `--yes`, (1) when the answer is no */
  confirm(question: string): Promise<void>;
  /** One line: piped in, or typed without an echo. @throws CannotDo (2) when there is none */
  readSecret(question: string): Promise<string>;
}

/** @param options the streams to use: the process's own, except in tests */
export function createTerminal({ json, yes, input, output, messages }: TerminalOptions): Terminal {
  const isAttended = input.isTTY === true && messages.isTTY === true;

  /** @returns undefined when the user left (Ctrl-C, Ctrl-D) */
  async function askLine(question: string, { echo }: { readonly echo: boolean }): Promise<string | undefined> {
    if (!echo) messages.write(question);
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const lines = createInterface({ input, output: echo ? messages : nowhere, terminal: true });
    const left = new Promise<undefined>((resolve) => {
      lines.once('SIGINT', () => resolve(undefined));
      lines.once('close', () => resolve(undefined));
    });
    try {
      const typed = lines.question(echo ? question : '').catch(() => undefined);
      return await Promise.race([typed, left]);
    } finally {
      lines.close();
      if (!echo) messages.write('\n');
    }
  }

  return {
    json,
    progress: createProgress(messages),
    show(document, lines) {
      output.write(json ? `${JSON.stringify(document)}\n` : lines.map((line) => `${line}\n`).join(''));
    },
    async confirm(question) {
      if (yes) return;
      if (!isAttended) throw new CannotDo(2, `${question} No terminal to answer on: run it on one, or pass --yes.`);
      const answer = await askLine(`${question} [y/N] `, { echo: true });
      if (!/^y(es)?$/i.test(answer?.trim() ?? '')) throw new CannotDo(1, 'Nothing was done.');
    },
    async readSecret(question) {
      const given = isAttended ? await askLine(question, { echo: false }) : await text(input);
      if (given === undefined || given.trim() === '') throw new CannotDo(2, 'No value was given: nothing was done.');
      return given.trim();
    },
  };
}
