import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { type AccessKey, keyVariables } from '../../infra/local/aws/access-keys.ts';
import { localRegion } from '../../infra/local/aws/loopback.ts';

const exec = promisify(execFile);

/** Whether the real AWS CLI is on this machine. Says so where it is not, since its tests are skipped then. */
export function hasAwsCli(): boolean {
  try {
    execFileSync('aws', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('The AWS CLI is not installed on this machine: its tests are skipped.');
    return false;
  }
}

/** Runs a command of it. @returns what it prints @throws when it fails, with what it says */
export async function printOfAwsCli(
  endpoint: string,
  args: readonly string[],
  key: AccessKey | undefined,
): Promise<string> {
  const env = {
    ...process.env,
    ...(key && keyVariables(key)),
    AWS_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
  };
  const { stdout } = await exec('aws', [...args, '--endpoint-url', endpoint, '--output', 'json'], { env });
  return stdout;
}

/** The same for a command that prints JSON. */
export async function runAwsCli(
  endpoint: string,
  args: readonly string[],
  key: AccessKey | undefined,
): Promise<unknown> {
  const printed = await printOfAwsCli(endpoint, args, key);
  return printed === '' ? {} : JSON.parse(printed);
}
