import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';
import { CannotDo } from './cannot-do.ts';

export interface TerminalOptions {
  readonly json: boolean;
  readonly yes: boolean;
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
  /** Where questions and progress go: never into a pipe with the answer. */
  readonly messages: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** What a command says and asks. */
export interface Terminal {
  readonly json: boolean;
  readonly yes: boolean;
  /** One JSON document with `--json`, the lines without. */
  show(json: unknown, lines: readonly string[]): void;
  /** Asks y/N. @throws CannotDo (2) when nobody can answer and `--yes` was not given, (1) when the answer is no */
  confirm(question: string): Promise<void>;
  /** One line: piped in, or typed without an echo. @throws CannotDo when there is none */
  readSecret(question: string): Promise<string>;
}

/** A stored text may hold anything; a terminal obeys some of it. */
export const printable = (stored: string): string =>
  stored.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** Coloured where `util.styleText` finds a terminal that wants colours. */
export const paint = (style: Parameters<typeof styleText>[0], shown: string): string => styleText(style, shown);

/**
 * Rows under their headings, aligned.
 * @param colour given a row's number and a column's, from 0
 */
export const table = (
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  colour: (row: number, column: number, padded: string) => string = (_row, _column, padded) => padded,
): string[] => {
  const shown = rows.map((row) => row.map(printable));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...shown.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], style: (column: number, padded: string) => string): string =>
    cells
      .map((cell, column) => style(column, column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
  return [
    line(headings, (_column, padded) => paint('dim', padded)),
    ...shown.map((cells, row) => line(cells, (column, padded) => colour(row, column, padded))),
  ];
};

/** How long, roughly: `45 s`, `12 min`, `3 h`, `5 d`. */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
};

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** Speaks to the given streams; the process's own, in life. */
export const createTerminal = ({ json, yes, input, output, messages }: TerminalOptions): Terminal => {
  const isAttended = input.isTTY === true && messages.isTTY === true;

  /** One typed line; nothing when it was abandoned (Ctrl-C, Ctrl-D). */
  const askLine = async (question: string, echo: boolean): Promise<string | undefined> => {
    if (!echo) messages.write(question);
    const lines = createInterface({ input, output: echo ? messages : nowhere(), terminal: true });
    const left = new Promise<undefined>((resolve) => {
      lines.once('SIGINT', () => resolve(undefined));
      lines.once('close', () => resolve(undefined));
    });
    try {
      // What readline writes of a hidden line, its question too, goes nowhere.
      const typed = lines.question(echo ? question : '').catch(() => undefined);
      return await Promise.race([typed, left]);
    } finally {
      lines.close();
      if (!echo) messages.write('\n');
    }
  };

  return {
    json,
    yes,
    show(document, lines) {
      output.write(json ? `${JSON.stringify(document)}\n` : lines.map((line) => `${line}\n`).join(''));
    },
    async confirm(question) {
      if (yes) return;
      if (!isAttended) {
        throw new CannotDo(2, `${question} Nobody can answer here: run it on a terminal, or pass --yes.`);
      }
      const answer = await askLine(`${question} [y/N] `, true);
      if (!/^y(es)?$/i.test(answer?.trim() ?? '')) throw new CannotDo(1, 'Nothing was done.');
    },
    async readSecret(question) {
      const given = isAttended ? await askLine(question, false) : await text(input);
      if (given === undefined || given.trim() === '') throw new CannotDo(2, 'No value came in: nothing was done.');
      return given.trim();
    },
  };
};
