import { expect, it } from 'vitest';
import { runSoak } from './soak.ts';

it('loses none of many cancellations with faults, and ends with nothing left open', async () => {
  const { violations, figures } = await runSoak({ cancellations: 2_000, seed: 1 });
  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ requested: 2_000, closed: 2_000, lost: 0 });
});
