import { describe, expect, it } from 'vitest';
import { showCancellation } from '../../infra/cli/cancellations.ts';
import { CannotDo, explain } from '../../infra/cli/cannot-do.ts';
import { type Command, commandUsage, parseCommand } from '../../infra/cli/command.ts';
import { readEnvironmentName } from '../../infra/cli/deployed-place.ts';
import { issuePartnerKey, revokePartnerKey } from '../../infra/cli/partner-keys.ts';
import { setPartner } from '../../infra/cli/partner.ts';
import { putPlangrepKey } from '../../infra/cli/plangrep-key.ts';
import { readList } from '../../infra/cli/read-option.ts';
import { duration, table } from '../../infra/cli/terminal.ts';

/** What a wrong call says; it never comes as far as its place. */
const complaint = async (command: Command, args: readonly string[]): Promise<string> => {
  const untouched = new Proxy(Object.create(null), {
    get: (_, name) => {
      throw new Error(`looked at ${String(name)}`);
    },
  });
  try {
    const given = parseCommand(command, args);
    await command.run({ place: untouched, terminal: untouched, now: Date.now(), ...given });
  } catch (error) {
    if (error instanceof CannotDo) return `${error.exitCode} ${error.message}`;
    throw error;
  }
  throw new Error('it was done');
};

describe('a command of the operator', () => {
  it.each<[Command, string[], RegExp]>([
    [issuePartnerKey, [], /^2 "partner-key issue" needs --partner acme\. See ".*--help"\.$/],
    [issuePartnerKey, ['--partner', 'acme', '--scopes', 'all'], /^2 --scopes must be some of .*, not "all"\.$/],
    [issuePartnerKey, ['--partner', 'acme', '--scopes', ','], /^2 --scopes must be some of/],
    [issuePartnerKey, ['--partner', 'acme', '--expires-in-days', '0'], /^2 --expires-in-days must be a whole number/],
    [issuePartnerKey, ['--partner'], /^2 Option '--partner <value>' argument missing\. See/],
    [revokePartnerKey, ['short'], /^2 KEYID must be 12 of A-Z, a-z and 0-9\.$/],
    [revokePartnerKey, ['a', 'b'], /^2 "partner-key revoke" takes one argument\./],
    [showCancellation, ['--partner', 'acme'], /^2 "cancellations show" needs a JOBID\./],
    [showCancellation, ['--partner', 'acme', '../x'], /^2 JOBID must be 1 to 128 characters of/],
    [setPartner, ['--partner', 'acme', '--projects', 'a,b/c'], /^2 --projects must be 1 to 128 characters of/],
  ])('says in one line what is wrong: %#', async (command, args, line) => {
    expect(await complaint(command, args)).toMatch(line);
  });

  it('never repeats a secret that came in the wrong place', async () => {
    const secret = 'pgk_live_misplaced';
    const said = await Promise.all(
      [[secret], [`--key=${secret}`], ['--key', secret], [`--yes=${secret}`]].map((args) =>
        complaint(putPlangrepKey, args),
      ),
    );

    expect(said.filter((line) => line.includes(secret))).toEqual([]);
  });

  it('has a help that names every option', () => {
    const help = commandUsage(issuePartnerKey);

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
    expect(parseCommand(issuePartnerKey, ['--help']).help).toBe(true);
  });

  it('knows three environments', () => {
    expect(readEnvironmentName('staging')).toBe('staging');
    expect(() => readEnvironmentName('toString')).toThrow('must be one of dev, staging, prod');
  });

  it('explains what a dependency says, and leaves a bug a bug', () => {
    const denied = Object.assign(new Error('not authorized\nsecond line'), {
      name: 'AccessDeniedException',
      $fault: 'client',
    });

    expect(explain(denied, 'eu-central-1')).toMatchObject({
      exitCode: 1,
      message: 'eu-central-1: AccessDeniedException: not authorized',
    });
    expect(explain(new TypeError('x is undefined'), 'eu-central-1')).toBeUndefined();
  });
});

describe('what is shown', () => {
  it('stands in columns, and obeys nothing that is stored', () => {
    expect(table(['A', 'LONG'], [['\u001b[2J', 'x']])).toEqual(['A          LONG', '\\u{1b}[2J  x']);
  });

  it('tells roughly how long', () => {
    expect([0, 119_000, 600_000, 10_800_000, 432_000_000].map(duration)).toEqual([
      '0 s',
      '119 s',
      '10 min',
      '3 h',
      '5 d',
    ]);
  });

  it('takes lists with and without spaces, each once', () => {
    expect(readList('a, b,,a')).toEqual(['a', 'b']);
  });
});
