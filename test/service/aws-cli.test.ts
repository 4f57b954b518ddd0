import { execFile, execFileSync } from 'node:child_process';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { localRegion } from '../../infra/local/aws/loopback.ts';
import { plangrepSecretId } from '../../infra/local/seeds.ts';
import { welcome } from '../../infra/cli/welcome.ts';
import { startTestRun, type TestRun } from '../support/local-run.ts';

const hasCli = (): boolean => {
  try {
    execFileSync('aws', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const isThere = hasCli();
if (!isThere) console.log('The AWS CLI is not on this machine: its tests are left out.');

const aws = async (endpoint: string, ...args: string[]): Promise<unknown> => {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
  };
  const { stdout } = await promisify(execFile)('aws', [...args, '--endpoint-url', endpoint, '--output', 'json'], {
    env,
  });
  return JSON.parse(stdout);
};

describe.runIf(isThere)('the real AWS CLI', () => {
  let run: TestRun;
  beforeAll(async () => {
    run = await startTestRun();
  });
  afterAll(() => run.close());

  it('cancels a job with put-events', async () => {
    const [acme] = run.partners;
    const entry = {
      Source: acme?.eventSource,
      DetailType: 'Job Cancellation Requested',
      Detail: JSON.stringify({ externalId: 'order-7890' }),
    };
    const answer = await aws(run.endpoints.eventbridge, 'events', 'put-events', '--entries', JSON.stringify([entry]));
    expect(answer).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    await vi.waitFor(
      () => expect(run.simulator.job('job_01hy3m8qtn2e5r7k9p0w4x1def')?.status).toBe('cancelled'),
      10_000,
    );
  });

  it('cancels order-7894 with the command that npm start prints, on a machine that has no AWS settings', async () => {
    const words = stripVTControlCharacters(welcome(run, '', undefined));
    const command = /AWS_ACCESS_KEY_ID=.*\n.*\n.*order-7894.*/.exec(words)?.[0] ?? '';
    const nowhere = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
    const { stdout } = await promisify(execFile)('sh', ['-c', command], {
      env: { ...Object.fromEntries(inherited), ...nowhere },
    });
    expect(JSON.parse(stdout)).toMatchObject({ FailedEntryCount: 0 });
    await vi.waitFor(() => expect(run.simulator.job('job_evnt00000000000000000007894')?.status).toBe('cancelled'));
  });

  it('reads a table and a secret', async () => {
    const table = run.dynamodb.tableNames.CancellationLog;
    expect(await aws(run.endpoints.dynamodb, 'dynamodb', 'describe-table', '--table-name', table)).toMatchObject({
      Table: { TableStatus: 'ACTIVE' },
    });
    const secret = ['secretsmanager', 'get-secret-value', '--secret-id', plangrepSecretId];
    expect(await aws(run.endpoints.secretsmanager, ...secret)).toMatchObject({ Name: plangrepSecretId });
  });
});
