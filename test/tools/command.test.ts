import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { CannotDo, parseCommand, readList, usageOf } from '../../infra/cli/command.ts';
import { showCancellation } from '../../infra/cli/cancellations/show-cancellation.ts';
import type { OpsCommand } from '../../infra/cli/ops-command.ts';
import { putPlangrepKey } from '../../infra/cli/plangrep-key/ops-plangrep-key.ts';
import { issuePartnerKey, revokePartnerKey } from '../../infra/cli/partners/ops-partner-keys.ts';
import { setPartner } from '../../infra/cli/partners/set-partner.ts';
import { readEnvironmentName } from '../../infra/cli/places/deployed-place.ts';
import { explainFailure } from '../../infra/cli/places/explain-failure.ts';
import { createTerminal, duration, table } from '../../infra/cli/terminal.ts';

/** The exit code and the line of a wrong call, which must not come as far as its place. */
const complaint = async (command: OpsCommand, args: readonly string[]): Promise<string> => {
  const untouched = new Proxy(Object.create(null), {
    get: (_, name) => {
      throw new Error(`looked at ${String(name)}`);
    },
  });
  try {
    const parsed = parseCommand(command, args);
    if (parsed.kind === 'run') {
      await command.run({ place: untouched, terminal: untouched, now: Date.now(), ...parsed });
    }
  } catch (error) {
    if (error instanceof CannotDo) return `${error.exitCode} ${error.message}`;
    throw error;
  }
  throw new Error('it was done');
};

describe('a command of the operator', () => {
  test.each<[OpsCommand, string[], RegExp]>([
    [issuePartnerKey, [], /^2 "partner-key issue" needs --partner acme\. See ".*--help"\.$/],
    [issuePartnerKey, ['--partner', 'acme', '--scopes', 'all'], /^2 --scopes must be some of .*, not "all"\.$/],
    [issuePartnerKey, ['--partner', 'acme', '--scopes', ','], /^2 --scopes must be some of/],
    [issuePartnerKey, ['--partner', 'acme', '--expires-in-days', '0'], /^2 --expires-in-days must be a whole number/],
    [issuePartnerKey, ['--partner'], /^2 Option '--partner <value>' argument missing\. See/],
    [revokePartnerKey, ['short'], /^2 KEYID must be 12 of A-Z, a-z and 0-9\.$/],
    [revokePartnerKey, ['a', 'b'], /^2 "partner-key revoke" takes one argument\./],
    [showCancellation, ['--partner', 'acme'], /^2 "cancellations show" needs JOBID\./],
    [showCancellation, ['--partner', 'acme', '../x'], /^2 JOBID must be 1 to 128 characters of/],
    [setPartner, ['--partner', 'acme', '--projects', 'a,b/c'], /^2 --projects must be 1 to 128 characters of/],
  ])('says in one line what is wrong: %#', async (command, args, line) => {
    expect(await complaint(command, args)).toMatch(line);
  });

  test('never repeats a secret that came in the wrong place', async () => {
    const secret = 'pgk_live_misplaced';

    const said = await Promise.all(
      [[secret], [`--key=${secret}`], ['--key', secret], [`--yes=${secret}`]].map((args) =>
        complaint(putPlangrepKey, args),
      ),
    );

    expect(said.filter((line) => line.includes(secret))).toEqual([]);
  });

  test('has a help that names every option', () => {
    const help = usageOf(issuePartnerKey);

    for (const option of [
      '--partner acme',
      '--scopes a,b',
      '--expires-in-days N',
      '--environment',
      '--json',
      '--yes',
    ]) {
      expect(help).toContain(option);
    }
    expect(parseCommand(issuePartnerKey, ['--help'])).toEqual({ kind: 'help' });
  });

  test('knows three environments', () => {
    expect(readEnvironmentName('staging')).toBe('staging');
    expect(() => readEnvironmentName('toString')).toThrow('must be one of dev, staging, prod');
  });

  test('explains the error of a dependency, but not a bug', () => {
    const denied = Object.assign(new Error('not authorized\nsecond line'), {
      name: 'AccessDeniedException',
      $fault: 'client',
    });

    expect(explainFailure(denied, 'eu-central-1')).toMatchObject({
      exitCode: 1,
      message: 'eu-central-1: AccessDeniedException: not authorized',
    });
    const byPolicy = Object.assign(denied, {
      message: 'not authorized with an explicit deny in a resource-based policy',
    });
    expect(explainFailure(byPolicy, 'eu-central-1')?.message).toMatch(/policy It needs a role: docs\/runbook.md/);
    expect(explainFailure(new TypeError('x is undefined'), 'eu-central-1')).toBeUndefined();
  });
});

describe('what is shown', () => {
  test('stands in columns, with the control characters of stored texts escaped', () => {
    expect(table(['A', 'LONG'], [['\u001b[2J', 'x']])).toEqual(['A          LONG', '\\u{1b}[2J  x']);
  });

  test('is a rough duration', () => {
    expect([0, 119_000, 600_000, 10_800_000, 432_000_000].map(duration)).toEqual([
      '0 s',
      '119 s',
      '10 min',
      '3 h',
      '5 d',
    ]);
  });

  test('takes lists with and without spaces, each part once', () => {
    expect(readList('a, b,,a')).toEqual(['a', 'b']);
  });
});

const open = ({ isTTY, yes = false }: { readonly isTTY: boolean; readonly yes?: boolean }) => {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new PassThrough();
  const messages = Object.assign(new PassThrough(), { isTTY });
  return { input, output, messages, terminal: createTerminal({ json: false, yes, input, output, messages }) };
};

describe('a terminal', () => {
  test.each(['y', 'Y', 'yes'])('takes %s for a yes', async (answer) => {
    const { input, terminal } = open({ isTTY: true });
    input.write(`${answer}\r`);

    await expect(terminal.confirm('Really?')).resolves.toBeUndefined();
  });

  test.each(['', 'n', 'yeah', '\u0003'])('takes %j for a no', async (answer) => {
    const { input, terminal } = open({ isTTY: true });
    input.write(`${answer}\r`);

    await expect(terminal.confirm('Really?')).rejects.toMatchObject({ exitCode: 1, message: 'Nothing was done.' });
  });

  test('asks on stderr, so that a piped stdout stays clean', async () => {
    const { input, output, messages, terminal } = open({ isTTY: true });
    input.write('y\r');

    await terminal.confirm('Really?');

    output.end();
    messages.end();
    expect(await text(output)).toBe('');
    expect(await text(messages)).toContain('Really? [y/N] ');
  });

  test('does nothing where no user can answer, and asks nothing with --yes', async () => {
    await expect(open({ isTTY: false }).terminal.confirm('Really?')).rejects.toMatchObject({ exitCode: 2 });
    await expect(open({ isTTY: false, yes: true }).terminal.confirm('Really?')).resolves.toBeUndefined();
  });

  test('takes a secret that is typed, and echoes none of it', async () => {
    const { input, output, messages, terminal } = open({ isTTY: true });
    input.write('pgk_typed\r');

    const secret = await terminal.readSecret('Key: ');

    output.end();
    messages.end();
    expect(secret).toBe('pgk_typed');
    expect([await text(output), await text(messages)]).toEqual(['', 'Key: \n']);
  });

  test.each(['', '\n', ' \n'])('takes an empty value for no secret: %j', async (piped) => {
    const { input, terminal } = open({ isTTY: false });
    input.end(piped);

    await expect(terminal.readSecret('Key: ')).rejects.toMatchObject({ exitCode: 2 });
  });

  test('gives up a secret on Ctrl-C', async () => {
    const { input, terminal } = open({ isTTY: true });
    input.write('pgk_ty\u0003');

    await expect(terminal.readSecret('Key: ')).rejects.toMatchObject({ exitCode: 2 });
  });
});
