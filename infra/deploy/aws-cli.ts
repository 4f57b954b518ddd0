import { spawnSync } from 'node:child_process';

/**
 * One call of the AWS CLI, for example `['sts', 'get-caller-identity']`.
 * @returns what it printed: JSON, or nothing
 * @throws AwsCliError when it failed
 */
export type Aws = (args: readonly string[]) => string;

/** The message is what the AWS CLI wrote to stderr. */
export class AwsCliError extends Error {
  override readonly name = 'AwsCliError';
}

/** The AWS CLI with the credentials of the environment. */
export function createAws(region: string, credentials: Readonly<Record<string, string>> = {}): Aws {
  return (args) => {
    const { status, stdout, stderr, error } = spawnSync('aws', [...args, '--region', region, '--output', 'json'], {
      encoding: 'utf8',
      env: { ...process.env, ...credentials, AWS_PAGER: '' },
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new AwsCliError(`aws ${args.slice(0, 2).join(' ')}: ${stderr.trim()}`);
    return stdout;
  };
}

interface Session {
  readonly Credentials: {
    readonly AccessKeyId: string;
    readonly SecretAccessKey: string;
    readonly SessionToken: string;
  };
}

/** The AWS CLI as another role, for an hour: one role assumed from another has no longer sessions. */
export function assumeRole(aws: Aws, roleArn: string, region: string): Aws {
  // CloudTrail then leads to the run, and the run to who started and who approved it.
  const { GITHUB_RUN_ID = '' } = process.env;
  const session = /^\d{1,20}$/.test(GITHUB_RUN_ID) ? `github-run-${GITHUB_RUN_ID}` : 'deployment';
  const assume = ['sts', 'assume-role', '--role-arn', roleArn, '--role-session-name', session];
  const { Credentials }: Session = JSON.parse(aws(assume));
  return createAws(region, {
    AWS_ACCESS_KEY_ID: Credentials.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: Credentials.SecretAccessKey,
    AWS_SESSION_TOKEN: Credentials.SessionToken,
  });
}
