import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TableName, tables } from '../../infra/blueprint/tables.ts';
import { createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { type LocalSecretsManager, startSecretsManager } from '../../infra/local/aws/secrets-manager.ts';
import { defaultBundles, type LocalRun, startLocalRun } from '../../infra/local/run.ts';
import { type LocalSandbox, startSandbox } from '../../infra/local/sandbox.ts';
import { callAs, reconcileNow } from '../support/local-run.ts';
import { watchAnswers } from '../support/openapi/openapi-answers.ts';

const secretId = 'sandbox/api-key';
const apiKey = 'pgk_sandbox_0f1e2d3c';

let dynamodb: LocalDynamoDb<TableName>;
let secretsManager: LocalSecretsManager;
let sandbox: LocalSandbox;
const printed: string[] = [];
const onLog = (line: string) => printed.push(line);
const accessKey = createAccessKey();
const open = () =>
  startSandbox({ bundles: defaultBundles, accessKeyOf: () => accessKey, dynamodb, secretsManager, secretId, onLog });
beforeAll(async () => {
  dynamodb = await startLocalDynamoDb({ tables, accessKey });
  secretsManager = await startSecretsManager({ secrets: { [secretId]: apiKey }, accessKey });
  sandbox = await open();
});
afterAll(async () => {
  await sandbox.close();
  await secretsManager.close();
  await dynamodb.close();
});

/** The sandbox decides by the clock: this moves an earlier call of a job further back in time. */
async function letPass(jobId: string, mark: 'metAt' | 'cancelledAt', ms: number): Promise<void> {
  await dynamodb.client.send(
    new UpdateItemCommand({
      TableName: sandbox.tableName,
      Key: { pk: { S: jobId } },
      UpdateExpression: `SET ${mark} = ${mark} - :ms`,
      ConditionExpression: `attribute_exists(${mark})`,
      ExpressionAttributeValues: { ':ms': { N: String(ms) } },
    }),
  );
}

describe('The simulator behind its function URL', () => {
  async function ask(method: string, path: string, key: string | undefined = apiKey) {
    const headers: Record<string, string> = key === '' ? {} : { Authorization: `Bearer ${key}` };
    const response = await fetch(sandbox.url + path, { method, headers });
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
  }

  test('answers nothing without the key', async () => {
    for (const path of ['/api/open/v1/jobs/job_sandbox_processing', '/simulator/faults', '/']) {
      for (const key of ['', 'pgk_live_guess']) {
        const answered = await ask('GET', path, key);

        expect(answered).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
      }
    }
  });

  test.each([
    ['GET', '/simulator/jobs'],
    ['POST', '/simulator/faults'],
    ['POST', '/simulator/jobs'],
    ['DELETE', '/simulator/requests'],
    ['POST', '/api/open/v1/projects/proj_sandbox/jobs'],
  ])('cannot be controlled, not even with the key: %s %s', async (method, path) => {
    const answered = await ask(method, path);

    expect(answered).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('answers as Plangrep does', async () => {
    const cancelled = await ask('POST', '/api/open/v1/jobs/job_sandbox_processing_direct/cancel');
    await ask('POST', '/api/open/v1/jobs/job_sandbox_rate_limited_direct/cancel');
    const limited = await ask('GET', '/api/open/v1/jobs/job_sandbox_rate_limited_direct?x=1');

    expect(cancelled.status).toBe(200);
    expect(cancelled.headers.get('content-type')).toBe('application/json');
    expect(cancelled.body).toMatchObject({ job: { id: 'job_sandbox_processing_direct', status: 'cancelled' } });
    expect(limited.status).toBe(429);
    expect(limited.headers.get('retry-after')).toBe('5');
  });

  test('remembers from one container to the next', async () => {
    const path = '/api/open/v1/jobs/job_sandbox_slow_kept';
    await ask('POST', `${path}/cancel`);

    await sandbox.close();
    sandbox = await open();
    await letPass('job_sandbox_slow_kept', 'cancelledAt', 3_600_000);
    const answered = await ask('GET', path);

    expect(answered).toMatchObject({ body: { job: { status: 'cancelled', successfulPageCount: 77 } } });
  });

  test('never prints the key, only that it fetched it', () => {
    expect(printed.join('\n')).not.toContain(apiKey);
    expect(printed.filter((line) => line.includes('PLANGREP_KEY_FETCHED'))).not.toEqual([]);
  });
});

describe('The service in a sandbox', () => {
  const { onAnswer, throwIfWrong } = watchAnswers();
  let run: LocalRun;
  beforeAll(async () => {
    run = await startLocalRun({ upstream: { baseUrl: sandbox.url, apiKey }, reconcileEveryMs: 0, onAnswer });
  });
  afterAll(async () => {
    await run.close();
    throwIfWrong();
  });

  /** As a partner's developer does it: register a job that behaves as its id says, and cancel it. */
  const register = (externalId: string, jobId: string) => callAs(run, 'acme', `PUT /v1/jobs/${jobId}`, { externalId });
  const cancel = (externalId: string, jobId?: string) =>
    callAs(run, 'acme', 'POST /v1/cancellations', { externalId, jobId });

  test.each([
    ['processing', 200, { outcome: 'cancelled', jobStatus: 'cancelled', pageCount: 204, successfulPageCount: 63 }],
    ['cancelled', 200, { outcome: 'cancelled', jobStatus: 'cancelled' }],
    ['completed', 409, { code: 'job_already_terminal', jobStatus: 'completed' }],
    ['completed_with_errors', 409, { code: 'job_already_terminal', jobStatus: 'completed_with_errors' }],
    ['failed', 409, { code: 'job_already_terminal', jobStatus: 'failed' }],
    ['expired', 409, { code: 'job_already_terminal', jobStatus: 'expired' }],
    ['unknown', 404, { code: 'job_not_found' }],
  ])('answers a cancel of job_sandbox_%s with %i', async (name, status, body) => {
    await register(`order ${name}`, `job_sandbox_${name}`);

    const answered = await cancel(`order ${name}`);

    expect(answered).toMatchObject({ status, body });
  });

  test.each([
    ['slow', 'cancelledAt', { outcome: 'cancelled', attempts: 1, successfulPageCount: 77 }],
    ['completes_first', 'cancelledAt', { outcome: 'too_late', jobStatus: 'completed' }],
    ['rate_limited', 'metAt', { outcome: 'cancelled', attempts: 2 }],
    ['error', 'metAt', { outcome: 'cancelled', attempts: 2 }],
    ['lost', 'metAt', { outcome: 'cancelled', attempts: 2 }],
  ] as const)('answers a cancel of job_sandbox_%s with 202, and completes it later', async (name, mark, closed) => {
    await register(`order ${name}`, `job_sandbox_${name}`);

    const accepted = await cancel(`order ${name}`);
    await letPass(`job_sandbox_${name}`, mark, 60_000);
    const reconciled = await reconcileNow(run);
    const shown = await callAs(run, 'acme', `GET /v1/cancellations/job_sandbox_${name}`);

    expect(accepted).toMatchObject({ status: 202, body: { outcome: null } });
    expect(reconciled).toMatchObject({ kind: 'answered' });
    expect(shown.body).toMatchObject({ state: 'closed', ...closed });
  });

  test('can have two live jobs under one externalId', async () => {
    await register('order twice', 'job_sandbox_processing_one');
    await register('order twice', 'job_sandbox_processing_two');

    const answered = await cancel('order twice');

    expect(answered).toMatchObject({ status: 409, body: { code: 'ambiguous_external_id' } });
  });

  test('can have a time when it cannot tell which of two jobs is meant', async () => {
    await register('order either', 'job_sandbox_completed_either');
    await register('order either', 'job_sandbox_error_either');

    await cancel('order either', 'job_sandbox_error_either');
    const unclear = await cancel('order either');
    await letPass('job_sandbox_error_either', 'metAt', 60_000);
    await reconcileNow(run);
    const clear = await cancel('order either');

    expect(unclear).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
    expect(clear).toMatchObject({ status: 200, body: { jobId: 'job_sandbox_error_either' } });
  });
});
