import { describe, expect, it } from 'vitest';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import type { PlangrepJob } from '../../functions/core/ports.ts';
import { requestCancellation } from '../../functions/core/use-cases/request-cancellation.ts';
import { createMemoryPorts } from '../support/memory-ports.ts';
import { acme, cancelOrder7890, documentedJob, order7890 } from '../support/names.ts';

const closedLine = async (job: Omit<PlangrepJob, 'id'>) => {
  const ports = createMemoryPorts();
  await ports.directory.register(acme, order7890, { jobId: documentedJob, registeredAt: toTimestamp(0) });
  ports.plangrep.onCancel = (id) => {
    ports.clock.advance(250);
    return { kind: 'job', job: { id, ...job } };
  };
  await requestCancellation(ports, cancelOrder7890);
  return ports.reported.find(({ code }) => code === 'CANCELLATION_CLOSED')?.fields;
};

describe('the line of a closed cancellation', () => {
  it('says how long the confirmation took, and what was stopped', async () => {
    const job = { status: 'cancelled', pageCount: 204, successfulPageCount: 63, creditsDebited: 63 };
    expect(await closedLine(job)).toEqual({
      partnerId: acme,
      jobId: documentedJob,
      outcome: 'cancelled',
      attempts: 1,
      confirmedMs: 250,
      pagesStopped: 141,
      creditsDebited: 63,
    });
  });

  it('claims no stopped page where none is known or none was stopped', async () => {
    expect((await closedLine({ status: 'cancelled', pageCount: 204 }))?.['pagesStopped']).toBeUndefined();
    expect((await closedLine({ status: 'cancelled', successfulPageCount: 4 }))?.['pagesStopped']).toBeUndefined();
    const completed = { status: 'completed', pageCount: 204, successfulPageCount: 204 };
    expect((await closedLine(completed))?.['pagesStopped']).toBeUndefined();
    const odd = { status: 'cancelled', pageCount: 1, successfulPageCount: 2 };
    expect((await closedLine(odd))?.['pagesStopped']).toBe(0);
  });
});
