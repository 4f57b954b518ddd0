import { execFile, execFileSync } from 'node:child_process';
import { afterAll, expect } from 'vitest';
import { keyVariables } from '../../infra/local/aws/access-keys.ts';
import { localRegion } from '../../infra/local/aws/loopback.ts';
import type { Ops } from '../support/given-ops.ts';
import type { Ended } from '../support/run-command.ts';
import { commandsIn, introduction, type Section, sections, shownIn, wordsOf } from './runbook-sections.ts';
import { onlyInAws, type Theme, themes } from './runbook-themes.ts';

type Values = Readonly<Partial<Record<string, string>>>;

/** One section, while an operator follows it. */
export interface Followed {
  /** Pastes the first command. Its output must have the lines that "What you see" shows, if the cause can be injected here. */
  first(): Promise<Ended>;
  /** Types a command of the section, as it is written there, with the operator's values in the places of `<…>`. */
  type(command: string, values?: Values, stdin?: string): Promise<Ended>;
  /** Types the commands of "Over when", as if they looked back just to the repair. */
  over(values?: Values): Promise<readonly Ended[]>;
  /** From now on the cause is gone. */
  repaired(): void;
}

/** The sections of a theme, beside a running service. After the tests each of their commands must have been typed. */
export function givenRunbook(ops: Ops, theme: Theme): (title: string) => Followed {
  const typed = new Map<string, Set<string>>();
  afterAll(() => {
    for (const title of themes[theme]) {
      const { commands } = sectionCalled(title);
      const done = typed.get(title) ?? new Set();
      expect({ title, notTyped: commands.filter((command) => !done.has(command)) }).toEqual({ title, notTyped: [] });
    }
  });

  return (title) => {
    const section = sectionCalled(title);
    const done = new Set<string>();
    typed.set(title, done);
    let repairedAt = Date.now();
    const run = (command: string, values: Values = {}, stdin = ''): Promise<Ended> => {
      if (!section.commands.includes(command)) throw new Error(`"${title}" has no command ${command}`);
      done.add(command);
      return typeInto(
        ops,
        wordsOf(command).map((word) => fill(word, values)),
        stdin,
      );
    };
    return {
      async first() {
        const [command = '', ...more] = commandsIn(section.part('First command'));
        expect(more).toEqual([]);
        const ended = await run(command);
        if (!(title in onlyInAws)) expectShown(section, ended);
        return ended;
      },
      type: run,
      async over(values = {}) {
        const since = `--since ${new Date(repairedAt).toISOString()}`;
        const ends: Ended[] = [];
        for (const command of commandsIn(section.part('Over when'))) {
          done.add(command);
          const words = wordsOf(command.replace(/--since \S+/, since));
          ends.push(
            await typeInto(
              ops,
              words.map((word) => fill(word, values)),
              '',
            ),
          );
        }
        return ends;
      },
      repaired: () => {
        repairedAt = Date.now();
      },
    };
  };
}

/** Types the commands that stand before the first section. */
export function typeIntroduction(ops: Ops): Promise<readonly Ended[]> {
  return Promise.all(commandsIn(introduction).map((command) => typeInto(ops, wordsOf(command), '')));
}

function sectionCalled(title: string): Section {
  const section = sections.find((one) => one.title === title);
  if (section === undefined) throw new Error(`docs/runbook.md has no section "${title}"`);
  return section;
}

function fill(word: string, values: Values): string {
  const filled = Object.entries(values).reduce((text, [name, value = '']) => text.replaceAll(`<${name}>`, value), word);
  const missing = /<\w+>/.exec(filled);
  if (missing !== null) throw new Error(`No value for ${missing[0]}`);
  return filled;
}

/** The local run is no environment, needs no role, and no one is there to confirm. */
function typeInto(ops: Ops, words: readonly string[], stdin: string): Promise<Ended> {
  // What a pipe brings is `stdin`.
  const typed = words.slice(words.lastIndexOf('|') + 1);
  const [program, ...args] = typed.filter((word) => !word.startsWith('AWS_PROFILE=') && word !== '--silent');
  if (program === 'aws') return typeAws(ops, args);
  const line = args.join(' ');
  if (program !== 'npm' || !line.startsWith('run ops -- ')) throw new Error(`The test cannot type ${program} ${line}`);
  const own = args.slice(3);
  const at = own.indexOf('--environment');
  if (!['prod', 'dev'].includes(own[at + 1] ?? '')) throw new Error(`${line} names no environment`);
  return ops.run([...own.toSpliced(at, 2), '--yes'], { stdin });
}

const hasAwsCli = ((): boolean => {
  try {
    execFileSync('aws', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('The AWS CLI is not installed on this machine: its commands in the runbook are not typed.');
    return false;
  }
})();
/** The result of a command of a service that the local run does not have: the AWS CLI has parsed and checked its arguments. */
export const isOnlyChecked = { code: 0, stdout: '', stderr: 'checked' };

/**
 * With the real AWS CLI: on the local run's tables, or on a closed port, where everything but a connection is right.
 * @param how `only checked`: in any case on a closed port
 */
export function typeAws(ops: Ops, words: readonly string[], how?: 'only checked'): Promise<Ended> {
  if (!hasAwsCli) return Promise.resolve(isOnlyChecked);
  const { endpoints, aws } = ops.service.run;
  const [service = ''] = words;
  const local = service === 'dynamodb' && how === undefined ? endpoints.dynamodb : undefined;
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    ...keyVariables(aws),
    AWS_DEFAULT_REGION: localRegion,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_MAX_ATTEMPTS: '1',
    AWS_PAGER: '',
  };
  const args = [...words, '--endpoint-url', local ?? 'http://127.0.0.1:9'];
  const run = (): Promise<Ended> =>
    new Promise((resolve) => {
      execFile('aws', args, { env }, (error, stdout, stderr) => {
        const isChecked = local === undefined && stderr.includes('Could not connect to the endpoint URL');
        resolve(isChecked ? isOnlyChecked : { code: error?.code ?? 0, stdout, stderr });
      });
    });
  if (local !== undefined) return run();
  const name = words.join(' ');
  const ended = checked.get(name) ?? run();
  checked.set(name, ended);
  return ended;
}

/** A command that is only checked is started once: the AWS CLI takes a second for it. */
const checked = new Map<string, Promise<Ended>>();

/** Each line that the section shows is in the output, but for ids, times and figures. */
function expectShown(section: Section, { stdout }: Ended): void {
  const output = stdout.split('\n').map(shapeOf);
  for (const line of shownIn(section.part('What you see'))) {
    const wanted = shapeOf(line);
    const isThere = output.some((one) => wanted.words.every((word) => one.words.includes(word)));
    if (!isThere) throw new Error(`"${section.title}" shows ${line}\nbut its first command:\n${stdout}`);
  }
}

const logLine = /^\d{4}-\d\d-\d\dT\S+Z {2}(.+?) {2,}(?:(INFO|WARN|ERROR|FATAL) +)?([A-Z]\w+|platform\.\w+) {2,}(.*)$/;

/** Of a log line: who wrote it, level, code and the names of its fields; of a table: its headings, its names. */
function shapeOf(line: string): { readonly words: readonly string[] } {
  const [, from, level, code, rest] = logLine.exec(line) ?? [];
  if (from === undefined || code === undefined || rest === undefined) {
    // Neither times, ids nor figures.
    return { words: line.split(/ {2,}/).filter((word) => !/^\S*\d\S*$/.test(word)) };
  }
  const fields = rest.match(/(?:^|(?<= ))\w+(?==)/g) ?? [];
  return { words: [from, level ?? 'no level', code, ...fields] };
}

/** The columns of the row of a table whose first one has this name. */
export function rowOf({ stdout }: Ended, name: string): readonly string[] {
  const row = stdout.split('\n').find((line) => line.startsWith(name));
  return row?.split(/ {2,}/) ?? [];
}
