import { expect, it } from 'vitest';
import { runFaultMatrix } from './fault-matrix.ts';

it('every hop may lose an answer: no 5xx once it is on record, no false “cancelled”, and it closes rightly', async () => {
  const { violations, figures } = await runFaultMatrix({ faults: ['all answers lost'], stages: 2 });
  expect(violations).toEqual([]);
  expect(figures.recovered).toBe(figures.cells);
}, 60_000);
