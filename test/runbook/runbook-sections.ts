import { readFileSync } from 'node:fs';

/** The parts of an alarm's section, in their order. */
export const partNames = ['What it means', 'First command', 'What you see', 'What to do', 'Over when'] as const;
export type PartName = (typeof partNames)[number];

/** A section of docs/runbook.md. */
export interface Section {
  readonly title: string;
  /** Undefined for a recurring task. */
  readonly severity: string | undefined;
  readonly text: string;
  /** Empty for what the section does not have. */
  part(name: PartName): string;
  /** Every command, as it is written. */
  readonly commands: readonly string[];
}

/** In other forms: test/runbook/region-down.test.ts and test/tools/ops/rehearse-restore.test.ts play them. */
const inOtherForms = new Set(['The region is down', 'Restoring a table']);

const text = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

/** What stands before the first section. */
export const introduction = text.slice(0, text.indexOf('\n## '));

export const allSections: readonly Section[] = text
  .replaceAll(/^# .*$/gm, '')
  .split(/^## /m)
  .slice(1)
  .map(toSection);
export const sections = allSections.filter(({ title }) => !inOtherForms.has(title));

function toSection(written: string): Section {
  const title = written.slice(0, written.indexOf('\n'));
  return {
    title,
    severity: /^\*\*(page|ticket)\.\*\*/m.exec(written)?.[1],
    text: written,
    part: (name) => partOf(written, name),
    commands: commandsIn(written),
  };
}

function partOf(written: string, name: PartName): string {
  const others = partNames.map((one) => String.raw`\*\*${one}\b`).join('|');
  const pattern = new RegExp(String.raw`\*\*${name}\b([^]*?)(?=${others}|(?![^]))`);
  return pattern.exec(written)?.[1] ?? '';
}

/** The lines of the fenced blocks for a shell. */
export function commandsIn(written: string): readonly string[] {
  const blocks = [...written.matchAll(/^ *(?:\d+\. )?```sh\n([^]*?)^ *```$/gm)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) =>
      block
        .replaceAll(/ \\\n */g, ' ')
        .split('\n')
        .map((line) => line.trim()),
    )
    .filter((line) => line !== '');
}

/** The lines of the fenced blocks that show output. */
export function shownIn(written: string): readonly string[] {
  return [...written.matchAll(/^ *```text\n([^]*?)^ *```$/gm)].flatMap(([, block = '']) => block.trim().split('\n'));
}

/** A command's words, as a shell would hand them over. It has no variable and no nested quotes. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}
