import { styleText } from 'node:util';
import type { Finding } from '../../functions/core/audit/findings.ts';
import type { Timestamp } from '../../functions/core/identifiers.ts';

export interface AuditSummary {
  readonly table: string;
  /** The endpoint or the region. */
  readonly place: string;
  readonly streams: number;
  readonly closed: number;
  readonly events: number;
  readonly joined: number;
  readonly refused: number;
  readonly findings: number;
  readonly heads: {
    readonly digest: string;
    /** How many streams are in it. */
    readonly streams: number;
    readonly closedBefore?: Timestamp | undefined;
  };
}

export interface Output {
  finding(finding: Finding): void;
  progress(items: number, total: number | undefined): void;
  summary(summary: AuditSummary): void;
}

/** A stored key may hold anything; a terminal obeys some of it. */
const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const printJson: Output = {
  finding: (finding) => print(JSON.stringify({ kind: 'finding', ...finding })),
  progress: () => undefined,
  summary: (summary) => print(JSON.stringify({ kind: 'summary', ok: summary.findings === 0, ...summary })),
};

const count = (number: number): string => number.toLocaleString('en');
const label = (text: string): string => styleText('dim', text.padEnd(10));

const summaryLines = ({ table, place, streams, closed, findings, heads, ...records }: AuditSummary): string[] => {
  const { digest, closedBefore } = heads;
  const which = closedBefore === undefined ? '' : `, closed before ${closedBefore}`;
  const end =
    findings === 0
      ? styleText('green', 'Nothing found: every chain holds.')
      : styleText(['bold', 'red'], `${count(findings)} ${findings === 1 ? 'finding' : 'findings'}.`);
  return [
    `${label('log')}${table} (${place})`,
    `${label('streams')}${count(streams)} ${styleText('dim', `(${count(closed)} closed)`)}`,
    ...(['events', 'joined', 'refused'] as const).map((name) => `${label(name)}${count(records[name])}`),
    `${label('heads')}${digest} ${styleText('dim', `(${count(heads.streams)} streams${which})`)}`,
    end,
  ];
};

const createTextOutput = (): Output => {
  // Only where a person watches: a line that is written over.
  let shown = false;
  let shownAt = performance.now();
  const clear = (): void => {
    if (shown) process.stderr.write('\r\u001b[K');
    shown = false;
  };
  return {
    finding({ code, stream, seq, record, what }) {
      clear();
      const where = seq === undefined ? (record ?? '') : `event ${seq}`;
      const aligned = styleText(['bold', 'red'], code.padEnd(13));
      print(`${aligned} ${printable(stream)}  ${styleText('dim', printable(where))}`);
      print(`${''.padEnd(13)} ${printable(what)}`);
    },
    progress(items, total) {
      if (!process.stderr.isTTY || performance.now() - shownAt < 200) return;
      shownAt = performance.now();
      const of = total !== undefined && total > items ? ` of about ${count(total)}` : '';
      process.stderr.write(`\r\u001b[K${count(items)}${of} items read …`);
      shown = true;
    },
    summary(summary) {
      clear();
      if (summary.findings > 0) print('');
      for (const line of summaryLines(summary)) print(line);
    },
  };
};

/** For people, coloured where `util.styleText` finds a terminal that wants colours; or one line of JSON for each thing. */
export const createOutput = (json: boolean): Output => (json ? printJson : createTextOutput());
