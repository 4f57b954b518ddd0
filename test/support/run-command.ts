import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Surroundings {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Of another copy of the project. @default - this one */
  readonly root?: string;
}

/** What a command printed, and its exit code. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: unknown;
}

const projectRoot = join(import.meta.dirname, '../..');
const own = mkdtempSync(join(tmpdir(), 'run-command-'));
/** The AWS profile of the machine's owner must not reach a test. */
const noAwsProfile = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: join(own, 'config'),
  AWS_SHARED_CREDENTIALS_FILE: join(own, 'credentials'),
};
/** The tests run the same code in many processes: the first one compiles it for all. */
export const compileCache = { NODE_COMPILE_CACHE: join(tmpdir(), 'run-command-compiled') };

/** Runs a command of `infra/cli` to its end, with nothing of this process's environment but `PATH`. */
export async function runCommand(
  name: 'accept' | 'demo' | 'ops' | 'preflight' | 'round-trip' | 'smoke' | 'verify-audit',
  args: readonly string[],
  { stdin = '', env = {}, cwd, root = projectRoot }: Surroundings = {},
): Promise<Ended> {
  const script = join(root, 'infra/cli', `${name}.ts`);
  const child = spawn(process.execPath, [script, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: { PATH: process.env['PATH'] ?? '', ...noAwsProfile, ...compileCache, ...env },
  });
  child.stdin.on('error', () => undefined); // A command need not read its stdin.
  child.stdin.end(stdin);
  const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const code: unknown = exit[0];
  return { stdout, stderr, code };
}

/** The one line of a command that could not do what it was asked. @throws unless it is one line */
export function onlyLine({ stdout, stderr }: Ended): string {
  const lines = stderr.trimEnd().split('\n');
  if (stdout === '' && lines.length === 1) return lines[0] ?? '';
  throw new Error(`not one line on stderr:\n${stdout}\n${stderr}`);
}
