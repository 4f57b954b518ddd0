import { describe, expect, test } from 'vitest';
import { allChecks } from '../../../infra/cli/accept/checks/all-checks.ts';
import { type Given, mutations, slowMutations } from './accept-mutations.ts';
import { givenAccept } from './given-accept.ts';

const accept = givenAccept();
const given = (): Given => {
  const [acme] = accept.service.run.partners;
  return { token: acme?.token ?? '', bus: accept.bus() };
};

describe('A service that does one thing otherwise, now or later,', { concurrent: true, timeout: 60_000 }, () => {
  test.each(slowMutations)('is found by %s: %s', async (id, _what, seen, mutation) => {
    const { limitMs, bus, ...otherwise } = mutation(given());
    const how = { limitMs, ...(bus !== undefined && { bus }) };
    const { result, faults = [] } = await accept.judge(id, { otherwise, ...how });

    expect(result).toBe('failed');
    expect(faults.map((fault) => fault.seen)).toContainEqual(expect.stringMatching(seen));
  });
});

describe('A service that does one thing otherwise', () => {
  test.each(mutations)('is found by %s: %s', async (id, _what, mutation) => {
    const { result, faults = [] } = await accept.judge(id, { otherwise: mutation(given()) });

    expect(result).toBe('failed');
    // Seen, and not merely in the way of the check.
    expect(faults.map(({ expected }) => expected)).not.toContain('a result');
  });

  test('every check has a mutation that it finds, and passes on the service as it is', async () => {
    const found = new Set([...mutations, ...slowMutations].map(([id]) => id));
    const unproved = allChecks.filter(({ id, needs }) => needs !== 'AWS' && !found.has(id));
    const passed = await Promise.all([...new Set(mutations.map(([id]) => id))].map((id) => accept.judge(id)));

    expect(unproved.map(({ id }) => id)).toEqual(['transport.tls', 'transport.plain-http']);
    expect(passed.filter(({ result }) => result !== 'ok')).toEqual([]);
  });
});
