import { paginateScan, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import type { InvocationResult } from '../../infra/local/aws/lambda/container.ts';
import { type LocalRun, type LocalRunOptions, startLocalRun } from '../../infra/local/run.ts';
import { plangrepSecretId } from '../../infra/local/seeds.ts';
import type { PlangrepSimulator } from '../../infra/local/plangrep/plangrep-simulator.ts';
import { acme, documentedJob, documentedProject, externalId as externalIdOf, jobId as jobIdOf } from './names.ts';
import { watchAnswers } from './openapi/openapi-answers.ts';

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

export type PartnerId = 'acme' | 'globex';
export type StoredItem = Readonly<Record<string, unknown>>;
type StoreName = 'JobDirectory' | 'CancellationLog';

export interface TestRun extends LocalRun {
  readonly simulator: PlangrepSimulator;
  /** One request to the HTTPS door with the partner's key, unless `headers` has another `Authorization`. */
  call(
    partnerId: PartnerId,
    request: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answered>;
  /** The items of a table, as stored. */
  items(table: StoreName): Promise<StoredItem[]>;
  /** Adds a job to the simulator and to acme's directory, with canaries in the fields that must not come out. */
  addJob(externalId: string, jobId: string, fields?: Parameters<PlangrepSimulator['addJob']>[0]): Promise<void>;
}

/**
 * The whole service, with canaries. `close` checks every answer, every log line and every stored record, and fails when
 * one has a canary, or when an answer differs from the OpenAPI description. The reconciler runs only when a test invokes
 * it, and the wake-up queue delivers nothing and nothing is archived unless the test asks for it, so that calls can be counted.
 */
export async function startTestRun(options: Omit<LocalRunOptions, 'onAnswer'> = {}): Promise<TestRun> {
  const { onAnswer, throwIfWrong } = watchAnswers();
  const run = await startLocalRun({ reconcileEveryMs: 0, sealEveryMs: 0, ...options, onAnswer });
  const { simulator, dynamodb } = run;
  if (simulator === undefined) throw new Error('A test run needs the simulator');
  const leaky = { files: leakyFiles, resultUrl: canaries.resultUrl };
  run.secretsManager.put(plangrepSecretId, canaries.apiKey);
  simulator.setApiKey(canaries.apiKey);
  simulator.addJob({ id: documentedJob, ...leaky });
  const answers: string[] = [];
  return {
    ...run,
    simulator,
    async call(...request) {
      const { text, ...answered } = await callAs(run, ...request);
      answers.push(JSON.stringify([...answered.headers]), text);
      return answered;
    },
    items: (table) => itemsOf(run, table),
    async addJob(externalId, id, fields = {}) {
      simulator.addJob({ id, externalId, ...leaky, ...fields });
      const directory = createJobDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
      const registeredAt = toTimestamp(Date.now());
      const entry = { jobId: jobIdOf(id), projectId: documentedProject, registeredAt, verifiedAt: registeredAt };
      await directory.claim(acme, externalIdOf(externalId), entry);
    },
    async close() {
      const stored = [...(await itemsOf(run, 'JobDirectory')), ...(await itemsOf(run, 'CancellationLog'))];
      await run.close();
      throwIfLeaked(run, [...answers, ...run.logs, ...stored.map((item) => JSON.stringify(item))]);
      throwIfWrong();
    },
  };
}

const leakyFiles = [{ id: 'file_1', fileName: canaries.fileName, status: 'processing' }];

/** One request to the HTTPS door of a run. @returns the answer, and its body as it came too */
export async function callAs(
  { baseUrl, partners }: Pick<LocalRun, 'baseUrl' | 'partners'>,
  ...[partnerId, request, body, headers = {}]: Parameters<TestRun['call']>
): Promise<Answered & { readonly text: string }> {
  const [method = '', path = ''] = request.split(' ');
  const token = partners.find((partner) => partner.partnerId === partnerId)?.token;
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: isSentAsIs(body) ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text), text };
}

function isSentAsIs(body: unknown): body is string | Buffer<ArrayBuffer> {
  return typeof body === 'string' || Buffer.isBuffer(body);
}

export async function itemsOf({ dynamodb }: Pick<LocalRun, 'dynamodb'>, table: StoreName): Promise<StoredItem[]> {
  const found: StoredItem[] = [];
  const pages = paginateScan({ client: dynamodb.client }, { TableName: dynamodb.tableNames[table] });
  for await (const { Items = [] } of pages) found.push(...Items.map((item) => unmarshall(item)));
  return found;
}

/** Makes every wake-up of a run due. Wake-ups are the schedule, not the history: no event is rewritten. */
export async function makeDue(run: Pick<LocalRun, 'dynamodb'>): Promise<void> {
  const { client, tableNames } = run.dynamodb;
  for (const { pk, sk, wakeAt } of await itemsOf(run, 'CancellationLog')) {
    if (wakeAt === undefined) continue;
    await client.send(
      new UpdateItemCommand({
        TableName: tableNames.CancellationLog,
        Key: { pk: { S: String(pk) }, sk: { S: String(sk) } },
        UpdateExpression: 'SET wakeAt = :due',
        ExpressionAttributeValues: { ':due': { S: '2026-01-01T00:00:00.000Z' } },
      }),
    );
  }
}

/** Makes every wake-up due, then runs the reconciler once. It ends at once when it finds nothing more to do. */
export async function reconcileNow(run: Pick<LocalRun, 'dynamodb' | 'lambda'>): Promise<InvocationResult> {
  await makeDue(run);
  return run.lambda.invoke('reconcile-cancellations', {});
}

function throwIfLeaked(
  { partners, aws, consoleKey }: Pick<LocalRun, 'partners' | 'aws' | 'consoleKey'>,
  texts: readonly string[],
): void {
  const ofPartners = partners.flatMap(({ token, aws: key }) => [token.slice(-43), key.secretAccessKey]);
  // Partners' signing secrets begin with `whsec_`.
  const secrets = [...Object.values(canaries), ...ofPartners, aws.secretAccessKey, consoleKey, 'whsec_'];
  const leaks = texts.filter((text) => secrets.some((secret) => text.includes(secret)));
  if (leaks.length > 0) throw new Error(`A secret came out:\n${leaks.join('\n')}`);
}
