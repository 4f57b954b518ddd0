import { expect, it } from 'vitest';
import { runStorm } from './storm.ts';

it('500 duplicates over 10 jobs make 10 cancel calls, and every answer names the right one', async () => {
  const { violations, figures } = await runStorm({ requests: 500, jobs: 10, seed: 1 });
  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ cancelCalls: 10, requested: 10, closed: 10, joined: 490 });
}, 60_000);
