import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, expect, test, vi } from 'vitest';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { plangrepSecretId } from '../../../infra/local/seeds.ts';
import { sandboxProject } from '../../../functions/simulator/sandbox-jobs.ts';
import { givenOps } from '../../support/given-ops.ts';
import { canaries } from '../../support/local-run.ts';
import { documentedProject } from '../../support/names.ts';

const ops = givenOps();
const { service } = ops;
/** So that the next event meets no remembered record and no remembered list. */
const restart = () =>
  vi.waitFor(async () => {
    const ended = await service.run.lambda.invoke('consume-events', {}, { crashes: true });
    expect(ended).toMatchObject({ errorType: 'Runtime.ExitError' });
  });
beforeEach(restart);

const statusOf = (jobId: string) => service.run.simulator.job(jobId)?.status;
const isGivenUp = (count = 1) =>
  vi.waitFor(() => expect(service.run.queue.deadLetters()).toHaveLength(count), { timeout: 15_000, interval: 20 });
const redriveSucceeds = async () => {
  expect(await ops.run('dlq redrive --yes')).toMatchObject({ code: 0 });
  await service.eventsSettled();
  expect(service.run.queue.deadLetters()).toEqual([]);
};
const setProjects = (projects: readonly string[]) => {
  const { client, tableNames } = service.run.dynamodb;
  const Item = toItem({ pk: 'partner#acme', partnerId: 'acme', projects });
  return client.send(new PutItemCommand({ TableName: tableNames.Partners, Item }));
};

test('a cancel that was refused reaches the job that was registered since, and its partner saw the refusal', async () => {
  const { externalId, jobId } = service.newNames();
  await service.publish('Job Cancellation Requested', { externalId }, { Time: Math.floor(Date.now() / 1_000) - 5 });
  await isGivenUp();

  expect((await service.list(externalId)).body).toMatchObject({
    cancellations: [],
    refusals: [{ why: 'job_not_found', door: 'events', jobId: null }],
    refusedCount: 1,
  });
  expect((await service.list(externalId, 'globex')).status).toBe(404);

  service.run.simulator.addJob({ id: jobId, externalId });
  expect((await service.register(jobId, { externalId })).status).toBe(200);
  await redriveSucceeds();

  expect(statusOf(jobId)).toBe('cancelled');
  expect((await service.list(externalId)).body).toMatchObject({ cancellations: [{ jobId }], refusedCount: 1 });
});

test('a cancel that was refused reaches its job once the partner’s record names the project again', async () => {
  const { externalId, jobId } = await service.newJob();
  await setProjects([sandboxProject]);
  await restart();
  await service.publish('Job Cancellation Requested', { externalId });
  await isGivenUp();
  expect(statusOf(jobId)).not.toBe('cancelled');

  await setProjects([documentedProject, sandboxProject]);
  await restart();
  await redriveSucceeds();

  expect(statusOf(jobId)).toBe('cancelled');
});

test('a cancel that nothing was known for reaches its job once Plangrep’s key is valid again', async () => {
  const { externalId, jobId } = service.newNames();
  service.run.simulator.addJob({ id: jobId, externalId, createdAt: new Date(Date.now() - 60_000).toISOString() });
  service.run.simulator.setApiKey('pgk_another_organization');
  await service.publish('Job Cancellation Requested', { externalId });
  await isGivenUp();

  service.run.secretsManager.put(plangrepSecretId, canaries.apiKey);
  service.run.simulator.setApiKey(canaries.apiKey);
  await restart();
  await redriveSucceeds();

  expect(statusOf(jobId)).toBe('cancelled');
});
