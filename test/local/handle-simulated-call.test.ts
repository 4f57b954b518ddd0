import type { LambdaFunctionURLEvent } from 'aws-lambda';
import { expect, it } from 'vitest';
import { handleSimulatedCall } from '../../functions/simulator/handle-simulated-call.ts';
import { sandboxRecord } from '../../functions/simulator/sandbox-jobs.ts';

const NOW = Date.parse('2026-11-02T09:00:00.000Z');
const event = (method: string, rawPath: string): LambdaFunctionURLEvent =>
  ({ rawPath, headers: {}, requestContext: { http: { method } } }) as LambdaFunctionURLEvent;

const open = (isAuthorized: boolean) => {
  const log: string[] = [];
  const handle = handleSimulatedCall({
    records: {
      find: (jobId) => {
        log.push(`find ${jobId}`);
        return sandboxRecord(jobId, NOW);
      },
      ofProject: () => [],
      keep: ({ job }) => void log.push(`keep ${job.status}`),
    },
    isAuthorized: async () => isAuthorized,
    clock: { now: () => NOW, sleep: async (ms) => void log.push(`sleep ${ms}`) },
  });
  return { log, handle };
};

it('lets an answer wait, and its effect not', async () => {
  const { log, handle } = open(true);
  expect(await handle(event('POST', '/api/open/v1/jobs/job_sandbox_late/cancel'))).toMatchObject({ statusCode: 200 });
  expect(log).toEqual(['find job_sandbox_late', 'keep cancelled', 'sleep 6000']);
});

it('reads nothing for whoever brings no key', async () => {
  const { log, handle } = open(false);
  expect(await handle(event('POST', '/api/open/v1/jobs/job_sandbox_late/cancel'))).toMatchObject({ statusCode: 401 });
  expect(log).toEqual([]);
});
