import { beforeEach, describe, expect, test } from 'vitest';
import { rememberListings } from '../../functions/adapters/plangrep/remember-listings.ts';
import { projectIdSchema } from '../../functions/core/identifiers.ts';
import type { Plangrep } from '../../functions/core/ports.ts';
import { createMemoryPorts, type MemoryPorts } from '../support/memory-ports.ts';
import { documentedJob, documentedProject } from '../support/names.ts';
import { listOf } from '../support/job-lists.ts';

let ports: MemoryPorts;
let plangrep: Plangrep;
beforeEach(() => {
  ports = createMemoryPorts();
  ports.plangrep.onList = () => listOf([], ports.clock.now());
  plangrep = rememberListings(ports.plangrep, ports.clock);
});
const list = (project = documentedProject) => plangrep.list(project, Number.MAX_SAFE_INTEGER);

describe('a listing', () => {
  test('is not repeated within 30 s: the list of before comes back, with its time', async () => {
    const first = await list();
    ports.clock.advance(29_999);

    expect(await list()).toEqual(first);
    expect(ports.plangrep.calls).toHaveLength(1);

    ports.clock.advance(1);

    expect(await list()).toMatchObject({ listedAt: ports.clock.now() });
    expect(ports.plangrep.calls).toHaveLength(2);
  });

  test('is made once for all who ask at the same time', async () => {
    await Promise.all([list(), list(), list()]);

    expect(ports.plangrep.calls).toHaveLength(1);
  });

  test('is of one project', async () => {
    await list();
    await list(projectIdSchema.parse('proj_another'));

    expect(ports.plangrep.calls).toHaveLength(2);
  });

  test('that failed is repeated after 5 s', async () => {
    ports.plangrep.onList = () => ({ kind: 'unknown', why: 'timeout' });
    await list();
    ports.clock.advance(4_999);
    await list();

    expect(ports.plangrep.calls).toHaveLength(1);

    ports.clock.advance(1);
    await list();

    expect(ports.plangrep.calls).toHaveLength(2);
  });

  test('that will fail again is repeated after 5 minutes', async () => {
    ports.plangrep.onList = () => ({ kind: 'refused', httpStatus: 403 });
    await list();
    ports.clock.advance(5 * 60_000 - 1);
    await list();

    expect(ports.plangrep.calls).toHaveLength(1);

    ports.clock.advance(1);
    await list();

    expect(ports.plangrep.calls).toHaveLength(2);
  });

  test('is remembered from when it was asked for, however long it took', async () => {
    ports.plangrep.onList = () => {
      const listedAt = ports.clock.now();
      ports.clock.advance(4_000);
      return listOf([], listedAt);
    };
    await list();
    ports.clock.advance(25_999);
    await list();

    expect(ports.plangrep.calls).toHaveLength(1);

    ports.clock.advance(1);
    await list();

    expect(ports.plangrep.calls).toHaveLength(2);
  });

  test('is forgotten early when newer ones have so many jobs that all would be over 200,000', async () => {
    const [one, two, three] = ['proj_1', 'proj_2', 'proj_3'].map((id) => projectIdSchema.parse(id));
    const jobs: Readonly<Record<string, number>> = { proj_1: 60_000, proj_2: 100_000, proj_3: 60_000 };
    ports.plangrep.onList = (id) => ({ ...listOf([], ports.clock.now()), count: jobs[id] ?? 0 });
    for (const id of [one, two, three]) await list(id);
    ports.plangrep.calls.length = 0;
    for (const id of [three, two, one]) await list(id);

    expect(ports.plangrep.calls).toEqual(['list proj_1']);
  });

  test('changes nothing about the other calls', async () => {
    expect(await plangrep.read(documentedJob, 1)).toMatchObject({ kind: 'job' });
    expect(await plangrep.cancel(documentedJob, 1)).toMatchObject({ kind: 'job' });
    expect(ports.plangrep.calls).toEqual([`read ${documentedJob}`, `cancel ${documentedJob}`]);
  });
});
