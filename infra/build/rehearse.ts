import { setTimeout as sleep } from 'node:timers/promises';
import { createCancellationLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { systemClock } from '../../functions/adapters/system-clock.ts';
import { appendEvent } from '../../functions/core/use-cases/append-event.ts';
import { externalIdSchema, jobIdSchema, partnerIdSchema, toTimestamp } from '../../functions/core/identifiers.ts';
import type { FunctionName, SandboxFunctionName } from '../blueprint/functions.ts';
import type { Surroundings } from '../local/define-containers.ts';
import { putEvent } from '../local/aws/events/put-event.ts';
import { type LocalRun, startLocalRun } from '../local/local-run.ts';
import { startSandbox } from '../local/start-sandbox.ts';

const PATIENCE_MS = 20_000;
const [partnerId, project] = ['acme', 'rehearsal'];

/** One invocation of each function, on its usual path, through the door that usually invokes it. */
const scenes = {
  'authorize-partner': async () => undefined, // Before each of the requests below.
  'register-job': (run) => request(run, 'PUT /v1/jobs/job_rehearsed', { externalId: 'rehearsed', projectId: project }),
  'request-cancellation': (run) => request(run, 'POST /v1/cancellations', { externalId: 'order-7890' }),
  'read-cancellations': (run) => request(run, 'GET /v1/cancellations?externalId=order-7890'),
  'consume-events': async (run) => {
    const { eventSource: Source = '' } = run.partners.find((partner) => partner.partnerId === partnerId) ?? {};
    const Detail = JSON.stringify({ externalId: 'order-7894' });
    await putEvent(run.endpoints.eventbridge, { Source, DetailType: 'Job Cancellation Requested', Detail });
    const deadline = Date.now() + PATIENCE_MS;
    while (run.queue.waiting().length > 0 && Date.now() < deadline) await sleep(20);
    if (run.queue.waiting().length > 0) throw new Error('the event was not taken');
  },
  'reconcile-cancellations': async (run) => {
    await abandonCancellation(run);
    await invoke(run, 'reconcile-cancellations', {});
  },
  'read-documentation': (run) => request(run, 'GET /docs'),
  'simulate-plangrep': async ({ dynamodb, secretsManager }, bundled) => {
    const [secretId, key] = ['rehearsal', 'pgk_rehearsal'];
    secretsManager.put(secretId, key);
    const sandbox = await startSandbox({ ...bundled, dynamodb, secretsManager, secretId });
    try {
      const cancel = `${sandbox.url}/api/open/v1/jobs/job_sandbox_processing/cancel`;
      const { status } = await fetch(cancel, { method: 'POST', headers: { Authorization: `Bearer ${key}` } });
      if (status !== 200) throw new Error(`the simulator answered ${status}`);
    } finally {
      await sandbox.close();
    }
  },
} as const satisfies Record<FunctionName | SandboxFunctionName, Scene>;

type Scene = (run: LocalRun, bundled: Pick<Surroundings, 'bundles' | 'nodeArguments'>) => Promise<void>;

/**
 * Runs the service on this machine once and has every function do its usual work.
 * @param bundles a folder as `dist/functions` is
 * @param nodeArguments of the functions' processes
 * @throws when a function fails
 */
export const rehearse = async (bundles: string, nodeArguments: readonly string[]): Promise<void> => {
  const run = await startLocalRun({ bundles, nodeArguments, containersPerFunction: 1, reconcileEveryMs: 0 });
  try {
    for (const scene of Object.values<Scene>(scenes)) await scene(run, { bundles, nodeArguments });
  } finally {
    await run.close();
  }
};

const request = async ({ baseUrl, partners }: LocalRun, what: string, body?: object): Promise<void> => {
  const [method = '', path = ''] = what.split(' ');
  const token = partners.find((partner) => partner.partnerId === partnerId)?.token;
  const response = await fetch(baseUrl + path, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${what} answered ${response.status}: ${await response.text()}`);
};

const invoke = async ({ lambda }: LocalRun, functionName: FunctionName, event: object): Promise<void> => {
  const result = await lambda.invoke(functionName, event);
  if (result.kind !== 'answered') throw new Error(`${functionName}: ${JSON.stringify(result)}`);
};

/** A cancellation whose door died ten minutes ago, between its intent and its call. */
const abandonCancellation = async ({ dynamodb }: LocalRun): Promise<void> => {
  const log = createCancellationLog(dynamodb.client, dynamodb.tableNames.CancellationLog);
  const clock = { ...systemClock, now: () => Date.now() - 600_000 };
  const leaseUntil = toTimestamp(clock.now());
  await appendEvent(
    { log, clock },
    { partnerId: partnerIdSchema.parse(partnerId), jobId: jobIdSchema.parse('job_twin10000000000000000007893') },
    undefined,
    {
      type: 'requested',
      door: 'https',
      requestId: 'rehearsal',
      externalId: externalIdSchema.parse('order-7893'),
      attempt: 1,
      claimedBy: 'rehearsal',
      leaseUntil,
    },
    leaseUntil,
  );
};
