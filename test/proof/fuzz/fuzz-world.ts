import type { Context } from 'aws-lambda';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { createMemoryPorts, type MemoryPorts } from '../../support/memory-ports.ts';
import { acme, externalId, globex, jobId } from '../../support/names.ts';
import { world } from './http-inputs.ts';

export const context = { getRemainingTimeInMillis: () => 15_000 } as Context;

/** Fresh ports for one input: acme's jobs, one of them with a closed cancellation's worth of history, and a stranger's. */
export const createFuzzWorld = async (): Promise<MemoryPorts> => {
  const ports = createMemoryPorts();
  const registeredAt = toTimestamp(0);
  const { own, ended, twins, foreign } = world;
  const jobs = [own, ended, ...twins.jobIds.map((id) => ({ jobId: id, externalId: twins.externalId }))];
  for (const job of jobs) {
    await ports.directory.register(acme, externalId(job.externalId), { jobId: jobId(job.jobId), registeredAt });
  }
  await ports.directory.register(globex, externalId(foreign.externalId), { jobId: jobId(foreign.jobId), registeredAt });
  ports.plangrep.onCancel = (id) =>
    id === ended.jobId ? { kind: 'refused', httpStatus: 409 } : { kind: 'job', job: { id, status: 'cancelled' } };
  ports.plangrep.onRead = (id) => ({
    kind: 'job',
    job: { id, status: id === ended.jobId ? 'completed' : 'processing' },
  });
  return ports;
};

/** @returns what is wrong with what an input of acme's left behind */
export const judgeTraces = ({ log, plangrep }: MemoryPorts): string[] => {
  const foreign = plangrep.calls.filter((call) => call.endsWith(world.foreign.jobId));
  const strange = [...log.streams.keys()].filter((name) => !name.startsWith('acme#job_') || name.endsWith('foreign'));
  return [...foreign.map((call) => `Plangrep: ${call}`), ...strange.map((name) => `a stream ${name}`)];
};
