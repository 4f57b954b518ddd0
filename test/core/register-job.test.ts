import { describe, expect, test } from 'vitest';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { registerJob } from '../../functions/core/use-cases/register-job.ts';
import { createMemoryPorts } from '../support/memory-ports.ts';
import { acme, documentedJob, order7890 } from '../support/names.ts';

describe('registering a job', () => {
  const registration = { partnerId: acme, externalId: order7890, jobId: documentedJob, door: 'https' } as const;

  test('puts it in the directory, once', async () => {
    const ports = createMemoryPorts();
    const registeredAt = toTimestamp(0);
    const entry = { jobId: documentedJob, registeredAt, projectId: undefined };
    const register = (at: string) => registerJob(ports, { ...registration, registeredAt: at, requestId: 'r' });

    expect(await register(registeredAt)).toEqual({ kind: 'registered', entry });
    expect(await register(toTimestamp(1))).toEqual({ kind: 'registered', entry });
    expect((await ports.directory.find(acme, order7890)).items).toEqual([entry]);
  });
});
