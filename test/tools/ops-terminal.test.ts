import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createTerminal } from '../../infra/cli/terminal.ts';

const open = (isTTY: boolean, yes = false) => {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new PassThrough();
  const messages = Object.assign(new PassThrough(), { isTTY });
  return { input, output, messages, terminal: createTerminal({ json: false, yes, input, output, messages }) };
};

describe('a terminal', () => {
  it.each(['y', 'Y', 'yes'])('takes %s for a yes', async (answer) => {
    const { input, terminal } = open(true);
    input.write(`${answer}\r`);

    await expect(terminal.confirm('Really?')).resolves.toBeUndefined();
  });

  it.each(['', 'n', 'yeah', '\u0003'])('takes %j for a no', async (answer) => {
    const { input, terminal } = open(true);
    input.write(`${answer}\r`);

    await expect(terminal.confirm('Really?')).rejects.toMatchObject({ exitCode: 1, message: 'Nothing was done.' });
  });

  it('asks on stderr, so that what is piped on stays clean', async () => {
    const { input, output, messages, terminal } = open(true);
    input.write('y\r');
    await terminal.confirm('Really?');
    output.end();
    messages.end();

    expect(await text(output)).toBe('');
    expect(await text(messages)).toContain('Really? [y/N] ');
  });

  it('refuses where nobody can answer, and asks nothing with --yes', async () => {
    await expect(open(false).terminal.confirm('Really?')).rejects.toMatchObject({ exitCode: 2 });
    await expect(open(false, true).terminal.confirm('Really?')).resolves.toBeUndefined();
  });

  it('takes a secret that is typed, and echoes none of it', async () => {
    const { input, output, messages, terminal } = open(true);
    input.write('pgk_typed\r');
    const secret = await terminal.readSecret('Key: ');
    output.end();
    messages.end();

    expect(secret).toBe('pgk_typed');
    expect([await text(output), await text(messages)]).toEqual(['', 'Key: \n']);
  });

  it.each(['', '\n', ' \n'])('takes no secret for none: %j', async (piped) => {
    const { input, terminal } = open(false);
    input.end(piped);

    await expect(terminal.readSecret('Key: ')).rejects.toMatchObject({ exitCode: 2 });
  });

  it('gives up a secret on Ctrl-C', async () => {
    const { input, terminal } = open(true);
    input.write('pgk_ty\u0003');

    await expect(terminal.readSecret('Key: ')).rejects.toMatchObject({ exitCode: 2 });
  });
});
