import { paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { type LocalRun, type LocalRunOptions, startLocalRun } from '../../infra/local/run.ts';
import { plangrepSecretId } from '../../infra/local/seeds.ts';
import type { PlangrepSimulator } from '../../infra/local/plangrep/plangrep-simulator.ts';
import { acme, externalId as externalIdOf, jobId as jobIdOf } from './names.ts';
import { watchAnswers } from './openapi-answers.ts';

/** Values in the places of secrets and personal data. Found anywhere else, they have leaked. */
export const canaries = {
  apiKey: 'pgk_live_canary4f1cdeadbeef',
  fileName: 'canary-file-name.pdf',
  resultUrl: 'https://plangrep.test/results?token=canary-result-token',
};

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface TestRun extends LocalRun {
  readonly simulator: PlangrepSimulator;
  /** One request to the HTTPS door with the partner's key, unless `headers` has another `Authorization`. */
  call(
    partnerId: 'acme' | 'globex',
    request: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answered>;
  /** The items of a table, as stored. */
  items(table: 'JobDirectory' | 'CancellationLog'): Promise<Record<string, unknown>[]>;
  /** Adds a job to the simulator and to acme's directory, with canaries in the fields that must not come out. */
  addJob(externalId: string, jobId: string, fields?: Parameters<PlangrepSimulator['addJob']>[0]): Promise<void>;
}

/**
 * The whole service, with canaries. `close` checks every answer, every log line and every stored record, and fails when
 * one has a canary, or when an answer differs from the OpenAPI description. The reconciler runs only when a test invokes
 * it, so that calls can be counted.
 */
export async function startTestRun(options: Omit<LocalRunOptions, 'onAnswer'> = {}): Promise<TestRun> {
  const { onAnswer, throwIfWrong } = watchAnswers();
  const run = await startLocalRun({ reconcileEveryMs: 0, ...options, onAnswer });
  const { simulator, dynamodb, partners } = run;
  if (simulator === undefined) throw new Error('A test run needs the simulator');
  run.secretsManager.put(plangrepSecretId, canaries.apiKey);
  simulator.setApiKey(canaries.apiKey);
  simulator.addJob({ id: 'job_01hy3m8qtn2e5r7k9p0w4x1def', files: leakyFiles, resultUrl: canaries.resultUrl });

  const answers: string[] = [];
  const call: TestRun['call'] = async (partnerId, request, body, headers = {}) => {
    const [method = '', path = ''] = request.split(' ');
    const token = partners.find((partner) => partner.partnerId === partnerId)?.token;
    const response = await fetch(`${run.baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    answers.push(JSON.stringify([...response.headers]), text);
    return { status: response.status, headers: response.headers, body: JSON.parse(text) };
  };

  const items: TestRun['items'] = async (table) => {
    const found: Record<string, unknown>[] = [];
    const pages = paginateScan({ client: dynamodb.client }, { TableName: dynamodb.tableNames[table] });
    for await (const { Items = [] } of pages) found.push(...Items.map((item) => unmarshall(item)));
    return found;
  };

  const addJob: TestRun['addJob'] = async (externalId, id, fields = {}) => {
    simulator.addJob({ id, externalId, files: leakyFiles, resultUrl: canaries.resultUrl, ...fields });
    const directory = createJobDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
    const entry = { jobId: jobIdOf(id), registeredAt: toTimestamp(Date.now()) };
    await directory.register(acme, externalIdOf(externalId), entry);
  };

  const close = async (): Promise<void> => {
    const stored = [...(await items('JobDirectory')), ...(await items('CancellationLog'))];
    await run.close();
    const secrets = [...Object.values(canaries), ...partners.map(({ token }) => token.slice(-43))];
    const everything = [...answers, ...run.logs, ...stored.map((item) => JSON.stringify(item))];
    const leaks = everything.filter((text) => secrets.some((secret) => text.includes(secret)));
    if (leaks.length > 0) throw new Error(`A secret came out:\n${leaks.join('\n')}`);
    throwIfWrong();
  };
  return { ...run, simulator, call, items, addJob, close };
}

const leakyFiles = [{ id: 'file_1', fileName: canaries.fileName, status: 'processing' }];
