import { ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultBundles, type LocalRun, startLocalRun } from '../../infra/local/run.ts';
import { type LocalDynamoDb, startLocalDynamoDb } from '../../infra/local/aws/dynamodb.ts';
import { type LocalSecretsManager, startSecretsManager } from '../../infra/local/aws/secrets-manager.ts';
import { type LocalSandbox, startSandbox } from '../../infra/local/sandbox.ts';
import { watchAnswers } from '../support/openapi-answers.ts';
import { type TableName, tables } from '../../infra/blueprint/tables.ts';

const secretId = 'sandbox/api-key';
const apiKey = 'pgk_sandbox_0f1e2d3c';

let dynamodb: LocalDynamoDb<TableName>;
let secretsManager: LocalSecretsManager;
let sandbox: LocalSandbox;
const printed: string[] = [];
const { onAnswer, throwIfWrong } = watchAnswers();
const open = () =>
  startSandbox({
    bundles: defaultBundles,
    dynamodb,
    secretsManager,
    secretId,
    onLog: (line) => printed.push(line),
  });
beforeAll(async () => {
  dynamodb = await startLocalDynamoDb({ tables });
  secretsManager = await startSecretsManager({ secrets: { [secretId]: apiKey } });
  sandbox = await open();
});
afterAll(async () => {
  await sandbox.close();
  await secretsManager.close();
  await dynamodb.close();
});

const ask = async (method: string, path: string, key: string | undefined = apiKey) => {
  const headers: Record<string, string> = key === '' ? {} : { Authorization: `Bearer ${key}` };
  const response = await fetch(sandbox.url + path, { method, headers });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
};
/** The sandbox goes by the clock: a call that was made earlier. */
const letPass = (jobId: string, mark: 'metAt' | 'cancelledAt', ms: number) =>
  dynamodb.client.send(
    new UpdateItemCommand({
      TableName: sandbox.tableName,
      Key: { pk: { S: jobId } },
      UpdateExpression: `SET ${mark} = ${mark} - :ms`,
      ConditionExpression: `attribute_exists(${mark})`,
      ExpressionAttributeValues: { ':ms': { N: String(ms) } },
    }),
  );

describe('The simulator behind its function URL', () => {
  it('answers nothing without the key', async () => {
    for (const path of ['/api/open/v1/jobs/job_sandbox_processing', '/simulator/faults', '/']) {
      for (const key of ['', 'pgk_live_guess']) {
        expect(await ask('GET', path, key)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
      }
    }
  });

  it.each([
    ['GET', '/simulator/jobs'],
    ['POST', '/simulator/faults'],
    ['POST', '/simulator/jobs'],
    ['DELETE', '/simulator/requests'],
    ['POST', '/api/open/v1/projects/proj_sandbox/jobs'],
  ])('cannot be controlled, with the key either: %s %s', async (method, path) => {
    expect(await ask(method, path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it('answers as Plangrep does', async () => {
    const { status, headers, body } = await ask('POST', '/api/open/v1/jobs/job_sandbox_processing_direct/cancel');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(body).toMatchObject({ job: { id: 'job_sandbox_processing_direct', status: 'cancelled' } });
    const limited = await ask('GET', '/api/open/v1/jobs/job_sandbox_rate_limited_direct?x=1');
    expect(limited.status).toBe(429);
    expect(limited.headers.get('retry-after')).toBe('5');
  });

  it('remembers from one container to the next', async () => {
    const path = '/api/open/v1/jobs/job_sandbox_slow_kept';
    await ask('POST', `${path}/cancel`);
    await sandbox.close();
    sandbox = await open();
    await letPass('job_sandbox_slow_kept', 'cancelledAt', 3_600_000);
    expect(await ask('GET', path)).toMatchObject({ body: { job: { status: 'cancelled', successfulPageCount: 83 } } });
  });

  it('says nothing of the key, and no more than that it fetched it', () => {
    expect(printed.join('\n')).not.toContain(apiKey);
    expect(printed.filter((line) => line.includes('PLANGREP_KEY_FETCHED'))).not.toEqual([]);
  });
});

describe('The service in a sandbox', () => {
  let run: LocalRun;
  beforeAll(async () => {
    run = await startLocalRun({ upstream: { baseUrl: sandbox.url, apiKey }, reconcileEveryMs: 0, onAnswer });
  });
  afterAll(async () => {
    await run.close();
    throwIfWrong();
  });

  const call = async (request: string, body?: object) => {
    const [method = '', path = ''] = request.split(' ');
    const response = await fetch(run.baseUrl + path, {
      method,
      headers: { Authorization: `Bearer ${run.partners[0]?.token}`, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  /** As a partner's developer does it: register a job that behaves as its id says, and cancel it. */
  const register = (externalId: string, jobId: string) => call(`PUT /v1/jobs/${jobId}`, { externalId });
  const cancel = (externalId: string) => call('POST /v1/cancellations', { externalId });
  const reconcile = async () => {
    const log = run.dynamodb.tableNames.CancellationLog;
    for (const { pk, sk } of await openWakeUps()) {
      await run.dynamodb.client.send(
        new UpdateItemCommand({
          TableName: log,
          Key: { pk, sk },
          UpdateExpression: 'SET wakeAt = :due',
          ExpressionAttributeValues: { ':due': { S: '2026-01-01T00:00:00.000Z' } },
        }),
      );
    }
    expect(await run.lambda.invoke('reconcile-cancellations', {})).toMatchObject({ kind: 'answered' });
  };
  const openWakeUps = async () => {
    const { Items = [] } = await run.dynamodb.client.send(
      new ScanCommand({
        TableName: run.dynamodb.tableNames.CancellationLog,
        FilterExpression: 'attribute_exists(wakeAt)',
      }),
    );
    return Items.flatMap(({ pk, sk }) => (pk && sk ? [{ pk, sk }] : []));
  };

  it.each([
    ['processing', 200, { outcome: 'cancelled', jobStatus: 'cancelled', pageCount: 204, successfulPageCount: 63 }],
    ['cancelled', 200, { outcome: 'cancelled', jobStatus: 'cancelled' }],
    ['completed', 409, { code: 'job_already_terminal', jobStatus: 'completed' }],
    ['completed_with_errors', 409, { code: 'job_already_terminal', jobStatus: 'completed_with_errors' }],
    ['failed', 409, { code: 'job_already_terminal', jobStatus: 'failed' }],
    ['expired', 409, { code: 'job_already_terminal', jobStatus: 'expired' }],
    ['unknown', 409, { code: 'job_unknown_to_plangrep' }],
  ])('answers a cancel of job_sandbox_%s with %i', async (name, status, body) => {
    await register(`order ${name}`, `job_sandbox_${name}`);
    expect(await cancel(`order ${name}`)).toMatchObject({ status, body });
  });

  it.each([
    ['slow', 'cancelledAt', { outcome: 'cancelled', attempts: 1, successfulPageCount: 83 }],
    ['completes_first', 'cancelledAt', { outcome: 'too_late', jobStatus: 'completed' }],
    ['rate_limited', 'metAt', { outcome: 'cancelled', attempts: 2 }],
    ['error', 'metAt', { outcome: 'cancelled', attempts: 2 }],
    ['lost', 'metAt', { outcome: 'cancelled', attempts: 2 }],
  ] as const)('answers a cancel of job_sandbox_%s with 202, and sees it through', async (name, mark, closed) => {
    await register(`order ${name}`, `job_sandbox_${name}`);
    expect(await cancel(`order ${name}`)).toMatchObject({ status: 202, body: { outcome: null } });

    await letPass(`job_sandbox_${name}`, mark, 60_000);
    await reconcile();

    const { body } = await call(`GET /v1/cancellations/job_sandbox_${name}`);
    expect(body).toMatchObject({ state: 'closed', ...closed });
  });

  it('has two live jobs under one externalId', async () => {
    await register('order twice', 'job_sandbox_processing_one');
    await register('order twice', 'job_sandbox_processing_two');
    expect(await cancel('order twice')).toMatchObject({ status: 409, body: { code: 'ambiguous_external_id' } });
  });

  it('has a time when it cannot tell which of two jobs is meant', async () => {
    await register('order either', 'job_sandbox_completed_either');
    await register('order either', 'job_sandbox_error_either');
    expect(await cancel('order either')).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
    await letPass('job_sandbox_error_either', 'metAt', 60_000);
    expect(await cancel('order either')).toMatchObject({ status: 200, body: { jobId: 'job_sandbox_error_either' } });
  });
});
