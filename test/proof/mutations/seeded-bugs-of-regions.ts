import type { SeededBug } from './seeded-bug.ts';

const secondRegion = (name: string, regionOf: string): SeededBug => ({
  name,
  file: 'test/proof/simulation/regions.ts',
  from: 'undefined as ((by: Process) => 0 | 1) | undefined',
  to: regionOf,
});

/** What a second region would break, if the cancellation log were a global table in DynamoDB's default mode. */
export const seededBugsOfRegions: readonly SeededBug[] = [
  secondRegion(
    'two regions write to the log, and each sees the other’s writes a moment later',
    '(by: Process): 0 | 1 => (by.id % 2 === 0 ? 0 : 1)',
  ),
  secondRegion(
    'a second region takes over the log, while the first one ends what it has begun',
    "(by: Process): 0 | 1 => (by.startedAt < Date.parse('2026-11-23T12:01:00.000Z') ? 0 : 1)",
  ),
];
