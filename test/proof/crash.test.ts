import { expect, it } from 'vitest';
import { runCrashes } from './crash.ts';

it('a process killed between any two steps loses nothing, whichever caller repeats: some doors, some steps', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`crashes: --seed ${seed}`);
  const doorNames = ['POST cancel', 'Job Cancellation Requested', 'reconciler: takes over, nothing sent'];
  const { violations, figures } = await runCrashes({ seed, doorNames, atMost: 10, stages: 2 });
  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ doors: 3, crashPoints: 10, recovered: 10, restarts: 2 });
}, 60_000);
